// What went wrong in some time of the past, against another time as normal: the question behind `explain --from --to`.
import { countMinutes, readMinuteStates, type Store, type TimeRange } from '@headwater/store'
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
  const [now, before, minutes] = await Promise.all([
    readMinuteStates(store, recent),
    readMinuteStates(store, normal),
    countMinutes(store, normal),
  ])
  const known = pictureOf(before)
  const findings = detect({
    recent: pictureOf(now),
    baseline: known,
    recentMs: recent.toMs - recent.fromMs,
    baselineMs: minutes * 60_000,
    collectorWasAlive: false,
  })
  if (findings.length === 0) return { told: undefined }
  const services = [...new Set(findings.flatMap(({ service, caller = service }) => [service, caller]))]
  const group = { services, findings }
  const windows = await readOnsetWindows(store, group, recent.toMs)
  return {
    told: await explain(store, { group, known, windows, untilMs: recent.toMs, knownSinceMs: recent.fromMs }),
  }
}
