// A batch of blocks becomes rows of its table, of the counts before shedding and of the ledger, each once under the batch's
// token: a repetition after a crash, also one between them, counts nothing twice.

import { insertBlocks, type Inserted, type Store } from '@headwater/store'
import { addBlockBooks, type BookEntry, insertBooks } from './books.ts'
import { addRecords, keysOfRows, readAccount } from './ledger.ts'
import type { Insert } from './log/drain.ts'
import type { CollectorMetrics } from './metrics.ts'
import { readPayload } from './sampling/counted-payload.ts'
import { insertCounts } from './sampling/insert-counts.ts'
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

/** Writes batches and tells what became of them; never throws. */
export function createBatchWriter({
  store,
  collector,
  metrics,
  nowMs,
  log,
}: BatchWriterOptions): (insert: Insert) => Promise<Inserted> {
  let isAway = false

  async function write(insert: Insert): Promise<Inserted> {
    const { token, signal, rows, piece } = insert
    const { table, columns } = tables[signal]
    const parts = insert.blocks.map((payload) => readPayload(payload))
    const counts = parts.flatMap((part) => part.counts ?? [])
    const blocks = parts.flatMap(({ block }) => block ?? [])
    // Whether the first piece of a block can be stored or not, what came with the block is counted.
    if (piece !== undefined) {
      const inserted = await tellCounts(counts, token)
      if (inserted.kind !== 'stored') return inserted
    }
    if (rows > 0) {
      // An insert of nothing would pass for stored.
      if (blocks.length === 0) throw new Error(`The ${rows} rows of batch ${token} have no bytes any more`)
      const inserted = await insertBlocks(store, { table, columns, blocks, token, timeoutMs: insertTimeoutMs })
      if (inserted.kind !== 'stored') return inserted
    }
    if (piece === undefined) {
      const inserted = await tellCounts(counts, token)
      if (inserted.kind !== 'stored') return inserted
    }
    return insertBooks(store, { entries: booksOf(insert), token, signal, collector, nowMs: nowMs() })
  }

  /** Counts that ClickHouse refuses for good must not be in the way of their spans. */
  async function tellCounts(counts: readonly Uint8Array[], token: string): Promise<Inserted> {
    const inserted = await insertCounts(store, { counts, token, timeoutMs: insertTimeoutMs })
    if (inserted.kind !== 'unstorable') return inserted
    metrics.add('headwater_sampling_refused_counts_total')
    log(`ClickHouse refuses the counts of batch ${token} for good: ${String(inserted.cause)}`)
    return { kind: 'stored' }
  }

  return async (insert) => {
    const { signal } = insert
    const inserted = await write(insert).catch((cause: unknown): Inserted => ({ kind: 'away', cause }))
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

/** The books of an insert: what was received is told with the first rows of each block, its fates as they are met. */
function booksOf({ rows, metas, piece }: Insert): BookEntry[] {
  const entries: BookEntry[] = []
  for (const account of metas.map((meta) => readAccount(meta))) {
    if (piece === undefined || piece.startRow === 0) addBlockBooks(entries, account)
    const keys = piece === undefined ? account.rows : keysOfRows(account, { start: piece.startRow, count: rows })
    for (const records of keys) addRecords(entries, { ...records, outcome: 'stored', reason: '' })
  }
  return entries
}
