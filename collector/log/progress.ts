// What the log knows beside its records: which blocks are done with, and in which batches others are on their way. A
// batch is written down before it is inserted, so that after a crash the same blocks go again under the same token, and
// ClickHouse, which remembers tokens, counts them once.

import { z } from 'zod'
import { signals, type Signal } from './record.ts'
import { Sequences } from './sequences.ts'

const sequence = z.int().nonnegative()
const perSignal = <Value extends z.ZodType>(value: Value) => z.object({ traces: value, logs: value })

const intervals = perSignal(z.array(z.tuple([sequence, sequence])))

const positionSchema = z.object({
  sequence,
  /** Halves taken from the whole block down: 0 the first, 1 the second. All before it is done. */
  path: z.string().regex(/^[01]{0,32}$/),
  storedRows: z.int().nonnegative(),
  quarantinedRows: z.int().nonnegative(),
})

/** How far a batch is that ClickHouse refused as a whole and that goes in pieces since. */
export type Position = z.infer<typeof positionSchema>

const batchSchema = z.object({
  number: z.int().positive(),
  token: z.string().min(1).max(200),
  signal: z.enum(signals),
  first: sequence,
  last: sequence,
  position: positionSchema.optional(),
})

/** Blocks that are inserted together: all of the signal from `first` to `last` that are not done. */
export interface Batch {
  number: number
  token: string
  signal: Signal
  first: number
  last: number
  position?: Position | undefined
}

export const progressSchema = z.object({
  /** No segment has a higher number: numbers are not used again. */
  segment: z.int().nonnegative(),
  batch: z.int().nonnegative(),
  /** Up to here blocks were acknowledged as durable: if one is missing, it is lost. */
  durable: perSignal(sequence),
  done: intervals,
  /** Given up, and whoever keeps the books has not said yet that it is in them: told again when the log is opened. */
  lost: intervals,
  inFlight: z.array(batchSchema),
})

export type ProgressContent = z.infer<typeof progressSchema>

/** The log's progress in memory. Its size is bounded by who makes batches: see `runsMax` of the backlog. */
export class Progress {
  segment: number
  batch: number
  readonly durable: Record<Signal, number>
  readonly done: Readonly<Record<Signal, Sequences>>
  readonly lost: Readonly<Record<Signal, Sequences>>
  readonly #inFlight = new Map<number, Batch>()

  constructor(content?: ProgressContent) {
    this.segment = content?.segment ?? 0
    this.batch = content?.batch ?? 0
    this.durable = { ...(content?.durable ?? { traces: 0, logs: 0 }) }
    this.done = { traces: new Sequences(content?.done.traces), logs: new Sequences(content?.done.logs) }
    this.lost = { traces: new Sequences(content?.lost.traces), logs: new Sequences(content?.lost.logs) }
    for (const batch of content?.inFlight ?? []) this.#inFlight.set(batch.number, batch)
  }

  get inFlight(): Batch[] {
    return [...this.#inFlight.values()]
  }

  begin(batch: Batch): void {
    this.batch = Math.max(this.batch, batch.number)
    this.#inFlight.set(batch.number, batch)
  }

  end(batch: Batch): void {
    this.#inFlight.delete(batch.number)
  }

  content(): ProgressContent {
    return {
      segment: this.segment,
      batch: this.batch,
      durable: this.durable,
      done: intervalsOf(this.done),
      lost: intervalsOf(this.lost),
      inFlight: this.inFlight,
    }
  }
}

function intervalsOf({ traces, logs }: Readonly<Record<Signal, Sequences>>): ProgressContent['done'] {
  return {
    traces: traces.intervals.map(([first, last]) => [first, last]),
    logs: logs.intervals.map(([first, last]) => [first, last]),
  }
}
