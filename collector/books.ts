// The ledger as ClickHouse has it: rows that are inserted once under the token of what they tell of.

import { type Inserted, insertLedger, type Store } from '@headwater/store'
import { type Account, addRecords, type Entry, type KeyRecords, type Signal } from './ledger.ts'

/** A fate, or that records were received. */
export type BookEntry = Omit<Entry, 'outcome'> & { outcome: Entry['outcome'] | 'received' }

export interface Books {
  entries: readonly BookEntry[]
  token: string
  /** Of entries that do not name another. */
  signal: Signal
  collector: string
  nowMs: number
}

const timeoutMs = 30_000

/** Adds what a block tells apart from its rows: all that its requests bore, and what made no row. */
export function addBlockBooks(entries: BookEntry[], { received, others }: Account): void {
  for (const records of received) addRecords(entries, { ...records, outcome: 'received', reason: '' })
  for (const entry of others) addRecords(entries, entry)
}

/** What was lost of a block: its rows, and with its first ones all else that it tells. */
export function lossOf(
  account: Account,
  { keys, reason, isFirst }: { keys: readonly KeyRecords[]; reason: string; isFirst: boolean },
): BookEntry[] {
  const entries: BookEntry[] = []
  if (isFirst) addBlockBooks(entries, account)
  for (const records of keys) addRecords(entries, { ...records, outcome: 'lost', reason })
  return entries
}

/** Inserts entries, once under the token; never throws. */
export async function insertBooks(
  store: Store,
  { entries, token, signal, collector, nowMs }: Books,
): Promise<Inserted> {
  const rows = entries.map((entry) => ({
    Time: String(Math.floor(nowMs / 1_000)),
    Collector: collector,
    Batch: token,
    Key: entry.key,
    Signal: entry.signal ?? signal,
    Outcome: entry.outcome,
    Reason: entry.reason,
    Records: entry.records,
  }))
  return insertLedger(store, { token, timeoutMs, rows })
}
