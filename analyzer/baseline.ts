// What counts as normal: the last hour, and where it knows little the day before it; never times of incidents.
import {
  bothWindows,
  countCallsIn,
  countWindows,
  everyTenSecondsOf,
  minutesOf,
  readIncidentRanges,
  type Store,
  tenSecondsOf,
  type TimeRange,
  type Windows,
} from '@headwater/store'
import { parameters } from './parameters.ts'

export interface Baseline {
  windows: Windows
  /** How much time it covers. */
  coversMs: number
  /** From its begin to its end, with what it leaves out. */
  range: TimeRange
}

/** What is normal for the time from `toMs` on, by what was known up to `atMs`. */
export async function baselineUntil(store: Store, { atMs, toMs }: { atMs: number; toMs: number }): Promise<Baseline> {
  const excluded = (await readIncidentRanges(store, atMs - parameters.longBaselineMs, atMs)).map((range) => ({
    fromMs: range.fromMs - parameters.gapMs,
    toMs: range.toMs,
  }))
  const fromMs = atMs - parameters.baselineMs
  const range = { fromMs, toMs: toMs - parameters.gapMs, excluded }
  const hour = tenSecondsOf(range)
  const [calls, { tenSeconds }] = await Promise.all([
    countCallsIn(store, hour),
    countWindows(store, everyTenSecondsOf(range)),
  ])
  if (calls >= parameters.baselineCallsMin) {
    return { windows: hour, coversMs: tenSeconds * 10_000, range: { fromMs, toMs: range.toMs } }
  }
  const dayFromMs = atMs - parameters.longBaselineMs
  const day = minutesOf({ fromMs: dayFromMs, toMs: fromMs, excluded })
  const { minutes } = await countWindows(store, day)
  return {
    windows: bothWindows(hour, day),
    coversMs: tenSeconds * 10_000 + minutes * 60_000,
    range: { fromMs: minutes === 0 ? fromMs : dayFromMs, toMs: range.toMs },
  }
}
