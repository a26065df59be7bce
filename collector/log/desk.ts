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
  /** Given where the insert is a part of one block; the first part of each block is told apart. */
  piece?: { isFirst: boolean }
}

/** What became of a block. `kept`: the drain stopped first; the log has it, and whoever opens it next goes on. */
export type Fate =
  | { kind: 'stored' }
  | { kind: 'quarantined'; rows: number; cause: unknown }
  | { kind: 'lost'; cause: unknown }
  | { kind: 'kept' }

export interface DrainReports {
  stored(event: { signal: Signal; rows: number; metas: unknown[] }): void
  /** `kept` names the files in quarantine; without, there was no room for them. */
  quarantined(event: {
    signal: Signal
    rows: number
    meta: unknown
    piece: { isFirst: boolean }
    cause: unknown
    kept: string | undefined
  }): void
  retried(event: { signal: Signal; cause: unknown; afterMs: number }): void
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
  /** Batches per signal that were refused and go in pieces; beyond, the lane that meets another one waits. */
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

/** A batch on its way. */
export interface Work {
  batch: Batch
  blocks: Waiting[]
  failures: number
  dueAtMs: number
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

  take(waiting: Waiting): void {
    this.blocks += 1
    this.rows += waiting.ref.rows
    this.bytes += waiting.ref.bytes
    this.memoryBytes += waiting.memoryBytes
  }

  /** Inserts under a boundary that is on disk. */
  async insert(insert: Insert): Promise<Answer> {
    const answer = await this.#attempt(insert)
    if (answer.kind === 'away') this.#away.add(insert.signal)
    else this.#away.delete(insert.signal)
    return answer
  }

  async #attempt(insert: Insert): Promise<Answer> {
    try {
      await this.log.saveProgress()
      return await this.#write(insert)
    } catch (cause) {
      return { kind: 'away', cause }
    }
  }

  /** The batch waits before it is tried again. */
  retry(work: Work, cause: unknown): void {
    work.failures += 1
    const afterMs = backOffMs(work.failures, this.#chance())
    work.dueAtMs = this.clock.nowMs() + afterMs
    this.reports.retried({ signal: work.batch.signal, cause, afterMs })
  }

  /** The block has met its fate. */
  settle(waiting: Waiting, fate: Fate): void {
    this.log.done(waiting.ref)
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

  /** The block cannot be read back. */
  async lose(waiting: Waiting, cause: DamagedRecord): Promise<void> {
    await this.log.quarantine(waiting.ref, cause)
    this.settle(waiting, { kind: 'lost', cause })
  }

  /** Writes the progress down without anybody waiting for it. */
  saveSoon(): void {
    this.log.saveProgress().catch((cause: unknown) => this.reports.troubled(cause))
  }
}
