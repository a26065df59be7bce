import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'
import type { Window } from './window.ts'

/** What became of the records of one key and signal, as far as collectors have told ClickHouse. */
export interface LedgerSummary {
  key: string
  signal: string
  received: number
  stored: number
  rejected: number
  shed: number
  duplicate: number
  lost: number
  /** Counts of the outcomes that have reasons. */
  reasons: { outcome: string; reason: string; records: number }[]
}

/** The ledger of all collectors in a window, by key and signal; at most `limit`. */
export async function readLedger(
  store: Store,
  { since, until, limit }: Window & { limit: number },
): Promise<LedgerSummary[]> {
  const rows = await askClickHouse<Omit<LedgerSummary, 'reasons'> & { reasons: [string, string, number][] }>(store, {
    deed: 'read the ledger',
    query: `
      SELECT Key AS key, Signal AS signal,
        sumIf(N, Outcome = 'received') AS received, sumIf(N, Outcome = 'stored') AS stored,
        sumIf(N, Outcome = 'rejected') AS rejected, sumIf(N, Outcome = 'shed') AS shed,
        sumIf(N, Outcome = 'duplicate') AS duplicate, sumIf(N, Outcome = 'lost') AS lost,
        arraySort(groupArrayIf((toString(Outcome), toString(Reason), N), Reason != '')) AS reasons
      FROM (
        SELECT Key, Signal, Outcome, Reason, sum(Records) AS N
        FROM collector_ledger FINAL
        WHERE Time >= toDateTime({since:DateTime64(3)}) AND Time < {until:DateTime64(3)}
        GROUP BY Key, Signal, Outcome, Reason
      )
      GROUP BY key, signal ORDER BY key, signal LIMIT {limit:UInt32}`,
    params: { since, until, limit },
  })
  return rows.map(({ reasons, ...row }) => ({
    ...row,
    reasons: reasons.map(([outcome, reason, records]) => ({ outcome, reason, records })),
  }))
}
