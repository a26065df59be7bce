// What went wrong in some time of the past, against another time as normal. Scored in bench/eval, and offered to users by
// explain-past.ts.
import { countWindows, minutesOf, readLogPatterns, readStates, type Store, type TimeRange } from '@headwater/store'
import { blame } from './blame.ts'
import { readCommonSlowdown } from './common-slowdown.ts'
import { confidenceOf } from './confidence.ts'
import { detect } from './detect.ts'
import { explain, readOnsetWindows, type Told } from './explain.ts'
import { parameters } from './parameters.ts'
import { type Picture, pictureOf } from './picture.ts'

export type RangeExplanation =
  /** How sure it is that the first cause is right, 0 to 1. */
  | ({ state: 'explained'; told: Told; confidence: number } & Compared)
  /** Nothing departs from normal. */
  | ({ state: 'normal' } & Compared)
  /** No operation was called often enough, now and before, to tell. */
  | ({ state: 'not-enough-data' } & Compared)

/** What was compared with what. */
interface Compared {
  operations: number
  calls: number
  /** Operations that were called often enough, in both times. */
  comparable: number
  baselineCalls: number
  /** Minutes of the baseline with any call. */
  baselineMinutes: number
  /** Series that were too many to look at: the busiest are. */
  seriesLeftOut: number
  /** Calls of both times, and of about how many nobody has looked at what they logged, because they were too many. */
  logged: { calls: number; leftOut: number }
}

/** Explains whole minutes by whole minutes. All that departs from normal in the time asked for is one matter. */
export async function explainRange(
  store: Store,
  { recent, baseline, excluded = [] }: { recent: TimeRange; baseline: TimeRange; excluded?: TimeRange[] },
): Promise<RangeExplanation> {
  const normal = { ...baseline, excluded: [...excluded, recent] }
  const [now, before, { minutes }, slowdown, logs] = await Promise.all([
    readStates(store, minutesOf(recent)),
    readStates(store, minutesOf(normal)),
    countWindows(store, minutesOf(normal)),
    readCommonSlowdown(store, { recent: minutesOf(recent), baseline: minutesOf(normal) }),
    readLogPatterns(store, { recent, usual: { ...normal, windowMs: parameters.blame.logs.windowMs } }),
  ])
  const known = pictureOf(before.states)
  const picture = pictureOf(now.states)
  const suspects = blame(picture, known, { logs, slowdown })
  const findings = detect({
    recent: picture,
    baseline: known,
    recentMs: recent.toMs - recent.fromMs,
    baselineMs: minutes * 60_000,
    collectorWasAlive: false,
    slowdown,
  })
  const compared = {
    ...compare(picture, known, minutes),
    seriesLeftOut: now.leftOut + before.leftOut,
    logged: { calls: logs.calls, leftOut: logs.callsLeftOut },
  }
  if (findings.length === 0 && suspects.length === 0) {
    return { state: compared.comparable > 0 ? 'normal' : 'not-enough-data', ...compared }
  }
  const services = [...new Set(findings.flatMap(({ service, caller = service }) => [service, caller]))]
  const group = { services, findings }
  const { windows } = await readOnsetWindows(store, group, recent.toMs)
  const { leftOut, ...told } = await explain(store, {
    group,
    known,
    normal: minutesOf(normal),
    windows,
    suspects,
    untilMs: recent.toMs,
    compared: { recent, baseline },
    knownSinceMs: recent.fromMs,
  })
  return {
    state: 'explained',
    told,
    confidence: confidenceOf(suspects),
    ...compared,
    seriesLeftOut: compared.seriesLeftOut + leftOut,
  }
}

function compare(recent: Picture, known: Picture, baselineMinutes: number): Omit<Compared, 'seriesLeftOut' | 'logged'> {
  const { callsMin, baselineCallsMin } = parameters.blame
  const comparable = [...recent.operations].filter(
    ([key, { calls }]) => calls >= callsMin && (known.operations.get(key)?.calls ?? 0) >= baselineCallsMin,
  )
  return {
    operations: recent.operations.size,
    calls: callsIn(recent),
    comparable: comparable.length,
    baselineCalls: callsIn(known),
    baselineMinutes,
  }
}

function callsIn({ operations }: Picture): number {
  return [...operations.values()].reduce((sum, { calls }) => sum + calls, 0)
}
