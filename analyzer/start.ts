// The thin loop around the analysis: hold the lease, settle, and judge each step once settling has passed it.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  beginTick,
  finishTick,
  type Lease,
  LeaseLost,
  releaseLease,
  type SettleCounts,
  type SettleRules,
  settleTick,
  type Store,
  takeLease,
  type Tick,
} from '@headwater/store'
import { type AnalyzerMetrics, analyzerMetrics } from './metrics.ts'
import { parameters } from './parameters.ts'
import { LastingEffects } from './read-lasting.ts'
import { isEarly } from './recent.ts'
import { Seasons } from './seasons.ts'
import { step } from './step.ts'

export interface Analyzer {
  metrics: AnalyzerMetrics
  /** Finishes the round that is under way and lets go of the lease. */
  stop(): Promise<void>
}

export interface AnalyzerOptions {
  store: Store
  /** The longest pause between rounds; a step that is due earlier ends it. */
  everyMs?: number
  log?: (line: string) => void
}

const leaseMs = 15_000
/** A tick that ClickHouse has refused so often is given up, or nothing that came after it would ever be analyzed. */
const refusalsMax = 20

export const settleRules: SettleRules = { quietMs: 5_000, openMs: 30_000, closeAfterS: 30 }

/** Starts the analyzer. It never throws: what fails is logged, counted, and repeated in the next round. */
export function startAnalyzer({ store, everyMs = 3_000, log = () => undefined }: AnalyzerOptions): Analyzer {
  const metrics = analyzerMetrics()
  const stopping = new AbortController()
  const holder = randomUUID()
  const state: LoopState = {
    lease: undefined,
    judgedMs: undefined,
    isUneasy: false,
    lasting: new LastingEffects(store),
    seasons: new Seasons(store),
    refused: { tick: 0, times: 0 },
  }
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      let nextMs = everyMs
      try {
        nextMs = Math.min(everyMs, await round({ store, holder, state, metrics, log }))
      } catch (error) {
        if (error instanceof LeaseLost) state.lease = undefined
        metrics.add('headwater_analyzer_failures_total')
        log(`analyzer: ${describe(error)}`)
      }
      await sleep(nextMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
    metrics.set('headwater_analyzer_leader', 0)
    if (state.lease !== undefined) await releaseLease(store.postgres, state.lease).catch(() => undefined)
  }
  const done = loop()
  return {
    metrics,
    async stop() {
      stopping.abort()
      await done
    },
  }
}

interface LoopState extends Judged {
  lease: Lease | undefined
  lasting: LastingEffects
  seasons: Seasons
  /** The tick that ClickHouse refused last, and how often. */
  refused: { tick: number; times: number }
}

interface Judged {
  /** The last step judged. */
  judgedMs: number | undefined
  /** Whether something could be beginning. */
  isUneasy: boolean
}

/** Tells after how many milliseconds the next round has work. */
async function round({
  store,
  holder,
  state,
  metrics,
  log,
}: {
  store: Store
  holder: string
  state: LoopState
  metrics: AnalyzerMetrics
  log: (line: string) => void
}): Promise<number> {
  state.lease = await takeLease(store.postgres, { holder, ttlMs: leaseMs })
  metrics.set('headwater_analyzer_leader', state.lease === undefined ? 0 : 1)
  if (state.lease === undefined) return Infinity
  const tick = await beginTick(store, state.lease, settleRules)
  if (tick === undefined) return Infinity
  const beganMs = performance.now()
  const counts = await settleTick(store, tick, settleRules).catch((error: unknown): SettleCounts => {
    if (!isHopeless(state, tick, error)) throw error
    metrics.add('headwater_settle_ticks_given_up_total')
    const [from, to] = [tick.fromMs, tick.toMs].map((ms) => new Date(ms).toISOString())
    log(`analyzer: gave up what arrived from ${from} to ${to}, it is stored but not analyzed: ${describe(error)}`)
    return { spans: 0, late: 0 }
  })
  await finishTick(store.postgres, state.lease, tick, counts)
  metrics.add('headwater_settle_ticks_total')
  metrics.add('headwater_settle_spans_total', counts.spans)
  metrics.add('headwater_settle_late_spans_total', counts.late)
  metrics.set('headwater_settle_watermark_seconds', tick.toMs / 1_000)
  const nextMs = (): number =>
    tick.isCutShort === true ? 0 : untilNextStepMs(tick.toMs + performance.now() - beganMs, state)
  const stepMs = nextStepMs(tick.toMs, state)
  if (stepMs === undefined) return nextMs()
  const stepBeganMs = performance.now()
  const report = await step(store, state.lease, stepMs, { lasting: state.lasting, seasons: state.seasons })
  state.judgedMs = stepMs
  // Where a step takes long, there is no time for one in between.
  state.isUneasy = report.isUneasy && performance.now() - stepBeganMs < parameters.early.stepMs / 2
  metrics.add(isEarly(stepMs) ? 'headwater_analyzer_early_steps_total' : 'headwater_analyzer_steps_total')
  metrics.add('headwater_analyzer_findings_total', report.findings)
  metrics.add('headwater_analyzer_usual_findings_total', report.usual)
  metrics.add('headwater_incidents_opened_total', report.opened)
  metrics.add('headwater_incidents_reopened_total', report.reopened)
  metrics.add('headwater_incidents_resolved_total', report.resolved)
  metrics.add('headwater_incidents_merged_total', report.merged)
  metrics.set('headwater_incidents_open', report.open)
  metrics.add('headwater_analyzer_series_left_out_total', report.seriesLeftOut)
  if (report.lastingFailure !== undefined) {
    metrics.add('headwater_analyzer_lasting_failures_total')
    log(`analyzer: small effects that last were not looked for in this minute: ${report.lastingFailure}`)
  }
  for (const failure of report.evidenceFailures ?? []) {
    metrics.add('headwater_analyzer_evidence_failures_total')
    log(`analyzer: an incident says less than it could: ${failure}`)
  }
  metrics.set('headwater_analyzer_flows_watched', report.seasons?.watched ?? 0)
  metrics.set('headwater_analyzer_flows_left_out', report.seasons?.leftOut ?? 0)
  if (report.seasons?.failure !== undefined) {
    metrics.add('headwater_analyzer_season_failures_total')
    log(`analyzer: flows were not judged by what is usual in this minute: ${report.seasons.failure}`)
  }
  return nextMs()
}

/** TOO_MANY_SIMULTANEOUS_QUERIES, ABORTED, QUERY_WAS_CANCELLED: these speak of the engine's moment, not of the tick. */
const busyCodes = new Set(['202', '236', '394'])

/** Whether ClickHouse has refused this tick as often as it may. An engine that is away refuses nothing. */
function isHopeless({ refused }: LoopState, { tick }: Tick, error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (!/^\d+$/.test(code) || busyCodes.has(code)) return false
  if (refused.tick !== tick) Object.assign(refused, { tick, times: 0 })
  refused.times += 1
  return refused.times >= refusalsMax
}

/**
 * The newest step that settling has passed by the lag; `undefined` when it has been judged. Steps missed in a pause are skipped.
 * While something could be beginning, there are early ones between the regular.
 */
export function nextStepMs(watermarkMs: number, { judgedMs, isUneasy }: Judged): number | undefined {
  const newest = (everyMs: number): number => Math.floor((watermarkMs - parameters.lagMs) / everyMs) * everyMs
  // A regular step comes first: only that moves on what is open.
  const steps = [newest(parameters.stepMs), ...(isUneasy ? [newest(parameters.early.stepMs)] : [])]
  return steps.find((stepMs) => judgedMs === undefined || stepMs > judgedMs)
}

/** How long until settling can have passed the step after the last one that was judged, by the lag. */
export function untilNextStepMs(watermarkMs: number, { judgedMs, isUneasy }: Judged): number {
  if (judgedMs === undefined) return Infinity
  const everyMs = isUneasy ? parameters.early.stepMs : parameters.stepMs
  const nextMs = (Math.floor(judgedMs / everyMs) + 1) * everyMs
  return Math.max(0, nextMs + parameters.lagMs - watermarkMs)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
