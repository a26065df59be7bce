// Answers what a number of an incident rests on: the series over time, expected against seen, by the same arithmetic.
import {
  readIncidentRanges,
  readSeries,
  type SeriesCounts,
  type SeriesRead,
  type Store,
  type TimeRange,
} from '@headwater/store'
import {
  bucketMiddle,
  bucketOf,
  countAbove,
  type Histogram,
  parseService,
  quantileBucket,
  quantileNs,
  type Series,
  type SeriesQuestion,
  type SeriesSignal,
  type SeriesWindow,
} from '@headwater/vocabulary'

const minuteMs = 60_000
/** Ten-second windows are kept for an hour; a bit less is sure to be whole. */
const tensKeptMs = 55 * minuteMs
/** So much before the time that is judged is shown, where the baseline reaches so far … */
const shownBeforeMs = 30 * minuteMs
/** … and less where ten-second windows reach no further; but not less than this. */
const shownFinelyMs = 10 * minuteMs
/** Windows that are shown at most. */
const windowsMax = 400
/** What comes just before an incident's onset is not normal either. */
const beforeIncidentMs = 10_000

/** Which times are read, whole windows of the store: ten seconds where they are kept, minutes before. */
export interface SeriesTimes extends Pick<SeriesQuestion, 'fromMs' | 'toMs' | 'baselineFromMs' | 'baselineToMs'> {
  displayFromMs: number
  tensFromMs: number
  stepS: number
}

/** Widens the time that is judged, and narrows the one that is normal, to whole windows. */
export function timesOf(asked: SeriesQuestion, nowMs: number): SeriesTimes {
  const tensFromMs = Math.ceil((nowMs - tensKeptMs) / minuteMs) * minuteMs
  const stepAt = (ms: number): number => (ms >= tensFromMs ? 10_000 : minuteMs)
  const down = (ms: number): number => Math.floor(ms / stepAt(ms)) * stepAt(ms)
  const up = (ms: number): number => Math.ceil(ms / stepAt(ms)) * stepAt(ms)
  const [fromMs, toMs] = [down(asked.fromMs), up(asked.toMs)]
  const [baselineFromMs, baselineToMs] = [up(asked.baselineFromMs), down(asked.baselineToMs)]
  const shownMs = Math.max(shownBeforeMs, 4 * (toMs - fromMs))
  const canBeFine = tensFromMs <= fromMs - shownFinelyMs && toMs - fromMs < tensKeptMs
  const earliestMs = Math.max(baselineFromMs, down(fromMs - shownMs), canBeFine ? tensFromMs : 0)
  const displayFromMs = Math.min(fromMs, earliestMs)
  const finestS = displayFromMs >= tensFromMs ? 10 : 60
  const stepS = finestS * Math.ceil((toMs - displayFromMs) / (finestS * 1_000 * windowsMax))
  return { fromMs, toMs, baselineFromMs, baselineToMs, displayFromMs, tensFromMs, stepS }
}

/** Reads and tells a series. */
export async function tellSeries(store: Store, asked: SeriesQuestion, nowMs: number): Promise<Series> {
  const times = timesOf(asked, nowMs)
  const incidents = await readIncidentRanges(store, times.baselineFromMs, nowMs)
  const excluded = incidents
    .map((range) => ({ fromMs: range.fromMs - beforeIncidentMs, toMs: range.toMs }))
    .filter(({ fromMs, toMs }) => fromMs < times.baselineToMs && toMs > times.baselineFromMs)
  const read = await readSeries(store, { ...asked, ...times, excluded })
  return seriesOf(asked, times, read, excluded)
}

/** A series from what was read of it. */
export function seriesOf(
  { service, operation, caller, callerOperation, signal, slowNs }: SeriesQuestion,
  { fromMs, toMs, baselineFromMs, baselineToMs, stepS }: SeriesTimes,
  { now, before, windows, beforeMs }: SeriesRead,
  excluded: readonly TimeRange[],
): Series {
  const slowBucket = slowNs === undefined ? undefined : bucketOf(slowNs)
  const expectedIn = (ms: number): number | null => {
    if (signal === 'silence') return beforeMs === 0 ? null : (before.calls / beforeMs) * ms
    if (before.calls === 0) return null
    return isTime(signal) ? middleOf(before.times) : before.bad / before.calls
  }
  return {
    service: parseService(service).name,
    operation: operation === '' ? null : operation,
    caller: caller === undefined ? null : parseService(caller).name,
    callerOperation: callerOperation ?? null,
    signal,
    unit: signal === 'silence' ? 'calls' : isTime(signal) ? 'ns' : 'share',
    from: iso(fromMs),
    to: iso(toMs),
    baselineFrom: iso(baselineFromMs),
    baselineTo: iso(baselineToMs),
    expected: expectedIn(toMs - fromMs),
    seen: seenOf(signal, now, slowBucket),
    calls: now.calls,
    baselineCalls: before.calls,
    excluded: excluded.map((range) => ({ from: iso(range.fromMs), to: iso(range.toMs) })),
    windowS: stepS,
    windows: windows.map(({ atMs, ...counts }): SeriesWindow => {
      const { calls, times } = counts
      const quantile = (q: number): number | null => quantileNs(times, q) ?? null
      return {
        at: iso(atMs),
        calls,
        bad: isTime(signal) && slowBucket !== undefined ? countAbove(times, slowBucket) : counts.bad,
        seen: (isTime(signal) ? quantile(0.5) : seenOf(signal, counts, undefined)) ?? 0,
        expected: expectedIn(Math.min(stepS * 1_000, Math.max(0, toMs - atMs))),
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
      }
    }),
  }
}

/** What was seen, as the analyzer tells it: the share that failed; of times, the median of slow calls; of silence, the calls. */
function seenOf(
  signal: SeriesSignal,
  { calls, bad, times }: SeriesCounts,
  slowBucket: number | undefined,
): number | null {
  if (signal === 'silence') return calls
  if (calls === 0) return null
  if (!isTime(signal)) return bad / calls
  const slow =
    slowBucket === undefined || countAbove(times, slowBucket) === 0
      ? times
      : Object.fromEntries(Object.entries(times).filter(([bucket]) => Number(bucket) > slowBucket))
  return middleOf(slow)
}

function middleOf(times: Histogram): number | null {
  const bucket = quantileBucket(times, 0.5)
  return bucket === undefined ? null : bucketMiddle(bucket)
}

function isTime(signal: SeriesSignal): boolean {
  switch (signal) {
    case 'latency':
    case 'self-time':
    case 'wire-time':
      return true
    case 'errors':
    case 'origin-errors':
    case 'unanswered':
    case 'silence':
      return false
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
