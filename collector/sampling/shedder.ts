// When more spans come than there is a budget for, runs are shed, not spans: a run is kept or not by the hash of its flow ID.
// Kept for certain are spans that failed or were unusually slow, and what comes of their runs from then on. A span that is kept
// says how many it stands for: one over its chance, given what was known when it was decided (Horvitz and Thompson 1952). What
// makes a span certain never depends on the hash, so sums of weights are right on average, and what was counted before
// shedding is right exactly.

import type { SpanCount, TextTable } from '@headwater/store'
import { bucketOf } from '@headwater/vocabulary'
import { DurationTails } from './duration-tails.ts'
import { FlowHash } from './flow-hash.ts'
import { FlowMemory } from './flow-memory.ts'
import { SpanBudget } from './span-budget.ts'
import { SpanCounts } from './span-counts.ts'

export interface ShedderOptions {
  /** Spans a second that are kept. */
  spansPerSecond: number
  /** Hides from outside which flow IDs are lucky; collectors with the same one keep the same runs. */
  hashKey?: string
}

/** What is known of a span when its fate is decided. One object is filled again and again. */
export interface SpanInHand {
  /** Numbers of texts in the table that `begin` was given. */
  service: number
  operation: number
  /** As OTLP numbers them. */
  kind: number
  isError: boolean
  durationNs: number
  endMs: number
  /** How many spans it stands for already, as its sender sampled. */
  weight: number
}

/** Why a span was kept: it failed, was slow, is of a run that did; or its run's hash is within the chance. */
export type KeptReason = 'error' | 'latency' | 'run' | 'chance'

/** Why a span was shed: its run's hash is beyond the chance; or more came than rates could follow. */
export type ShedReason = 'budget' | 'ceiling'

/** Decides which spans are kept, in the order in which they come. Owns the memory that this takes, about 8 MiB. */
export class Shedder {
  /** Spans by reason, since the start. */
  readonly kept: Record<KeptReason, number> = { error: 0, latency: 0, run: 0, chance: 0 }
  readonly shed: Record<ShedReason, number> = { budget: 0, ceiling: 0 }
  /** Of the span that was decided last, if it is kept: how many spans it stands for. */
  weight = 1
  /** And whether its run was kept only from here on, so that other spans of it may be missing. */
  isPartial = false
  readonly #budget: SpanBudget
  readonly #hash: FlowHash
  readonly #memory = new FlowMemory()
  readonly #tails = new DurationTails()
  readonly #counts = new SpanCounts()
  /** What was kept and shed before the request. */
  readonly #before = { kept: { ...this.kept }, shed: { ...this.shed } }
  #texts: TextTable | undefined
  #generation = 0

  constructor({ spansPerSecond, hashKey }: ShedderOptions) {
    this.#budget = new SpanBudget(spansPerSecond)
    this.#hash = new FlowHash(hashKey)
  }

  /** The chance of a run without trouble to be kept, at present. */
  get chance(): number {
    return this.#budget.chance
  }

  /** Runs with trouble that were forgotten before their time, so that more of their spans may be missing. */
  get forgottenEarly(): number {
    return this.#memory.forgottenEarly
  }

  /** Spans that were counted as `other`, for want of room. */
  get countedAsOther(): number {
    return this.#counts.others
  }

  /** Turns to a request, whose texts are numbers of this table. Ends in `commit` or `rollBack`. */
  begin(texts: TextTable, nowMs: number): void {
    this.#counts.begin(texts, nowMs)
    Object.assign(this.#before.kept, this.kept)
    Object.assign(this.#before.shed, this.shed)
    if (this.#texts !== texts || this.#generation !== texts.generation) {
      this.#texts = texts
      this.#generation = texts.generation
      this.#tails.clear()
    }
    this.#tails.advance(nowMs)
    this.#memory.advance(nowMs)
    this.#budget.advance(nowMs)
  }

  /**
   * Counts a span of the request, and tells whether it is kept; `weight` and `isPartial` then say as what. `bytes` has the
   * 32 digits of its flow ID from `start` on.
   */
  decide(bytes: Uint8Array, start: number, span: SpanInHand): boolean {
    const { service, operation, kind, isError } = span
    const bucket = bucketOf(span.durationNs)
    this.#counts.count(service, operation, kind, isError, bucket, span.endMs)
    const hash = this.#hash
    hash.of(bytes, start)
    const isUnusual = this.#tails.isUnusual(service, operation, kind, bucket)
    const isTroubled = isError || isUnusual
    const isCertain = isTroubled || this.#memory.knows(hash.high, hash.low)
    if (isTroubled) this.#memory.remember(hash.high, hash.low)
    const budget = this.#budget
    budget.note(isCertain)
    const chance = isCertain ? budget.certainChance : budget.chance
    if (hash.fraction >= chance) {
      this.shed.budget += 1
      return false
    }
    if (!budget.take()) {
      this.shed.ceiling += 1
      return false
    }
    if (isError) this.kept.error += 1
    else if (isUnusual) this.kept.latency += 1
    else if (isCertain) this.kept.run += 1
    else this.kept.chance += 1
    this.weight = span.weight / chance
    this.isPartial = hash.fraction >= budget.chance
    return true
  }

  /** The request was read to its end: what came with it counts for the block that is being filled. Tells what was shed of it. */
  commit(): Record<ShedReason, number> {
    this.#counts.commit()
    const { shed } = this.#before
    return { budget: this.shed.budget - shed.budget, ceiling: this.shed.ceiling - shed.ceiling }
  }

  /** The request was refused as a whole: nothing of it is counted. What the budget has learned from it stays. */
  rollBack(): void {
    this.#counts.rollBack()
    Object.assign(this.kept, this.#before.kept)
    Object.assign(this.shed, this.#before.shed)
  }

  /** What came with the block that was filled since the last time, before any of it was shed. */
  takeCounts(): SpanCount[] {
    return this.#counts.take()
  }
}
