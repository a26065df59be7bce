// Whether what services sent has come in: what a collector loses, or takes along when it dies, is missed by nobody else.
import type { Store } from './connect.ts'
import type { TimeRange } from './windows.ts'

/** A collector says every five seconds that it lives; after so long without a word it has died, or was stopped. */
const silentMs = 20_000

/**
 * Whether collectors lived through the range, each to its end that was there in it, and lost or refused no more than this share of
 * the spans that they received.
 */
export async function wasReceived(
  store: Store,
  { fromMs, toMs }: TimeRange,
  { lostShareMax }: { lostShareMax: number },
): Promise<boolean> {
  const answer = await store.clickhouse.query({
    query: `
      SELECT
        (
          SELECT (count(), min(First), max(LongestMs)) FROM (
            SELECT Collector, toUnixTimestamp64Milli(min(At)) AS First,
              arraySort(groupUniqArray(toUnixTimestamp64Milli(At))) AS Beats,
              arrayMax(arrayDifference(arrayPushBack(Beats, {to:Int64}))) AS LongestMs
            FROM collector_heartbeats
            WHERE At >= fromUnixTimestamp64Milli({from:Int64}) AND At < fromUnixTimestamp64Milli({to:Int64})
            GROUP BY Collector
          )
        ) AS beats,
        beats.1 AS collectors, beats.2 AS firstMs, beats.3 AS longestMs,
        (
          SELECT (sumIf(Records, Outcome = 'received'), sumIf(Records, Outcome IN ('lost', 'rejected'))) FROM collector_ledger FINAL
          WHERE Time >= fromUnixTimestamp64Milli({from:Int64}) AND Time < fromUnixTimestamp64Milli({to:Int64}) AND Signal = 'traces'
        ) AS records,
        records.1 AS received, records.2 AS lost`,
    query_params: { from: fromMs, to: toMs },
    format: 'JSONEachRow',
  })
  const [row] = await answer.json<{
    collectors: number
    firstMs: number
    longestMs: number
    received: number
    lost: number
  }>()
  if (row === undefined || row.collectors === 0) return false
  const lived = row.firstMs <= fromMs + silentMs && row.longestMs <= silentMs
  return lived && row.lost <= row.received * lostShareMax
}
