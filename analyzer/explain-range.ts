// What went wrong in some time of the past, against another time as normal: the question behind `explain --from --to`.
import { countMinutes, readLogPatterns, readMinuteStates, type Store, type TimeRange } from '@headwater/store'
import { blame } from './blame.ts'
import { detect } from './detect.ts'
import { explain, readOnsetWindows, type Told } from './explain.ts'
import { pictureOf } from './picture.ts'

export interface RangeExplanation {
  /** `undefined` when nothing departs from normal. */
  told: Told | undefined
}

/** Explains whole minutes by whole minutes. All that departs from normal in the time asked for is one matter. */
export async function explainRange(
  store: Store,
  { recent, baseline, excluded = [] }: { recent: TimeRange; baseline: TimeRange; excluded?: TimeRange[] },
): Promise<RangeExplanation> {
  const normal = { ...baseline, excluded: [...excluded, recent] }
  const [now, before, minutes, recentLogs, usualLogs] = await Promise.all([
    readMinuteStates(store, recent),
    readMinuteStates(store, normal),
    countMinutes(store, normal),
    readLogPatterns(store, recent),
    readLogPatterns(store, normal),
  ])
  const known = pictureOf(before)
  const picture = pictureOf(now)
  const suspects = blame(picture, known, { recent: recentLogs, usual: usualLogs })
  const findings = detect({
    recent: picture,
    baseline: known,
    recentMs: recent.toMs - recent.fromMs,
    baselineMs: minutes * 60_000,
    collectorWasAlive: false,
  })
  if (findings.length === 0 && suspects.length === 0) return { told: undefined }
  const services = [...new Set(findings.flatMap(({ service, caller = service }) => [service, caller]))]
  const group = { services, findings }
  const windows = await readOnsetWindows(store, group, recent.toMs)
  return {
    told: await explain(store, { group, known, windows, suspects, untilMs: recent.toMs, knownSinceMs: recent.fromMs }),
  }
}
