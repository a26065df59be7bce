// Every record that was taken is accounted for: received = stored + rejected + shed + duplicate + lost + pending, for each key
// and signal. What is received is counted when a request is decoded, its fates where they are met, so that the sums can
// disagree, and something is wrong when they do. What was refused (503, 429) was not taken: its sender has it still.

import { z } from 'zod'
import type { CollectorMetrics } from './metrics.ts'

const signals = ['traces', 'logs', 'metrics'] as const
export type Signal = (typeof signals)[number]

const fates = ['stored', 'rejected', 'shed', 'duplicate', 'lost'] as const

const keyRecordsForm = z.object({
  key: z.string(),
  records: z.number(),
  /** Where it is not that of the block. */
  signal: z.enum(signals).optional(),
})

/** So many records of one key. */
export type KeyRecords = z.infer<typeof keyRecordsForm>

const entryForm = keyRecordsForm.extend({ outcome: z.enum(fates), reason: z.string() })

/** So many records of one key met one fate, for one reason where fates have reasons. */
export type Entry = z.infer<typeof entryForm>

const accountForm = z.object({
  received: z.array(keyRecordsForm),
  rows: z.array(keyRecordsForm),
  others: z.array(entryForm),
})

/**
 * The books of one block, which go into the log with it: what its requests bore, whose its rows are, in their order, and
 * what became of the records that make no row.
 */
export type Account = z.infer<typeof accountForm>

export function emptyAccount(): Account {
  return { received: [], rows: [], others: [] }
}

/** Reads the books of a block from its note in the log; throws for what is none. */
export function readAccount(meta: unknown): Account {
  return accountForm.parse(meta)
}

/** The same for a note that may be damaged: of such a block only the number of its rows is known. */
export function readAccountOr(meta: unknown, rows: number): Account {
  const { data } = accountForm.safeParse(meta)
  return data ?? { ...emptyAccount(), received: [{ key: '', records: rows }], rows: [{ key: '', records: rows }] }
}

/** Adds to a list, one entry for each key, signal and fate. */
export function addRecords<E extends KeyRecords>(entries: E[], entry: E): void {
  if (entry.records === 0) return
  const name = nameOf(entry)
  const same = entries.find((other) => nameOf(other) === name)
  if (same === undefined) entries.push({ ...entry })
  else same.records += entry.records
}

function nameOf(entry: KeyRecords): string {
  const { outcome, reason } = { outcome: '', reason: '', ...entry }
  return JSON.stringify([entry.key, entry.signal, outcome, reason])
}

/** Whose the rows of a stretch of the block are. */
export function keysOfRows({ rows }: Account, { start, count }: { start: number; count: number }): KeyRecords[] {
  const keys: KeyRecords[] = []
  let first = 0
  for (const { key, records } of rows) {
    const end = first + records
    addRecords(keys, { key, records: Math.max(0, Math.min(end, start + count) - Math.max(first, start)) })
    first = end
  }
  // The log counted more rows than the books have: they are somebody's.
  addRecords(keys, { key: '', records: Math.max(0, start + count - Math.max(first, start)) })
  return keys
}

/** The ledger as metrics, since this process began. */
export class Ledger {
  readonly #metrics: CollectorMetrics

  constructor(metrics: CollectorMetrics) {
    this.#metrics = metrics
  }

  /** The books of a block that was taken. Its rows are pending from now on. */
  take(signal: Signal, { received, rows, others }: Account): void {
    for (const entry of received) this.#count(signal, 'received', entry)
    for (const { key, records } of rows) {
      this.#metrics.add('headwater_ingest_pending_records', records, { signal, key })
    }
    for (const entry of others) this.#count(signal, entry.outcome, entry, entry.reason)
  }

  /** Pending rows have met their fate. */
  settle(signal: Signal, outcome: 'stored' | 'lost', rows: readonly KeyRecords[], reason = ''): void {
    for (const entry of rows) {
      this.#count(signal, outcome, entry, reason)
      const { key, records } = entry
      this.#metrics.add('headwater_ingest_pending_records', -records, { signal, key })
    }
  }

  /** Records that were decoded and then not taken. */
  refuse(signal: Signal, { received }: Account, reason: string): void {
    for (const { key, records } of received) {
      this.#metrics.add('headwater_ingest_refused_records_total', records, { signal, key, reason })
    }
  }

  #count(ofBlock: Signal, outcome: string, { key, records, signal = ofBlock }: KeyRecords, reason = ''): void {
    this.#metrics.add('headwater_ingest_records_total', records, { signal, key, outcome, reason })
  }
}
