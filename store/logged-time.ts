// A time of which it is asked what was logged: how much of it is looked at, in ClickHouse's words.
import { TupleParam } from '@clickhouse/client'
import type { Store } from './connect.ts'
import { countCallsByService, minutesOf, type TimeRange } from './windows.ts'

export interface LoggedTime extends TimeRange {
  windowMs: number
  excluded: TimeRange[]
  /** What of it is looked at. */
  stretches: TimeRange[]
  /** Answered calls by the canonical key of their service, over all of it. */
  calls: Map<string, number>
}

/** Stretches are at most so long. */
const stretchMaxMs = 5 * 60_000

/** Whoever looks at usual windows takes the median of at least so many. */
const windowsMin = 5

/** Of a time with more calls than so many only some stretches, evenly spread. */
export async function readLoggedTime(
  store: Store,
  { fromMs, toMs, windowMs, excluded }: Omit<LoggedTime, 'stretches' | 'calls'>,
  { callsMax }: { callsMax: number },
): Promise<LoggedTime> {
  const calls = await countCallsByService(store, minutesOf({ fromMs, toMs, excluded }))
  const time = { fromMs, toMs, windowMs, excluded, calls, stretches: [{ fromMs, toMs }] }
  return narrowed(time, { callsMax, stretchesMin: windowsMin })
}

/** The same time, of which no more calls than about so many are looked at, in at least so many stretches. */
export function narrowed(
  time: LoggedTime,
  { callsMax, stretchesMin }: { callsMax: number; stretchesMin: number },
): LoggedTime {
  const share = callsMax / Math.max(1, sumOf(time.calls.values()))
  return { ...time, stretches: spreadStretches(time, { share, stretchesMin }) }
}

/** The share of a time that is looked at. */
export function shareOf({ fromMs, toMs, stretches }: LoggedTime): number {
  return sumOf(stretches.map((stretch) => stretch.toMs - stretch.fromMs)) / (toMs - fromMs)
}

/** Spans and log records of the time. Written as comparisons, by which the tables' keys tell where to look. */
export function isWithin({ stretches }: LoggedTime): string {
  const isWanted = stretches
    .map(
      ({ fromMs, toMs }) =>
        `Timestamp >= fromUnixTimestamp64Milli(${fromMs}) AND Timestamp < fromUnixTimestamp64Milli(${toMs})`,
    )
    .join(' OR ')
  return `(${isWanted})
    AND NOT arrayExists(x -> toUnixTimestamp64Milli(Timestamp) >= x.1 AND toUnixTimestamp64Milli(Timestamp) < x.2, {excluded:Array(Tuple(Int64, Int64))})`
}

/** The parameters of `isWithin`. */
export function bindLoggedTime({ excluded }: LoggedTime): Record<string, unknown> {
  return { excluded: excluded.map(({ fromMs, toMs }) => new TupleParam([fromMs, toMs])) }
}

/**
 * Of a time as large a share, in stretches that are evenly spread over it and each within one of its windows. They are whole
 * minutes, so that what is done once a minute is found in each.
 */
export function spreadStretches(
  { fromMs, toMs, windowMs }: TimeRange & { windowMs: number },
  { share, stretchesMin }: { share: number; stretchesMin: number },
): TimeRange[] {
  if (share >= 1) return [{ fromMs, toMs }]
  const cellMs = Math.min(windowMs, stretchMaxMs)
  const cells = Math.max(1, Math.ceil((toMs - fromMs) / cellMs))
  const wanted = Math.min(cells, Math.max(stretchesMin, Math.floor(cells * share)))
  const minutes = Math.max(1, Math.ceil((cellMs * share * cells) / wanted / 60_000))
  const lengthMs = Math.min(cellMs, minutes * 60_000)
  return Array.from({ length: wanted }, (_, at) => {
    const beginMs = fromMs + Math.floor(((at + 0.5) * cells) / wanted) * cellMs
    return { fromMs: beginMs, toMs: Math.min(toMs, beginMs + lengthMs) }
  })
}

function sumOf(numbers: Iterable<number>): number {
  return [...numbers].reduce((sum, n) => sum + n, 0)
}
