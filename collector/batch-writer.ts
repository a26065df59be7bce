// A batch of blocks becomes rows of its table and rows of the ledger, both once under the batch's token: a repetition after a
// crash, also one between the two, counts nothing twice.

import { insertBlocks, type Inserted, insertLedger, isTooLargeForServer, type Store } from '@headwater/store'
import { addEntry, type Entry, keysOfRows, readAccount } from './ledger.ts'
import type { Insert } from './log/drain.ts'
import type { CollectorMetrics } from './metrics.ts'
import { tables } from './tables.ts'

export interface BatchWriterOptions {
  store: Store
  /** Who tells the ledger. */
  collector: string
  metrics: CollectorMetrics
  nowMs: () => number
  /** Told when ClickHouse goes away and when it is back. */
  log: (line: string) => void
}

const insertTimeoutMs = 30_000
/** An insert that fails so often for want of memory is too large, not unlucky. */
const sizeFailuresMax = 8
const failuresMax = 100

/** Writes batches and tells what became of them; never throws. */
export function createBatchWriter({
  store,
  collector,
  metrics,
  nowMs,
  log,
}: BatchWriterOptions): (insert: Insert) => Promise<Inserted> {
  let isAway = false
  /** Of batches that the server had no memory for. */
  const failures = new Map<string, number>()

  async function write(insert: Insert): Promise<Inserted> {
    const { token, signal, blocks, rows } = insert
    const { table, columns } = tables[signal]
    if (rows > 0) {
      const inserted = await insertBlocks(store, { table, columns, blocks, token, timeoutMs: insertTimeoutMs })
      if (inserted.kind !== 'stored') return inserted
    }
    const entries = ledgerEntries(insert).map(({ key, outcome, reason, records }) => ({
      Time: String(Math.floor(nowMs() / 1_000)),
      Collector: collector,
      Batch: token,
      Key: key,
      Signal: signal,
      Outcome: outcome,
      Reason: reason,
      Records: records,
    }))
    return insertLedger(store, { token, timeoutMs: insertTimeoutMs, rows: entries })
  }

  /** Of a batch that is too large for the server, halves may pass. */
  function orTooLarge(token: string, inserted: Inserted): Inserted {
    if (inserted.kind !== 'away' || !isTooLargeForServer(inserted.cause)) {
      failures.delete(token)
      return inserted
    }
    const count = (failures.get(token) ?? 0) + 1
    if (count < sizeFailuresMax) {
      if (failures.size < failuresMax) failures.set(token, count)
      return inserted
    }
    failures.delete(token)
    return { kind: 'unstorable', cause: inserted.cause }
  }

  return async (insert) => {
    const { signal, token } = insert
    const inserted = orTooLarge(token, await write(insert))
    const name =
      inserted.kind === 'stored' ? 'headwater_ingest_inserts_total' : 'headwater_ingest_insert_failures_total'
    metrics.add(name, 1, { signal })
    if (inserted.kind === 'away' && !isAway)
      log(`ClickHouse does not take ${signal}, the log keeps them: ${String(inserted.cause)}`)
    if (inserted.kind !== 'away' && isAway) log('ClickHouse takes records again')
    isAway = inserted.kind === 'away'
    return inserted
  }
}

/** The books of an insert: all rows are stored, and what was left out of their requests is told with them. */
function ledgerEntries({
  rows,
  metas,
  piece,
}: Insert): { key: string; outcome: string; reason: string; records: number }[] {
  const accounts = metas.map((meta) => readAccount(meta))
  const stored: Entry[] = []
  for (const each of accounts) {
    const bears = piece === undefined ? each.rows : keysOfRows(each, rows)
    for (const { key, records } of bears) addEntry(stored, { key, outcome: 'stored', reason: '', records })
  }
  // A block that goes in pieces tells of the others with its first piece only.
  const others: Entry[] = []
  if (piece === undefined || piece.isFirst)
    for (const each of accounts) for (const entry of each.others) addEntry(others, entry)
  const received = new Map<string, number>()
  for (const { key, records } of [...stored, ...others]) received.set(key, (received.get(key) ?? 0) + records)
  return [
    ...Array.from(received, ([key, records]) => ({ key, outcome: 'received', reason: '', records })),
    ...stored,
    ...others,
  ]
}
