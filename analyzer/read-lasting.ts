// Small effects that last are looked for once a minute, over whole minutes. What is found stands until the next minute.
import {
  minutesOf,
  readCeasedCalls,
  readStates,
  readUsualCalls,
  screenSeries,
  type Store,
  type TimeRange,
} from '@headwater/store'
import { type Baseline, baselineUntil } from './baseline.ts'
import { readCommonSlowdown } from './common-slowdown.ts'
import type { Finding } from './detect.ts'
import { detectLasting, lastingJudging } from './lasting.ts'
import { parameters } from './parameters.ts'
import { edgeKey, pictureOf } from './picture.ts'
import { screenRules, whatStandsOut } from './stands-out.ts'

const minuteMs = 60_000

/** What lasts, as of the end of a minute. */
export interface Lasting {
  findings: Finding[]
  /** The time that it was looked for in. */
  range: TimeRange
  /** What was normal before that, where it is known. */
  baseline: Baseline | undefined
  /** Series that were too many to look at. */
  leftOut: number
  /** Why it could not be looked for. */
  failure?: string
}

/** Keeps what was found last, so that it is looked for once a minute only. */
export class LastingEffects {
  readonly #store: Store
  #last: Lasting | undefined

  constructor(store: Store) {
    this.#store = store
  }

  /**
   * What lasts as of the last whole minute before, and whether nobody has asked for it yet. It never throws: a search that
   * fails finds nothing for a minute, and keeps nobody from judging what is plain.
   */
  async at(atMs: number): Promise<Lasting & { isNew: boolean }> {
    const toMs = Math.floor(atMs / minuteMs) * minuteMs
    if (this.#last?.range.toMs === toMs) return { ...this.#last, isNew: false }
    this.#last = await readLasting(this.#store, toMs).catch((error: unknown) => {
      const failure = error instanceof Error ? error.message : String(error)
      return { findings: [], range: rangeUntil(toMs), baseline: undefined, leftOut: 0, failure }
    })
    return { ...this.#last, isNew: true }
  }
}

function rangeUntil(toMs: number): TimeRange {
  return { fromMs: toMs - parameters.lasting.minutes * minuteMs, toMs }
}

async function readLasting(store: Store, toMs: number): Promise<Lasting> {
  const range = rangeUntil(toMs)
  const baseline = await baselineUntil(store, { atMs: toMs, toMs: range.fromMs })
  // What is normal is not known from less time than that which is judged.
  if (baseline.coversMs < toMs - range.fromMs) return { findings: [], range, baseline, leftOut: 0 }
  const compared = { recent: minutesOf(range), baseline: baseline.windows }
  const [screen, ceased] = await Promise.all([
    screenSeries(store, {
      ...compared,
      recentMs: toMs - range.fromMs,
      baselineMs: baseline.coversMs,
      rules: { ...screenRules, ...lastingJudging },
    }),
    readCeasedCalls(store, {
      ...compared,
      rules: {
        baselineCallsMin: parameters.lasting.baselineCallsMin,
        dueMin: parameters.lasting.ceased.dueMin,
        shareMax: parameters.lasting.leftOut.shareMax,
      },
    }),
  ])
  const { pValueMax, services, isSlow } = whatStandsOut({ ...screen, quiet: [] }, parameters.lasting.shareRiseMin)
  for (const { caller, service } of ceased.calls) services.add(caller).add(service)
  const leftOut = screen.leftOut + ceased.leftOut
  if (services.size === 0) return { findings: [], range, baseline, leftOut }
  const [usualCalls, before, ...minutes] = await Promise.all([
    readUsualCalls(store, {
      usual: baseline.windows,
      calls: ceased.calls,
      rules: {
        minutesMin: parameters.lasting.leftOut.minutesMin,
        minuteCallsMin: parameters.lasting.ceased.minuteDueMin,
      },
    }),
    readStates(store, baseline.windows, { services }),
    ...Array.from({ length: parameters.lasting.minutes }, async (_, minute) => {
      const fromMs = range.fromMs + minute * minuteMs
      return await readStates(store, minutesOf({ fromMs, toMs: fromMs + minuteMs }), { services })
    }),
  ])
  const findings = detectLasting({
    whole: pictureOf(minutes.flatMap(({ states }) => states)),
    minutes: minutes.map(({ states }) => pictureOf(states)),
    baseline: pictureOf(before.states),
    pValueMax,
    slowdown: isSlow ? await readCommonSlowdown(store, compared) : 1,
    usualCalls: new Map(
      usualCalls.map((usual) => [edgeKey(usual.caller, usual.callerOperation, usual.service), usual]),
    ),
  })
  return {
    findings: findings.map((finding) => ({ ...finding, compared: { recent: range, baseline: baseline.range } })),
    range,
    baseline,
    leftOut: minutes.reduce((sum, part) => sum + part.leftOut, leftOut + before.leftOut),
  }
}
