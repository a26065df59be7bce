// Requests gather in one block of columns until it is sealed: when it is full, or when whoever waits for it is free to take
// it, so that the busier the disk is the more requests share one write.

import { type Account, addRecords, emptyAccount, type Entry } from './ledger.ts'
import type { Rejections } from './otlp/rejections.ts'
import type { Walked } from './otlp/walk.ts'
import { withCounts } from './sampling/counted-payload.ts'

/** The columns that requests are written into. */
export interface Columns {
  readonly rows: number
  /** Writes the records of a request, or throws and leaves everything as it was. */
  walk(body: Uint8Array): Walked
  seal(): Buffer
  /** What came with the rows, before any was shed, as a block of its own; undefined where nothing is counted. */
  sealCounts?(): Uint8Array | undefined
}

export interface SealedBlock {
  rows: number
  payload: Uint8Array[]
  account: Account
}

export interface BlockLimits {
  rowsMax: number
  /** Of its columns, roughly; one request may make more. */
  bytesMax: number
  /** How long the first request of a block waits for company. */
  lingerMs: number
  /** Blocks on their way to safety at the same time, beyond which only full ones follow. */
  sealedMax: number
}

/** Resolves once the block is safe, rejects when it is not. */
export type Keep = (block: SealedBlock) => Promise<void>

/** What a request bore. `kept` is settled with the block that has its records. */
export interface Taken {
  records: number
  /** What its rows take. */
  bytes: number
  rejections: Rejections
  kept: Promise<void>
}

/** Lines in the books of one block; they have to fit into its note in the log. */
const linesMax = 300

/** Owns the block that is being filled, and its timer. */
export class BlockBuilder {
  readonly #columns: Columns
  readonly #limits: BlockLimits
  readonly #keep: Keep
  #account = emptyAccount()
  #bytes = 0
  #kept = watchedPromise()
  #isOpen = false
  readonly #keeping = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined

  constructor(columns: Columns, limits: BlockLimits, keep: Keep) {
    this.#columns = columns
    this.#limits = limits
    this.#keep = keep
  }

  /** Adds a request; throws at once what the decoder throws. */
  add(body: Uint8Array, key: string): Taken {
    // A large request does not make a block larger that others are in.
    if (this.#bytes + body.length > this.#limits.bytesMax) this.seal()
    const before = this.#columns.rows
    const { records, bytes, rejections, shed } = this.#columns.walk(body)
    const account = this.#account
    addRecords(account.received, { key, records })
    const rows = this.#columns.rows - before
    const last = account.rows.at(-1)
    if (last?.key === key) last.records += rows
    else if (rows > 0) account.rows.push({ key, records: rows })
    for (const [reason, count] of rejections.counts) {
      addRecords(account.others, { key, outcome: 'rejected', reason, records: count })
    }
    for (const [reason, count] of Object.entries(shed)) {
      addRecords(account.others, { key, outcome: 'shed', reason, records: count })
    }
    this.#bytes += bytes
    return { records, bytes, rejections, kept: this.#opened() }
  }

  /** Adds only to the books of the block. */
  note(entry: Entry): Promise<void> {
    const { key, records, signal } = entry
    addRecords(this.#account.received, { key, records, ...(signal === undefined ? {} : { signal }) })
    addRecords(this.#account.others, entry)
    return this.#opened()
  }

  /** Lets nothing wait for company any longer. */
  seal(): void {
    if (this.#isOpen) this.#seal()
  }

  /** Resolves once all that came is kept or refused. */
  async flush(): Promise<void> {
    this.seal()
    await Promise.all(this.#keeping)
  }

  /** The promise of the block that is being filled, which is sealed if it is full. */
  #opened(): Promise<void> {
    const { promise } = this.#kept
    if (!this.#isOpen) {
      this.#isOpen = true
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#sealIfFree()
      }, this.#limits.lingerMs)
    }
    const { received, rows, others } = this.#account
    const isFull =
      this.#columns.rows >= this.#limits.rowsMax ||
      this.#bytes >= this.#limits.bytesMax ||
      received.length + rows.length + others.length >= linesMax
    if (isFull) this.#seal()
    return promise
  }

  /** The block has waited long enough: it goes at once, or as soon as one that is on its way has arrived. */
  #sealIfFree(): void {
    if (this.#isOpen && this.#timer === undefined && this.#keeping.size < this.#limits.sealedMax) this.#seal()
  }

  #seal(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { resolve, reject } = this.#kept
    const account = this.#account
    const { rows } = this.#columns
    this.#account = emptyAccount()
    this.#bytes = 0
    this.#kept = watchedPromise()
    this.#isOpen = false
    const keeping = this.#keepSealed(rows, account)
      .then(resolve, reject)
      .finally(() => {
        this.#keeping.delete(keeping)
        this.#sealIfFree()
      })
    this.#keeping.add(keeping)
  }

  async #keepSealed(rows: number, account: Account): Promise<void> {
    // What has no rows may have resources, which must not stay.
    const sealed = this.#columns.seal()
    const counts = this.#columns.sealCounts?.()
    const block = rows === 0 ? [] : [sealed]
    await this.#keep({ rows, payload: counts === undefined ? block : withCounts(counts, block), account })
  }
}

/** A promise whose failure is told to whoever asks, and to nobody when nobody does. */
function watchedPromise(): PromiseWithResolvers<void> {
  const resolvers = Promise.withResolvers<void>()
  resolvers.promise.catch(() => undefined)
  return resolvers
}
