// Brings the log's blocks into ClickHouse, each once. Blocks that came just now have a lane of their own, so that their
// senders do not wait behind a backlog; batches that do not go in have one too, so that nobody waits behind them. Those of
// the live signals run freely, those of the backlog take turns, and so do those of mending: four inserts at a time at most.

import { giveBack } from '../give-back.ts'
import { BacklogLane } from './backlog-lane.ts'
import { Desk, type Clock, type DeskParts, type DrainLimits, type Fate, type Lane, type Waiting } from './desk.ts'
import { LiveLane } from './live-lane.ts'
import { MendingLane } from './mending-lane.ts'
import type { Signal } from './record.ts'
import type { BlockRef, RecoveredBlock, Recovery } from './recovery.ts'

export type { Clock, Fate, Insert } from './desk.ts'

const MiB = 1024 * 1024

export const drainLimits: DrainLimits = {
  batchRowsMax: 20_000,
  batchBytesMax: 12 * MiB,
  batchBlocksMax: 512,
  flushAfterMs: 500,
  memoryBytesMax: 16 * MiB,
  backlogBytesPerSecond: 32 * MiB,
  failuresMax: 3,
  blamedMax: 6,
  mendingBatchesMax: 8,
  mendingInsertsMax: 1_024,
  stopWaitMs: 3_000,
}

/** Gaps in what is done, per signal, beyond which all goes through the backlog: progress has room for so many. */
const runsMax = 200

export interface DrainOptions extends Omit<DeskParts, 'clock' | 'chance' | 'limits'> {
  /** What the log held when it was opened. */
  recovery: Pick<Recovery, 'blocks' | 'batches'>
  limits?: Partial<DrainLimits>
  clock?: Clock
  /** From 0 to 1, for the jitter of repetitions. */
  chance?: () => number
}

const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms)
    return () => clearTimeout(timer)
  },
}

/** Lanes that take turns. */
interface Track {
  lanes: Lane[]
  running: Promise<void> | undefined
  /** A lane that failed where none should must not spin. */
  restsUntilMs: number
}

const restMs = 1_000

/** The drain of one log. */
export class Drain {
  readonly #desk: Desk
  readonly #live: Readonly<Record<Signal, LiveLane>>
  readonly #backlog: Readonly<Record<Signal, BacklogLane>>
  readonly #tracks: Track[]
  #isSpilling = false
  #isStopping = false
  #callOffTimer: () => void = () => undefined
  #idle: (() => void)[] = []

  constructor({ recovery, limits, clock = systemClock, chance = Math.random, ...parts }: DrainOptions) {
    const desk = new Desk({ ...parts, clock, chance, limits: { ...drainLimits, ...limits } })
    const mending = { traces: new MendingLane(desk), logs: new MendingLane(desk) }
    this.#desk = desk
    this.#live = { traces: new LiveLane(desk, mending.traces), logs: new LiveLane(desk, mending.logs) }
    this.#backlog = { traces: new BacklogLane(desk, mending.traces), logs: new BacklogLane(desk, mending.logs) }
    this.#tracks = [
      [this.#live.traces],
      [this.#live.logs],
      [this.#backlog.traces, this.#backlog.logs],
      [mending.traces, mending.logs],
    ].map((lanes) => ({ lanes, running: undefined, restsUntilMs: 0 }))

    const waitingOf = ({ ref }: RecoveredBlock): Waiting => {
      const waiting = { ref, addedAtMs: clock.nowMs(), memoryBytes: 0, resolve: () => undefined }
      desk.take(waiting)
      return waiting
    }
    for (const { batch, blocks } of recovery.batches) {
      const work = { batch, blocks: blocks.map((block) => waitingOf(block)), ...desk.untried() }
      if (batch.position === undefined) this.#backlog[batch.signal].resume(work)
      else mending[batch.signal].add(work)
    }
    for (const block of recovery.blocks) this.#backlog[block.ref.signal].add(waitingOf(block))
    this.#pump()
  }

  /** ClickHouse did not take the last insert of some signal, and it is not known that the rows of that are why. */
  get isAway(): boolean {
    return this.#desk.isAway
  }

  /** What is in the log and not yet in ClickHouse, as far as it was handed over, and how much of it is in memory. */
  get pending(): { blocks: number; rows: number; bytes: number; memoryBytes: number } {
    const { blocks, rows, bytes, memoryBytes } = this.#desk
    return { blocks, rows, bytes, memoryBytes }
  }

  /** Hands a block over that the log has, and the memory of its payload; resolves once its fate is known. Never rejects. */
  async add(block: { ref: BlockRef; meta: unknown; payload: readonly Uint8Array[] }): Promise<Fate> {
    if (this.#isStopping) return { kind: 'kept' }
    const { promise, resolve } = Promise.withResolvers<Fate>()
    const { ref, meta, payload } = block
    const waiting: Waiting = { ref, addedAtMs: this.#desk.clock.nowMs(), memoryBytes: 0, resolve }
    if (this.#fitsInMemory(ref.bytes)) {
      waiting.loaded = { meta, payload }
      waiting.memoryBytes = ref.bytes
      this.#live[ref.signal].add(waiting)
    } else {
      for (const part of payload) giveBack(part)
      this.#backlog[ref.signal].add(waiting)
    }
    this.#desk.take(waiting)
    this.#pump()
    return promise
  }

  /** Once memory was full, blocks go through the log until it is half empty: else done and waiting ones would alternate. */
  #fitsInMemory(bytes: number): boolean {
    const { memoryBytes, limits } = this.#desk
    const { traces, logs } = this.#backlog
    if (memoryBytes > 0 && memoryBytes + bytes > limits.memoryBytesMax) this.#isSpilling = true
    else if (memoryBytes <= limits.memoryBytesMax / 2 && Math.max(traces.runs, logs.runs) < runsMax) {
      this.#isSpilling = false
    }
    return !this.#isSpilling
  }

  /** Resolves once nothing waits any more. */
  async idle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#idle.push(resolve)
    this.#pump()
    await promise
    await this.#save()
  }

  /** Lets inserts in flight end, for so long at most, and writes down how far it got. What waits stays in the log. */
  async stop(waitMs: number = this.#desk.limits.stopWaitMs): Promise<void> {
    if (this.#isStopping) return
    this.#isStopping = true
    this.#callOffTimer()
    const waited = Promise.withResolvers<void>()
    const callOff = this.#desk.clock.after(waitMs, waited.resolve)
    await Promise.race([Promise.all(this.#tracks.flatMap(({ running }) => running ?? [])), waited.promise])
    callOff()
    this.#desk.isStopped = true
    for (const waiting of this.#tracks.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.waiting()))) {
      waiting.resolve({ kind: 'kept' })
    }
    await this.#save()
  }

  async #save(): Promise<void> {
    await this.#desk.log.saveProgress().catch((cause: unknown) => this.#desk.reports.troubled(cause))
  }

  #pump(): void {
    if (this.#isStopping) return
    this.#callOffTimer()
    const nowMs = this.#desk.clock.nowMs()
    let nextMs = Infinity
    for (const track of this.#tracks) {
      if (track.running !== undefined) continue
      const index = track.lanes.findIndex((lane) => lane.dueAtMs() <= nowMs)
      const lane = track.lanes[index]
      if (lane === undefined || track.restsUntilMs > nowMs) {
        const dueMs = Math.min(...track.lanes.map((each) => each.dueAtMs()))
        nextMs = Math.min(nextMs, Math.max(dueMs, track.restsUntilMs))
        continue
      }
      // Whoever has had a turn goes to the end.
      track.lanes.push(...track.lanes.splice(index, 1))
      track.running = this.#run(lane, track)
    }
    if (nextMs < Infinity) this.#callOffTimer = this.#desk.clock.after(nextMs - nowMs, () => this.#pump())
    if (this.#desk.blocks === 0 && this.#tracks.every(({ running }) => running === undefined)) {
      for (const resolve of this.#idle.splice(0)) resolve()
    }
  }

  async #run(lane: Lane, track: Track): Promise<void> {
    try {
      await lane.step()
    } catch (cause) {
      this.#desk.reports.troubled(cause)
      track.restsUntilMs = this.#desk.clock.nowMs() + restMs
    }
    track.running = undefined
    this.#pump()
  }
}
