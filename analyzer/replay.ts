// Counterfactual replay: what would have become of a run without what one cause did to it. The run's own calls say who waited for
// whom, so nothing is fitted: trouble is taken off the calls that show it, and the rest of the run follows.
//
// Time follows what was waited for. An operation is its own work and its calls; calls that go on side by side count as long as the longest
// of them, and one that began when another had ended is taken to have waited for it. A failure is gone with the last of those that it
// came from.
import type { RunCall } from '@headwater/store'
import { type PlacedCall, type PlacedRun, wholeOf } from './placed-run.ts'

/** What is taken off a call. */
export interface Relief {
  /** An error that began there. */
  error: boolean
  selfNs: number
  wireNs: number
  /** Of a callee without spans there is only how long it was waited for. */
  waitNs: number
}

/** Nothing is taken off. */
export const noRelief: Relief = { error: false, selfNs: 0, wireNs: 0, waitNs: 0 }

/** How a run goes: whether its entry or a consumer fails, and how long the entry takes. */
export interface RunOutcome {
  failed: boolean
  durationNs: number
}

/**
 * Callees have clocks of their own, tell their ends in whole milliseconds, and end late where they lack processor time. Calls that
 * overlap by less than this, or by less than this part of the shorter one, came one after the other.
 */
const overlap = { ns: 1e6, share: 0.25 }

/**
 * How a run would have gone. `reliefOf` says what is taken off a call; `usualNsMax` how long a call usually takes at most: a caller
 * that gave up on a longer one would have waited for one that takes no longer than this.
 */
export function replay(
  run: PlacedRun,
  reliefOf: (call: RunCall) => Relief,
  usualNsMax: (call: RunCall) => number | undefined = () => undefined,
): RunOutcome {
  const again = (placed: PlacedCall): Again => {
    const { call } = placed
    const relief = reliefOf(call)
    const calls = placed.calls.map((below) => ({ ...below, again: again(below) }))
    const durationNs = durationOf(placed, calls, relief)
    const wholeNs = durationNs + Math.max(0, wholeOf(call) - call.durationNs - relief.wireNs)
    return {
      durationNs,
      waitedNs: Math.min(placed.toNs - placed.fromNs, wholeNs),
      failed: failsAgain(call, calls, relief),
      isGivenUp: isGivenUp(call) && !comesInTime(call, wholeNs, usualNsMax(call)),
    }
  }
  const top = again(run.top)
  return { failed: top.failed || run.consumers.some((consumer) => again(consumer).failed), durationNs: top.durationNs }
}

/** A call when the run is played again. */
interface Again {
  durationNs: number
  /** How long its caller waits for it. */
  waitedNs: number
  failed: boolean
  isGivenUp: boolean
}

type Replayed = PlacedCall & { again: Again }

/** The caller took it for failed, though it did not fail. */
function isGivenUp({ kind, clientFailed, failed }: RunCall): boolean {
  return kind === 'sync' && clientFailed && !failed
}

/** Whether it was late, as long as the caller waited at least, and is no more. */
function comesInTime({ wireNs, durationNs }: RunCall, wholeNs: number, usualNs: number | undefined): boolean {
  return usualNs !== undefined && wireNs === 0 && durationNs > usualNs && wholeNs <= usualNs
}

function failsAgain(call: RunCall, calls: readonly Replayed[], relief: Relief): boolean {
  if (!call.failed) return false
  const isPassedUp = calls.some((below) => below.call.failed || isGivenUp(below.call))
  // Nobody knows what it failed by.
  if (!call.originError && !isPassedUp) return true
  return (call.originError && !relief.error) || calls.some(({ again }) => again.failed || again.isGivenUp)
}

function durationOf({ call }: PlacedCall, calls: readonly Replayed[], relief: Relief): number {
  if (call.kind === 'peer' || call.kind === 'publish') return Math.max(0, call.durationNs - relief.waitNs)
  let [waitedBefore, waitedNs] = [0, 0]
  for (const together of overlapping(calls)) {
    waitedBefore += endOf(together) - (together[0]?.fromNs ?? 0)
    waitedNs += waitFor(together)
  }
  const ownNs = Math.max(0, call.durationNs - waitedBefore)
  // Own work that goes on beside other work takes no time of its own.
  const offNs = Math.min(relief.selfNs, call.selfNs) * (call.selfNs === 0 ? 0 : Math.min(1, ownNs / call.selfNs))
  return ownNs - offNs + waitedNs
}

/** Groups calls, given by their beginnings, of which each overlaps another one of its group. */
function overlapping(calls: readonly Replayed[]): Replayed[][] {
  const groups: Replayed[][] = []
  let untilNs = Number.NEGATIVE_INFINITY
  for (const call of calls) {
    if (call.fromNs > untilNs) groups.push([call])
    else groups.at(-1)?.push(call)
    untilNs = Math.max(untilNs, call.toNs)
  }
  return groups
}

function endOf(calls: readonly PlacedCall[]): number {
  return calls.reduce((latest, { toNs }) => Math.max(latest, toNs), Number.NEGATIVE_INFINITY)
}

/** How long calls that overlap take: each begins as long after those that had ended before it as it did, else when it did. */
function waitFor(calls: readonly Replayed[]): number {
  const beginNs = calls[0]?.fromNs ?? 0
  const done: { call: Replayed; startsNs: number }[] = []
  for (const call of calls) {
    let [ended, ends] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const { call: before, startsNs } of done) {
      if (!cameBefore(before, call)) continue
      // What ended late by its own clock had ended for its caller.
      const lastedNs = Math.min(before.toNs, call.fromNs) - before.fromNs
      ended = Math.max(ended, before.fromNs + lastedNs)
      ends = Math.max(ends, startsNs + Math.min(before.again.waitedNs, lastedNs))
    }
    const startsNs = ended === Number.NEGATIVE_INFINITY ? call.fromNs - beginNs : ends + call.fromNs - ended
    done.push({ call, startsNs })
  }
  return done.reduce((latest, { call, startsNs }) => Math.max(latest, startsNs + call.again.waitedNs), 0)
}

function cameBefore(before: PlacedCall, call: PlacedCall): boolean {
  const bothNs = Math.min(before.toNs, call.toNs) - call.fromNs
  const shorterNs = Math.min(before.toNs - before.fromNs, call.toNs - call.fromNs)
  return bothNs <= Math.max(overlap.ns, overlap.share * shorterNs)
}
