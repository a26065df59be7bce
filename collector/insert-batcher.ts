// Rows wait here because ClickHouse prefers few large inserts to many small ones: they leave together when the batch is
// full or old, whichever comes first. Each request learns what became of its own rows.

import { Refusal } from './refusal.ts'
import type { Stored, WriteRows } from './span-writer.ts'

export interface BatchLimits {
  /** An insert has this many rows, or those of one larger request. */
  batchRowsMax: number
  flushAfterMs: number
  /** Rows that wait; beyond, requests are refused with 429. One request alone may be larger. */
  queueRowsMax: number
  /** Inserts at the same time. */
  insertsMax: number
}

interface Waiting<Row> {
  rows: readonly Row[]
  sinceMs: number
  resolve: (stored: Stored) => void
}

/** Shares inserts between requests. Owns the queue and its timer. */
export class InsertBatcher<Row> {
  readonly #write: WriteRows<Row>
  readonly #limits: BatchLimits
  readonly #nowMs: () => number
  #queue: Waiting<Row>[] = []
  #queuedRows = 0
  #inserts = 0
  #timer: NodeJS.Timeout | undefined
  #draining = false

  constructor(write: WriteRows<Row>, limits: BatchLimits, nowMs: () => number = () => performance.now()) {
    this.#write = write
    this.#limits = limits
    this.#nowMs = nowMs
  }

  /** Resolves when the rows' fate is known; refuses when too many wait. */
  async add(rows: readonly Row[]): Promise<Stored> {
    if (rows.length === 0) return { kind: 'stored' }
    if (this.#queuedRows > 0 && this.#queuedRows + rows.length > this.#limits.queueRowsMax) {
      const message = `${this.#queuedRows} rows wait for ClickHouse, at most ${this.#limits.queueRowsMax} may`
      throw new Refusal(429, message, { retryAfterS: 1 })
    }
    const { promise, resolve } = Promise.withResolvers<Stored>()
    this.#queue.push({ rows, sinceMs: this.#nowMs(), resolve })
    this.#queuedRows += rows.length
    this.#pump()
    return promise
  }

  /** From now on nothing waits for company. */
  drain(): void {
    this.#draining = true
    this.#pump()
  }

  #pump(): void {
    clearTimeout(this.#timer)
    while (this.#inserts < this.#limits.insertsMax && this.#isDue()) {
      this.#inserts += 1
      void this.#insert(this.#take()).finally(() => {
        this.#inserts -= 1
        this.#pump()
      })
    }
    const oldest = this.#queue[0]
    if (oldest === undefined || this.#inserts === this.#limits.insertsMax) return
    const dueInMs = oldest.sinceMs + this.#limits.flushAfterMs - this.#nowMs()
    this.#timer = setTimeout(() => this.#pump(), Math.max(dueInMs, 1))
  }

  #isDue(): boolean {
    const oldest = this.#queue[0]
    if (oldest === undefined) return false
    if (this.#draining || this.#queuedRows >= this.#limits.batchRowsMax) return true
    return this.#nowMs() - oldest.sinceMs >= this.#limits.flushAfterMs
  }

  #take(): Waiting<Row>[] {
    let rows = 0
    let count = 0
    for (const waiting of this.#queue) {
      if (count > 0 && rows + waiting.rows.length > this.#limits.batchRowsMax) break
      rows += waiting.rows.length
      count += 1
    }
    this.#queuedRows -= rows
    return this.#queue.splice(0, count)
  }

  async #insert(batch: readonly Waiting<Row>[]): Promise<void> {
    const stored = await this.#writeAll(batch.flatMap(({ rows }) => rows))
    if (stored.kind !== 'unstorable' || batch.length === 1) {
      for (const { resolve } of batch) resolve(stored)
      return
    }
    // One request's rows spoiled the insert: the others must not suffer for it.
    for (const { rows, resolve } of batch) resolve(await this.#write(rows))
  }

  /** Of one request that is larger than a batch, all have to be stored. */
  async #writeAll(rows: readonly Row[]): Promise<Stored> {
    const { batchRowsMax } = this.#limits
    for (let start = 0; start + batchRowsMax < rows.length; start += batchRowsMax) {
      const stored = await this.#write(rows.slice(start, start + batchRowsMax))
      if (stored.kind !== 'stored') return stored
    }
    return this.#write(rows.slice(rows.length - (rows.length % batchRowsMax || batchRowsMax)))
  }
}
