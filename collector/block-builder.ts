// Requests gather in one block of columns until it is sealed: when it is full, or when whoever waits for it is free to take
// it, so that the busier the disk is the more requests share one write.

import { type Account, addEntry, type Entry } from './ledger.ts'
import type { Rejections } from './otlp/rejections.ts'
import type { Walked } from './otlp/span-walker.ts'

/** The columns that requests are written into. */
export interface Columns {
  readonly rows: number
  /** Writes the records of a request, or throws and leaves everything as it was. */
  walk(body: Uint8Array): Walked
  seal(): Buffer
}

export interface SealedBlock {
  rows: number
  payload: Uint8Array[]
  account: Account
}

export interface BlockLimits {
  rowsMax: number
  /** Of the bodies that a block is made of. */
  bytesMax: number
  /** How long the first request of a block waits for company. */
  lingerMs: number
  /** Blocks that are on their way to the log at the same time. */
  sealedMax: number
}

/** Resolves once the block is safe, rejects when it is not. */
export type Keep = (block: SealedBlock) => Promise<void>

/** What became of a request's records, once its block is safe. */
export interface Taken {
  records: number
  rejections: Rejections
}

/** Owns the block that is being filled, and its timer. */
export class BlockBuilder {
  readonly #columns: Columns
  readonly #limits: BlockLimits
  readonly #keep: Keep
  #account: Account = { rows: [], others: [] }
  #bytes = 0
  #kept = watchedPromise()
  #isOpen = false
  #sealed = 0
  #timer: NodeJS.Timeout | undefined

  constructor(columns: Columns, limits: BlockLimits, keep: Keep) {
    this.#columns = columns
    this.#limits = limits
    this.#keep = keep
  }

  /** Adds a request; throws at once what the decoder throws. The promise is that of its block. */
  add(body: Uint8Array, key: string): Taken & { kept: Promise<void> } {
    const before = this.#columns.rows
    const { records, rejections, shed } = this.#columns.walk(body)
    const rows = this.#columns.rows - before
    const others = [
      ...Array.from(rejections.counts, ([reason, count]) => entryOf('rejected', reason, count)),
      ...Object.entries(shed).map(([reason, count]) => entryOf('shed', reason, count)),
    ].map((entry) => ({ ...entry, key }))
    const { promise } = this.#note(key, rows, others)
    this.#bytes += body.length
    if (this.#columns.rows >= this.#limits.rowsMax || this.#bytes >= this.#limits.bytesMax) this.#seal()
    return { records, rejections, kept: promise }
  }

  /** Adds only to the books of the block. */
  note(entry: Entry): Promise<void> {
    return this.#note(entry.key, 0, [entry]).promise
  }

  /** Lets nothing wait any longer; resolves once all that came is kept or refused. */
  async flush(): Promise<void> {
    if (!this.#isOpen) return
    const { promise } = this.#kept
    this.#seal()
    await promise.catch(() => undefined)
  }

  #note(key: string, rows: number, others: readonly Entry[]): PromiseWithResolvers<void> {
    const account = this.#account
    const last = account.rows.at(-1)
    if (last?.key === key) last.records += rows
    else if (rows > 0) account.rows.push({ key, records: rows })
    for (const entry of others) addEntry(account.others, entry)
    if (!this.#isOpen) {
      this.#isOpen = true
      this.#timer = setTimeout(() => this.#sealIfFree(), this.#limits.lingerMs)
    }
    return this.#kept
  }

  /** The timer has run out: goes at once, or as soon as one that is on its way has arrived. */
  #sealIfFree(): void {
    this.#timer = undefined
    if (this.#isOpen && this.#sealed < this.#limits.sealedMax) this.#seal()
  }

  #seal(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { rows } = this.#columns
    // What has no rows may have groups, which must not stay.
    const sealed = this.#columns.seal()
    const block = { rows, payload: rows === 0 ? [] : [sealed], account: this.#account }
    const { resolve, reject } = this.#kept
    this.#account = { rows: [], others: [] }
    this.#bytes = 0
    this.#kept = watchedPromise()
    this.#isOpen = false
    this.#sealed += 1
    this.#keep(block)
      .then(resolve, reject)
      .finally(() => {
        this.#sealed -= 1
        if (this.#timer === undefined) this.#sealIfFree()
      })
  }
}

/** A promise whose failure is told to whoever asks, and to nobody when nobody does. */
function watchedPromise(): PromiseWithResolvers<void> {
  const resolvers = Promise.withResolvers<void>()
  resolvers.promise.catch(() => undefined)
  return resolvers
}

function entryOf(outcome: 'rejected' | 'shed', reason: string, records: number): Omit<Entry, 'key'> {
  return { outcome, reason, records }
}
