// Which windows of which table are added up. States of minutes are the sums of those of ten seconds, so where nothing cuts a
// minute it is read instead of its six windows.
import { TupleParam } from '@clickhouse/client'
import type { Store } from './connect.ts'

export interface TimeRange {
  fromMs: number
  toMs: number
}

/** Whole windows within a range, without those that touch an excluded one. */
export type WindowRange = TimeRange & { excluded?: TimeRange[] }

/** Whole windows, as ranges in seconds that do not overlap, also not across the two tables. */
export interface Windows {
  minutes: SecondRange[]
  tenSeconds: SecondRange[]
}

type SecondRange = readonly [fromS: number, toS: number]

const tables = { minutes: 'chain_health_metrics', tenSeconds: 'chain_health_metrics_10s' } as const

/** Whole minutes, for as long as facts are kept. */
export function minutesOf(range: WindowRange): Windows {
  return { minutes: wholeWindows(range, 60), tenSeconds: [] }
}

/** Windows of ten seconds within the last hour; as minutes where all six are wanted. */
export function tenSecondsOf(range: WindowRange): Windows {
  const wanted = wholeWindows(range, 10)
  const minutes = wanted.flatMap(([fromS, toS]): SecondRange[] => {
    const [firstS, endS] = [Math.ceil(fromS / 60) * 60, Math.floor(toS / 60) * 60]
    return firstS < endS ? [[firstS, endS]] : []
  })
  const tenSeconds = wanted.flatMap(([fromS, toS]): SecondRange[] => {
    const [firstS, endS] = [Math.ceil(fromS / 60) * 60, Math.floor(toS / 60) * 60]
    const edges: SecondRange[] =
      firstS < endS
        ? [
            [fromS, firstS],
            [endS, toS],
          ]
        : [[fromS, toS]]
    return edges.filter(([edgeS, edgeEndS]) => edgeS < edgeEndS)
  })
  return { minutes, tenSeconds }
}

/** The same as {@link tenSecondsOf}, each window by itself. */
export function everyTenSecondsOf(range: WindowRange): Windows {
  return { minutes: [], tenSeconds: wholeWindows(range, 10) }
}

/** The windows of both; they must not overlap. */
export function bothWindows(some: Windows, others: Windows): Windows {
  return {
    minutes: [...some.minutes, ...others.minutes],
    tenSeconds: [...some.tenSeconds, ...others.tenSeconds],
  }
}

function wholeWindows({ fromMs, toMs, excluded = [] }: WindowRange, windowS: number): SecondRange[] {
  const align = (second: number, round: (value: number) => number): number => round(second / windowS) * windowS
  const endS = align(Math.floor(toMs / 1_000), Math.floor)
  const holes = excluded
    .map((hole) => [align(hole.fromMs / 1_000, Math.floor), align(hole.toMs / 1_000, Math.ceil)] as const)
    .filter(([holeS, holeEndS]) => holeS < holeEndS)
    .toSorted(([a], [b]) => a - b)
  const ranges: SecondRange[] = []
  let fromS = align(Math.floor(fromMs / 1_000), Math.ceil)
  for (const [holeS, holeEndS] of holes) {
    if (fromS < Math.min(holeS, endS)) ranges.push([fromS, Math.min(holeS, endS)])
    fromS = Math.max(fromS, holeEndS)
  }
  if (fromS < endS) ranges.push([fromS, endS])
  return ranges
}

/**
 * A subquery of the rows of the windows bound under that name that meet a condition. It stands within, where histograms of other
 * rows need not be read for it.
 */
export function statesIn(name: string, condition = '1'): string {
  const partOf = (part: keyof Windows): string =>
    `SELECT * FROM ${tables[part]} WHERE ${inWindows(name, part)} AND (${condition})`
  return `(${partOf('minutes')} UNION ALL ${partOf('tenSeconds')})`
}

/** The rows of the windows `recent` and `baseline` that meet a condition, with `IsNow` to tell them apart. */
export function comparedRows(condition: string): string {
  return `(
    SELECT *, 1 AS IsNow FROM ${statesIn('recent', condition)}
    UNION ALL
    SELECT *, 0 AS IsNow FROM ${statesIn('baseline', condition)})`
}

/** The first and the last window let ClickHouse skip by its key. */
function inWindows(name: string, part: keyof Windows): string {
  const bound = `${name}_${part}`
  return `Window >= toDateTime({${bound}_from:UInt32}) AND Window < toDateTime({${bound}_to:UInt32})
    AND arrayExists(x -> toUnixTimestamp(Window) >= x.1 AND toUnixTimestamp(Window) < x.2, {${bound}:Array(Tuple(UInt32, UInt32))})`
}

/** The parameters of {@link statesIn}. */
export function bindWindows(name: string, windows: Windows): Record<string, unknown> {
  return Object.fromEntries(
    (['minutes', 'tenSeconds'] as const).flatMap((part) => {
      const ranges = windows[part]
      const bound = `${name}_${part}`
      return [
        [bound, ranges.map((range) => new TupleParam(range))],
        [`${bound}_from`, ranges.reduce((least, [fromS]) => Math.min(least, fromS), ranges[0]?.[0] ?? 0)],
        [`${bound}_to`, ranges.reduce((most, [, toS]) => Math.max(most, toS), 0)],
      ]
    }),
  )
}

/** How many of the windows have any call: minutes where they are read as such, else ten seconds. */
export async function countWindows(store: Store, windows: Windows): Promise<{ minutes: number; tenSeconds: number }> {
  const answer = await store.clickhouse.query({
    query: `SELECT
              (SELECT count() FROM (SELECT DISTINCT Window FROM ${tables.minutes} WHERE ${inWindows('windows', 'minutes')})) AS minutes,
              (SELECT count() FROM (SELECT DISTINCT Window FROM ${tables.tenSeconds} WHERE ${inWindows('windows', 'tenSeconds')})) AS tenSeconds`,
    query_params: bindWindows('windows', windows),
    format: 'JSONEachRow',
  })
  const [row] = await answer.json<{ minutes: number; tenSeconds: number }>()
  return row ?? { minutes: 0, tenSeconds: 0 }
}

/** How many calls there are over some windows, messages sent included. */
export async function countCallsIn(store: Store, windows: Windows): Promise<number> {
  const answer = await store.clickhouse.query({
    query: `SELECT sum(Calls) AS calls FROM ${statesIn('windows')}`,
    query_params: bindWindows('windows', windows),
    format: 'JSONEachRow',
  })
  const [row] = await answer.json<{ calls: number }>()
  return row?.calls ?? 0
}

/** Answered calls over some windows, by the canonical key of their service. */
export async function countCallsByService(store: Store, windows: Windows): Promise<Map<string, number>> {
  const answer = await store.clickhouse.query({
    query: `SELECT Service AS service, sum(Calls) AS calls FROM ${statesIn('windows', "Kind NOT IN ('peer', 'publish')")} GROUP BY service`,
    query_params: bindWindows('windows', windows),
    format: 'JSONEachRow',
  })
  const rows = await answer.json<{ service: string; calls: number }>()
  return new Map(rows.map(({ service, calls }) => [service, calls]))
}

/** The latest of some windows, up to so much time, as ranges. */
export function latestOf({ minutes, tenSeconds }: Windows, mostMs: number): TimeRange[] {
  let leftMs = mostMs
  return [...minutes, ...tenSeconds]
    .toSorted(([, a], [, b]) => b - a)
    .flatMap(([fromS, toS]) => {
      const takenMs = Math.min(leftMs, (toS - fromS) * 1_000)
      leftMs -= takenMs
      return takenMs > 0 ? [{ fromMs: toS * 1_000 - takenMs, toMs: toS * 1_000 }] : []
    })
}
