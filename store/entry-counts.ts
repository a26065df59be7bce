// Calls of entries over days: of few operations, of which some sums per slot of time say enough.
import { TupleParam } from '@clickhouse/client'
import type { Store } from './connect.ts'
import type { TimeRange } from './windows.ts'

/** An operation that is called from outside. */
export interface EntryOperation {
  service: string
  operation: string
}

/** Calls of an entry within a slot of time. */
export interface EntryCounts extends EntryOperation {
  slotMs: number
  calls: number
  errors: number
  /** The sum of the buckets of their durations: by calls it is their mean on the histogram's logarithmic scale. */
  buckets: number
}

/** The busiest entries by their calls in the given minutes, how many there are, and since when anything is known, from `pastFromMs` on; `null` for never. */
export async function readBusiestEntries(
  store: Store,
  { minutesMs, most, pastFromMs }: { minutesMs: readonly number[]; most: number; pastFromMs: number },
): Promise<{ entries: (EntryOperation & { calls: number })[]; all: number; firstMs: number | null }> {
  const [busiest, known] = await Promise.all([
    store.clickhouse.query({
      query: `
        SELECT Service AS service, Operation AS operation, sum(Calls) AS calls FROM chain_health_metrics
        WHERE Kind = 'entry' AND Window IN {minutes:Array(DateTime)}
        GROUP BY service, operation ORDER BY calls DESC, service, operation LIMIT {most:UInt32}`,
      query_params: { minutes: minutesMs.map((ms) => Math.floor(ms / 1_000)), most },
      format: 'JSON',
    }),
    store.clickhouse.query({
      query: `SELECT toUnixTimestamp(min(Window)) AS firstS, count() AS windows FROM chain_health_metrics
        WHERE Window >= toDateTime({pastFrom:UInt32})`,
      query_params: { pastFrom: Math.floor(pastFromMs / 1_000) },
      format: 'JSONEachRow',
    }),
  ])
  const { data, rows_before_limit_at_least: all = data.length } = await busiest.json<
    EntryOperation & { calls: number }
  >()
  const [first] = await known.json<{ firstS: number; windows: number }>()
  return {
    entries: data,
    all,
    firstMs: first === undefined || first.windows === 0 ? null : first.firstS * 1_000,
  }
}

/** Calls of the given entries in each slot from the beginning of the range on; a slot without calls of one has no row of it. */
export async function readEntryCounts(
  store: Store,
  { fromMs, toMs, slotMs, entries }: TimeRange & { slotMs: number; entries: readonly EntryOperation[] },
): Promise<EntryCounts[]> {
  if (entries.length === 0) return []
  const answer = await store.clickhouse.query({
    query: `
      SELECT {from:UInt32} + intDiv(toUnixTimestamp(Window) - {from:UInt32}, {slot:UInt32}) * {slot:UInt32} AS slotS,
        Service AS service, Operation AS operation, sum(Calls) AS calls, sum(Errors) AS errors,
        sum(arraySum((k, v) -> k * v, mapKeys(Duration), mapValues(Duration))) AS buckets
      FROM chain_health_metrics
      WHERE Window >= toDateTime({from:UInt32}) AND Window < toDateTime({to:UInt32}) AND Kind = 'entry'
        AND Service IN {services:Array(String)} AND (Service, Operation) IN {entries:Array(Tuple(String, String))}
      GROUP BY slotS, service, operation ORDER BY slotS`,
    query_params: {
      from: fromMs / 1_000,
      to: toMs / 1_000,
      slot: slotMs / 1_000,
      services: [...new Set(entries.map(({ service }) => service))],
      entries: entries.map(({ service, operation }) => new TupleParam([service, operation])),
    },
    format: 'JSONEachRow',
  })
  const rows = await answer.json<Omit<EntryCounts, 'slotMs'> & { slotS: number }>()
  return rows.map(({ slotS, ...counts }) => ({ ...counts, slotMs: slotS * 1_000 }))
}
