// How many of the runs that went wrong would have gone well without a suspect, by playing each of them again. It is evidence beside the
// ranking, and rests on nothing that the ranking rests on but what is taken off.
import type { BadRun, UsualEntry } from '@headwater/store'
import { type Replay, withInterval } from '@headwater/vocabulary'
import type { Suspect } from './cause.ts'
import { parameters } from './parameters.ts'
import { operationKey, type Picture } from './picture.ts'
import { type PlacedCall, type PlacedRun, placeCalls } from './placed-run.ts'
import { relievingOf, usualNsMaxOf } from './relief.ts'
import { replay, type RunOutcome } from './replay.ts'

/**
 * Plays runs again without each of the suspects by itself, in the order of the suspects. Undefined where the runs' calls do not tell: too
 * many runs lack some, stand for others that were not kept, or pass no place where something was found.
 */
export function mendedRuns(
  suspects: readonly Pick<Suspect, 'findings'>[],
  runs: readonly BadRun[],
  {
    known,
    usualEntries,
  }: { known: Picture; usualEntries: readonly Pick<UsualEntry, 'service' | 'operation' | 'slowNs'>[] },
): (Replay | undefined)[] {
  const slowNs = new Map(usualEntries.map((entry) => [operationKey(entry.service, entry.operation), entry.slowNs]))
  const isBad = ({ top: { call } }: PlacedRun, { failed, durationNs }: RunOutcome): boolean => {
    const limitNs = slowNs.get(operationKey(call.service, call.operation)) ?? 0
    return failed || (limitNs > 0 && durationNs > limitNs)
  }
  const placed = runs.map(({ weight, calls }) => (weight === 1 ? placeCalls(calls) : undefined))
  const whole = placed.filter((run) => run !== undefined)
  // Some have turned out well since.
  const bad = whole.filter((run) => isBad(run, outcomeOf(run)))
  const { runsMin, wholeShareMin } = parameters.replay
  if (bad.length < runsMin || whole.length < runs.length * wholeShareMin) return suspects.map(() => undefined)
  const usualNsMax = usualNsMaxOf(known)
  return suspects.map((suspect) => {
    const relieving = relievingOf(suspect, known)
    if (relieving === undefined) return undefined
    const { reliefOf, concerns } = relieving
    if (!bad.some((run) => callsOf(run).some(({ call }) => concerns(call)))) return undefined
    const mended = bad.filter((run) => !isBad(run, replay(run, reliefOf, usualNsMax))).length
    return { runs: bad.length, mended, ...withInterval(mended, bad.length) }
  })
}

/** How it went. */
function outcomeOf({ top, consumers }: PlacedRun): RunOutcome {
  return { failed: [top, ...consumers].some(({ call }) => call.failed), durationNs: top.call.durationNs }
}

function callsOf({ top, consumers }: PlacedRun): PlacedCall[] {
  const all = [top, ...consumers]
  for (const { calls } of all) all.push(...calls)
  return all
}
