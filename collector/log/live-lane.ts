import { batchDueAtMs, chooseBatch } from './batches.ts'
import type { Desk, Lane, Waiting, Work } from './desk.ts'
import { atOnce, tryHead } from './head-of-lane.ts'
import type { MendingLane } from './mending-lane.ts'

/** Blocks of one signal that came just now and are in memory: their senders may wait for them. */
export class LiveLane implements Lane {
  readonly #desk: Desk
  readonly #mending: MendingLane
  readonly #queue: Waiting[] = []
  #work: Work | undefined
  #start = atOnce

  constructor(desk: Desk, mending: MendingLane) {
    this.#desk = desk
    this.#mending = mending
  }

  add(waiting: Waiting): void {
    insertInOrder(this.#queue, waiting)
  }

  waiting(): Waiting[] {
    return [...(this.#work?.blocks ?? []), ...this.#queue]
  }

  dueAtMs(): number {
    if (this.#work === undefined) {
      return Math.max(batchDueAtMs(this.#queue, this.#desk.limits), this.#start.dueAtMs)
    }
    return this.#work.batch.position === undefined || this.#mending.hasRoom ? this.#work.dueAtMs : Infinity
  }

  async step(): Promise<void> {
    this.#work ??= this.#begin()
    const work = this.#work
    if (work === undefined) return
    const start = await tryHead(this.#desk, this.#mending, work)
    if (start === undefined) return
    this.#work = undefined
    this.#start = start
  }

  #begin(): Work | undefined {
    const refs = this.#queue.slice(0, this.#desk.limits.batchBlocksMax).map(({ ref }) => ref)
    const blocks = this.#queue.splice(0, chooseBatch(refs, this.#desk.limits).count)
    const [first, ...rest] = blocks
    if (first === undefined) return undefined
    const batch = this.#desk.log.begin([first.ref, ...rest.map(({ ref }) => ref)])
    return { batch, blocks, ...this.#desk.untried(), ...this.#start }
  }
}

/** Whoever hands blocks over may do so a little out of their order. */
export function insertInOrder(queue: Waiting[], waiting: Waiting): void {
  let at = queue.length
  while (at > 0 && (queue[at - 1]?.ref.sequence ?? 0) > waiting.ref.sequence) at -= 1
  queue.splice(at, 0, waiting)
}
