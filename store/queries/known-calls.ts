import type { Store } from '../connect.ts'
import { watermarkMs } from '../ticks.ts'
import { askClickHouse, askPostgres } from './ask.ts'

/** What the analyzer has to judge by, now. */
export interface KnownCalls {
  /** All that arrived before this is settled; null before the first tick. */
  settledMs: number | null
  /** Operations that were called in the last hour. */
  operations: number
  /** Those of them that were called often enough before, and are called now. */
  comparable: number
  callsNow: number
  callsBefore: number
  /** When the last ten seconds with a call began; null without one. */
  lastMs: number | null
}

/** The calls of the last hour: `recentMs` up to what is settled as now, the rest as before. */
export async function readKnownCalls(
  store: Store,
  { nowMs, recentMs, callsMin }: { nowMs: number; recentMs: number; callsMin: number },
): Promise<KnownCalls> {
  const settledMs = await askPostgres('read how far settling is', () => watermarkMs(store.postgres))
  const untilMs = Math.min(nowMs, settledMs ?? nowMs)
  const [row] = await askClickHouse<Omit<KnownCalls, 'settledMs' | 'lastMs'> & { lastS: number }>(store, {
    deed: 'count the calls of the last hour',
    query: `
      SELECT count() AS operations, countIf(earlier >= {callsMin:UInt32} AND lately > 0) AS comparable,
        sum(lately) AS callsNow, sum(earlier) AS callsBefore, max(last) AS lastS
      FROM (
        SELECT sumIf(Calls, toUnixTimestamp(Window) >= {cut:Int64}) AS lately, sumIf(Calls, toUnixTimestamp(Window) < {cut:Int64}) AS earlier,
          toUnixTimestamp(max(Window)) AS last
        FROM chain_health_metrics_10s
        WHERE Window >= fromUnixTimestamp({from:Int64}) AND Kind IN ('entry', 'sync', 'async')
        GROUP BY Service, Operation
      )`,
    params: {
      from: Math.floor((nowMs - 3_600_000) / 1_000),
      cut: Math.floor((untilMs - recentMs) / 1_000),
      callsMin,
    },
  })
  const { lastS = 0, ...counts } = row ?? { operations: 0, comparable: 0, callsNow: 0, callsBefore: 0 }
  return { ...counts, settledMs: settledMs ?? null, lastMs: lastS === 0 ? null : lastS * 1_000 }
}
