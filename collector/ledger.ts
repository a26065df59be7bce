// Every record that was taken is accounted for: received = stored + rejected + shed + duplicate + lost + pending, for each key
// and signal. What was refused (503, 429) was not taken: its sender has it still, and it is counted apart.

import { z } from 'zod'
import type { CollectorMetrics } from './metrics.ts'

export type Signal = 'traces' | 'logs' | 'metrics'

/** What became of records. */
export type Outcome = 'stored' | 'rejected' | 'shed' | 'duplicate' | 'lost'

/** So many records of one key met one fate, for one reason where fates have reasons. */
export interface Entry {
  key: string
  outcome: Outcome
  reason: string
  records: number
}

/** The books of one block: what it bears, and what was left out of its requests. It goes into the log with the block. */
export interface Account {
  /** Rows of the block by key, in their order. */
  rows: { key: string; records: number }[]
  /** Records of the same requests that make no row. */
  others: Entry[]
}

/** What a block's note in the log must be. */
const accountForm = z.object({
  rows: z.array(z.object({ key: z.string(), records: z.number() })),
  others: z.array(
    z.object({
      key: z.string(),
      outcome: z.enum(['stored', 'rejected', 'shed', 'duplicate', 'lost']),
      reason: z.string(),
      records: z.number(),
    }),
  ),
})

/** Reads the books of a block from its note in the log; throws for what is none. */
export function readAccount(meta: unknown): Account {
  return accountForm.parse(meta)
}

/** The same for a note that may be damaged: empty books then. */
export function tryReadAccount(meta: unknown): Account {
  const { data } = accountForm.safeParse(meta)
  return data ?? { rows: [], others: [] }
}

/** Adds to a list of entries, one for each fate. */
export function addEntry(entries: Entry[], { key, outcome, reason, records }: Entry): void {
  if (records === 0) return
  const same = entries.find((entry) => entry.key === key && entry.outcome === outcome && entry.reason === reason)
  if (same === undefined) entries.push({ key, outcome, reason, records })
  else same.records += records
}

/** The keys of a block's first rows; which rows of a block of several keys were lost, nobody knows. */
export function keysOfRows({ rows }: Account, records: number): { key: string; records: number }[] {
  let left = records
  const taken = rows.map(({ key, records: all }) => {
    const some = Math.min(all, left)
    left -= some
    return { key, records: some }
  })
  return [...taken, { key: '', records: left }].filter(({ records: some }) => some > 0)
}

/** The ledger as metrics, since this process began. */
export class Ledger {
  readonly #metrics: CollectorMetrics

  constructor(metrics: CollectorMetrics) {
    this.#metrics = metrics
  }

  /** Rows and others of a block that was taken. Its rows are pending from now on. */
  take(signal: Signal, { rows, others }: Account): void {
    for (const { key, records } of rows) {
      this.#received(signal, key, records)
      this.#metrics.add('headwater_ingest_pending_records', records, { signal, key })
    }
    for (const entry of others) this.only(signal, entry)
  }

  /** Pending rows have met their fate. */
  settle(
    signal: Signal,
    outcome: 'stored' | 'lost',
    rows: readonly { key: string; records: number }[],
    reason = '',
  ): void {
    for (const { key, records } of rows) {
      this.#metrics.add('headwater_ingest_records_total', records, { signal, key, outcome, reason })
      this.#metrics.add('headwater_ingest_pending_records', -records, { signal, key })
    }
  }

  /** Records that were received and met their fate at once. */
  only(signal: Signal, { key, outcome, reason, records }: Entry): void {
    this.#received(signal, key, records)
    this.#metrics.add('headwater_ingest_records_total', records, { signal, key, outcome, reason })
  }

  /** Records that were decoded and then not taken. */
  refuse(signal: Signal, { rows, others }: Account, reason: string): void {
    for (const { key, records } of [...rows, ...others]) {
      this.#metrics.add('headwater_ingest_refused_records_total', records, { signal, key, reason })
    }
  }

  #received(signal: Signal, key: string, records: number): void {
    this.#metrics.add('headwater_ingest_records_total', records, { signal, key, outcome: 'received', reason: '' })
  }
}
