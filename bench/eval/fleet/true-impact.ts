import { median } from '../../median.ts'
import { flowOf, hasFailed, type Outcome } from './outcomes.ts'
import type { FleetEvent } from './record.ts'

/** How many of a flow's requests were hit, as users saw it. */
export interface TrueImpact {
  requests: number
  share: number
}

/** Half of what the faults that make slow add in the mean, so that a request is counted to what it is nearer to. */
const slowerMs = 350
/** A flow is hit when so many of its requests are; fewer happen to be slow on any day. */
const hitShareMin = 0.05

/** What a flow's requests usually take, the median. */
export function usualDurations(outcomes: readonly Outcome[], events: readonly FleetEvent[]): Map<string, number> {
  const usual = outcomes.filter(
    ({ sentAtMs }) => !events.some(({ fromMs, toMs }) => sentAtMs >= fromMs - 10_000 && sentAtMs < toMs + 15_000),
  )
  return new Map(
    [...Map.groupBy(usual, flowOf)].map(([flow, own]) => [flow, median(own.map(({ durationMs }) => durationMs))]),
  )
}

/**
 * By flow, the share of requests that a fault hit among those that ended between its begin and the given time. Faults that
 * make slow hit who waited longer, all others whom was failed: what happens to be slow beside an error is no effect of it.
 */
export function trueImpact(
  outcomes: readonly Outcome[],
  { kind, fromMs }: FleetEvent,
  { untilMs, usual }: { untilMs: number; usual: ReadonlyMap<string, number> },
): Map<string, TrueImpact> {
  const makesSlow = kind === 'latency' || kind === 'slow-dependency'
  const ended = outcomes.filter(({ sentAtMs, durationMs }) => {
    const endedMs = sentAtMs + durationMs
    return endedMs >= fromMs && endedMs < untilMs
  })
  return new Map(
    [...Map.groupBy(ended, flowOf)].map(([flow, own]) => {
      const hit = own.filter(
        (outcome) => hasFailed(outcome) || (makesSlow && outcome.durationMs > (usual.get(flow) ?? Infinity) + slowerMs),
      )
      return [flow, { requests: own.length, share: hit.length / own.length }]
    }),
  )
}

/**
 * Whether users see all that a fault does to a flow. A report is answered before the worker hashes and files it: when that fails,
 * the run has failed, and its user does not know.
 */
export function isSeenByUsers(flow: string, { kind, service, operation }: FleetEvent): boolean {
  const makesSlow = kind === 'latency' || kind === 'slow-dependency'
  const hitsHash = service === 'crypto' && (kind === 'crash' || operation === 'POST /hash')
  return makesSlow || !hitsHash || flow !== 'POST /report'
}

/** Told and true share of a flow. */
export interface ShareError {
  flow: string
  told: number
  true: number
}

/** Flows that were hit, or are told to be, each with both shares. Flows that users did not begin are left out. */
export function shareErrors(
  told: readonly { name: string; share: number }[],
  truth: ReadonlyMap<string, TrueImpact>,
  fault: FleetEvent,
): ShareError[] {
  return [...truth].flatMap(([flow, { share }]) => {
    const toldShare = told.find(({ name }) => name === flow)?.share ?? 0
    const counts = isSeenByUsers(flow, fault) && (share >= hitShareMin || toldShare > 0)
    return counts ? [{ flow, told: toldShare, true: share }] : []
  })
}
