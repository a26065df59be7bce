import { chooseBatch, nextReadAtMs } from './batches.ts'
import type { Desk, Lane, Waiting, Work } from './desk.ts'
import { atOnce, tryHead } from './head-of-lane.ts'
import { insertInOrder } from './live-lane.ts'
import { loadBlocks, readAgainAfterMs } from './loading.ts'
import type { MendingLane } from './mending-lane.ts'

/** Blocks of one signal that are only on disk. They go in their order, no faster than the rate that leaves room. */
export class BacklogLane implements Lane {
  readonly #desk: Desk
  readonly #mending: MendingLane
  /** Batches that were on their way when the log was left; they go first, as they were. */
  readonly #resumed: Work[] = []
  readonly #queue: Waiting[] = []
  #leaving: Waiting[] = []
  #work: Work | undefined
  #start = atOnce
  #mayReadAtMs = 0
  /** Runs of consecutive blocks that were added, and that are gone. */
  #runsAdded = 0
  #runsGone = 0

  constructor(desk: Desk, mending: MendingLane) {
    this.#desk = desk
    this.#mending = mending
  }

  /** Runs of consecutive blocks in the queue: as many gaps there may be in what is done. */
  get runs(): number {
    return this.#queue.length === 0 ? 0 : this.#runsAdded - this.#runsGone
  }

  add(waiting: Waiting): void {
    const last = this.#queue.at(-1)
    if (last?.ref.sequence !== waiting.ref.sequence - 1) this.#runsAdded += 1
    insertInOrder(this.#queue, waiting)
  }

  resume(work: Work): void {
    this.#resumed.push(work)
  }

  waiting(): Waiting[] {
    const resumed = this.#resumed.flatMap(({ blocks }) => blocks)
    return [...(this.#work?.blocks ?? []), ...resumed, ...this.#leaving, ...this.#queue]
  }

  dueAtMs(): number {
    if (this.#work !== undefined) {
      return this.#work.batch.position === undefined || this.#mending.hasRoom ? this.#work.dueAtMs : Infinity
    }
    return this.#resumed.length + this.#queue.length === 0 ? Infinity : Math.max(this.#mayReadAtMs, this.#start.dueAtMs)
  }

  async step(): Promise<void> {
    this.#work ??= (await this.#resume()) ?? (await this.#begin())
    const work = this.#work
    if (work === undefined || this.#desk.isStopped) return
    const start = await tryHead(this.#desk, this.#mending, work)
    if (start === undefined) return
    this.#work = undefined
    this.#start = start
  }

  async #resume(): Promise<Work | undefined> {
    const [work] = this.#resumed
    if (work === undefined) return undefined
    const loaded = await this.#load(work.blocks)
    // A batch is repeated whole or not at all: what is missing must be lost, not late.
    if (loaded === 'late') return undefined
    this.#resumed.shift()
    if (loaded.length > 0) return { ...work, ...this.#start, blocks: loaded }
    this.#desk.log.end(work.batch)
    return undefined
  }

  async #begin(): Promise<Work | undefined> {
    if (this.#resumed.length > 0) return undefined
    const refs = this.#queue.slice(0, this.#desk.limits.batchBlocksMax).map(({ ref }) => ref)
    // Out of the queue while they are read: others may come before them meanwhile.
    this.#leaving = this.#queue.splice(0, chooseBatch(refs, this.#desk.limits).count)
    const loaded = await this.#load(this.#leaving)
    if (loaded === 'late') {
      for (const waiting of this.#leaving) insertInOrder(this.#queue, waiting)
      this.#leaving = []
      return undefined
    }
    if (this.#leaving.at(-1)?.ref.sequence !== (this.#queue[0]?.ref.sequence ?? 0) - 1) this.#runsGone += 1
    this.#leaving = []
    const [first, ...rest] = loaded
    if (first === undefined) return undefined
    const batch = this.#desk.log.begin([first.ref, ...rest.map(({ ref }) => ref)])
    return { batch, blocks: loaded, ...this.#desk.untried(), ...this.#start }
  }

  /** Reads the blocks back, no faster than the backlog may. */
  async #load(blocks: readonly Waiting[]): Promise<Waiting[] | 'late'> {
    const { clock, limits } = this.#desk
    const bytes = blocks.reduce((sum, { ref }) => sum + ref.bytes, 0)
    this.#mayReadAtMs = nextReadAtMs(clock.nowMs(), { bytes, bytesPerSecond: limits.backlogBytesPerSecond })
    const loaded = await loadBlocks(this.#desk, blocks)
    if (loaded === 'late') this.#mayReadAtMs = clock.nowMs() + readAgainAfterMs
    return loaded
  }
}
