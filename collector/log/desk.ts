// What the lanes of the drain share: the way into ClickHouse, and the books.

import { backOffMs } from './back-off.ts'
import type { BatchLimits } from './batches.ts'
import type { DamagedRecord } from './errors.ts'
import type { Split } from './halves.ts'
import type { Batch } from './progress.ts'
import type { Signal } from './record.ts'
import type { BlockRef } from './recovery.ts'
import type { WriteAheadLog } from './write-ahead-log.ts'

/** What became of an insert. What is unstorable will be so for ever; a store that is away comes back. */
export type Answer = { kind: 'stored' } | { kind: 'unstorable'; cause: unknown } | { kind: 'away'; cause: unknown }

/** One insert: Native blocks, and a token under which ClickHouse takes them once. */
export interface Insert {
  token: string
  signal: Signal
  blocks: Uint8Array[]
  rows: number
  metas: unknown[]
  /** Given where the insert is a part of one block: its rows from this one on. */
  piece?: { startRow: number }
}

/** What became of a block. `kept`: the drain stopped first; the log has it, and whoever opens it next goes on. */
export type Fate =
  | { kind: 'stored' }
  | { kind: 'quarantined'; rows: number; cause: unknown }
  | { kind: 'lost'; cause: unknown }
  | { kind: 'kept' }

export interface DrainReports {
  /** Whole blocks, or rows of one of them from `startRow` on. */
  stored(event: { signal: Signal; rows: number; metas: unknown[]; startRow?: number }): void
  /**
   * `kept` names the files in quarantine; without, there was no room for them. The block goes on once what is returned
   * resolves. Should the process die before, or should it reject, the rows are tried once more and may be told again,
   * with the same token: books that are kept under it count them once. It must not wait for blocks of this drain.
   */
  quarantined(event: {
    token: string
    signal: Signal
    rows: number
    meta: unknown
    piece: { startRow: number }
    cause: unknown
    kept: string | undefined
  }): void | Promise<void>
  /** The log could not be read or its progress not written; the drain tries again. */
  troubled(cause: unknown): void
}

export interface Clock {
  nowMs(): number
  /** Calls back later; returns how to call it off. */
  after(ms: number, action: () => void): () => void
}

export interface DrainLimits extends BatchLimits {
  flushAfterMs: number
  /** Of payloads that wait for their insert. Each lane holds one batch more while it inserts that. */
  memoryBytesMax: number
  backlogBytesPerSecond: number
  /** After so many a batch is set aside and the next one is tried. See `MendingLane` for what becomes of it. */
  failuresMax: number
  /** After so many that other inserts succeeded between, it is the rows that do not go in. */
  blamedMax: number
  /** Batches per signal that were set aside or go in pieces; beyond, the lane that meets another one waits. */
  mendingBatchesMax: number
  /** For one block; what is left of it then goes to quarantine in the pieces that it is in. */
  mendingInsertsMax: number
  stopWaitMs: number
}

/** A block on its way. Without `loaded` its bytes are in the log only. */
export interface Waiting {
  ref: BlockRef
  addedAtMs: number
  loaded?: { meta: unknown; payload: readonly Uint8Array[] } | undefined
  /** Counted in the memory of what waits. */
  memoryBytes: number
  resolve: (fate: Fate) => void
}

/** What is known of an insert that has not succeeded yet. */
export interface Trial {
  /** Answers `away`. */
  failures: number
  /** Those of them before each of which ClickHouse had just taken something else: it is there. */
  blamed: number
  /** The same of those before which that was of the same signal: its table is there, too. */
  blamedInSignal: number
  storesSeen: Readonly<Record<Signal, number>>
  /** Of batches before this one that were set aside: whoever follows them does not begin with haste. */
  failuresBefore: number
  dueAtMs: number
}

/** A batch on its way. */
export interface Work extends Trial {
  batch: Batch
  blocks: Waiting[]
}

/** A queue with a way of its own; one step is one insert at most. */
export interface Lane {
  /** When there is something to do; never is `Infinity`. */
  dueAtMs(): number
  step(): Promise<void>
  /** All blocks that are not done. */
  waiting(): Waiting[]
}

export interface DeskParts {
  log: WriteAheadLog
  write: (insert: Insert) => Promise<Answer>
  split: Split
  reports: DrainReports
  clock: Clock
  chance: () => number
  limits: DrainLimits
}

export class Desk {
  readonly log: WriteAheadLog
  readonly split: Split
  readonly reports: DrainReports
  readonly clock: Clock
  readonly limits: DrainLimits
  readonly #write: DeskParts['write']
  readonly #chance: () => number
  readonly #away = new Set<Signal>()
  /** Inserts that were stored. */
  #stores: Readonly<Record<Signal, number>> = { traces: 0, logs: 0 }
  /** What waits, in all lanes. */
  blocks = 0
  rows = 0
  bytes = 0
  memoryBytes = 0
  /** Answers that come after the drain has stopped are for nobody: the batch is repeated when the log is opened again. */
  isStopped = false

  constructor({ log, write, split, reports, clock, chance, limits }: DeskParts) {
    this.log = log
    this.split = split
    this.reports = reports
    this.clock = clock
    this.limits = limits
    this.#write = write
    this.#chance = chance
  }

  get isAway(): boolean {
    return this.#away.size > 0
  }

  /** A batch that is in the way of others did not go in, or is not in their way any more. */
  note(signal: Signal, state: 'away' | 'unknown'): void {
    if (state === 'away') this.#away.add(signal)
    else this.#away.delete(signal)
  }

  take(waiting: Waiting): void {
    this.blocks += 1
    this.rows += waiting.ref.rows
    this.bytes += waiting.ref.bytes
    this.memoryBytes += waiting.memoryBytes
  }

  /** Inserts under a boundary that is on disk; rejects when that cannot be written there. */
  async insert(insert: Insert): Promise<Answer> {
    await this.log.saveProgress()
    const answer = await this.#attempt(insert)
    if (answer.kind !== 'away') this.#away.delete(insert.signal)
    if (answer.kind === 'stored') {
      this.#stores = { ...this.#stores, [insert.signal]: this.#stores[insert.signal] + 1 }
    }
    return answer
  }

  async #attempt(insert: Insert): Promise<Answer> {
    try {
      return await this.#write(insert)
    } catch (cause) {
      return { kind: 'away', cause }
    }
  }

  /** Of an insert that has not been tried. */
  untried(): Trial {
    return { failures: 0, blamed: 0, blamedInSignal: 0, storesSeen: this.#stores, failuresBefore: 0, dueAtMs: 0 }
  }

  /** The batch, or the piece that it is at, waits before it is tried again. */
  retry(work: Work): void {
    const { signal } = work.batch
    work.failures += 1
    if (this.#stores !== work.storesSeen) work.blamed += 1
    if (this.#stores[signal] > work.storesSeen[signal]) work.blamedInSignal += 1
    work.storesSeen = this.#stores
    work.dueAtMs = this.clock.nowMs() + backOffMs(work.failuresBefore + work.failures, this.#chance())
  }

  /** The block is done with. */
  settle(waiting: Waiting, fate: Fate): void {
    this.log.done(waiting.ref)
    this.#leave(waiting, fate)
  }

  #leave(waiting: Waiting, fate: Fate): void {
    this.blocks -= 1
    this.rows -= waiting.ref.rows
    this.bytes -= waiting.ref.bytes
    this.release(waiting)
    waiting.resolve(fate)
  }

  /** Lets go of the block's bytes; the log has them. */
  release(waiting: Waiting): void {
    this.memoryBytes -= waiting.memoryBytes
    waiting.memoryBytes = 0
    waiting.loaded = undefined
  }

  /** The block cannot be read back. It is done once its loss is confirmed. */
  async lose(waiting: Waiting, cause: DamagedRecord): Promise<void> {
    await this.log.quarantine(waiting.ref, cause)
    this.#leave(waiting, { kind: 'lost', cause })
  }

  /** Writes the progress down without anybody waiting for it. */
  saveSoon(): void {
    this.log.saveProgress().catch((cause: unknown) => this.reports.troubled(cause))
  }
}
