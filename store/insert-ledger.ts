import type { Store } from './connect.ts'
import { type Inserted, onceUnder } from './insert-blocks.ts'
import type { LedgerRow } from './tables/facts.ts'

/** Adds to the ledger of collectors, once under the token; never throws. */
export async function insertLedger(
  { clickhouse }: Store,
  { rows, token, timeoutMs }: { rows: readonly LedgerRow[]; token: string; timeoutMs: number },
): Promise<Inserted> {
  if (rows.length === 0) return { kind: 'stored' }
  try {
    await clickhouse.insert({
      table: 'collector_ledger',
      values: rows,
      format: 'JSONEachRow',
      abort_signal: AbortSignal.timeout(timeoutMs),
      clickhouse_settings: onceUnder(`${token}:ledger`),
    })
    return { kind: 'stored' }
  } catch (cause) {
    return { kind: 'away', cause }
  }
}
