// What came, before anything of it was shed: spans, errors and durations of each operation per ten seconds, so that rates are
// exact whatever is kept. The counts of a request are staged until all of it is read, for it may be refused; then they belong
// to the block that it went into, and meet that block's fate. Rows of the same window add up in ClickHouse.

import type { SpanCount, TextTable } from '@headwater/store'

/** Operations and windows that one block may count apart, and buckets of their durations; about 4 MiB. */
export interface CountLimits {
  keysMax: number
  bucketsMax: number
}

const limitsMax: CountLimits = { keysMax: 1 << 14, bucketsMax: 1 << 17 }
const windowMs = 10_000
const kinds = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer']
/** Buckets of a UInt64 in nanoseconds. */
const bucketBits = 10
const bucketsOfAll = 1 << bucketBits
const firstStaged = 1_024

/** Owns its memory, all of it from the start; only the stage grows, with the largest request. */
export class SpanCounts {
  /** Spans that found no room and were counted as `other`. */
  others = 0
  readonly #limits: CountLimits
  #texts: TextTable | undefined
  #generation = -1
  #nowMs = 0

  #size = 0
  /** Open addressing; key + 1, 0 is free. */
  readonly #slots: Int32Array
  readonly #slotOfKey: Int32Array
  readonly #windows: Int32Array
  readonly #services: Int32Array
  readonly #operations: Int32Array
  readonly #kinds: Uint8Array
  readonly #spans: Float64Array
  readonly #errors: Float64Array
  /** Texts are taken when a key is made: numbers lose their meaning. */
  readonly #serviceTexts: string[] = []
  readonly #operationTexts: string[] = []

  #pairs = 0
  /** Open addressing by key and bucket together; pair + 1, 0 is free. */
  readonly #pairSlots: Int32Array
  readonly #slotOfPair: Int32Array
  /** Key and bucket of each pair, as one number. */
  readonly #pairNames: Int32Array
  readonly #pairCounts: Uint32Array
  /** What found no room, in the window in which it came. */
  #other = emptyOther()

  /** The spans of the request at hand: twice the pair, and one more for an error; below 0 in the same way those of `other`. */
  #stage = new Int32Array(firstStaged)
  #staged = 0

  constructor(limits: Partial<CountLimits> = {}) {
    const keysMax = Math.min(limits.keysMax ?? limitsMax.keysMax, limitsMax.keysMax)
    const bucketsMax = Math.min(limits.bucketsMax ?? limitsMax.bucketsMax, limitsMax.bucketsMax)
    this.#limits = { keysMax, bucketsMax }
    this.#slots = new Int32Array(powerAbove(2 * keysMax))
    this.#slotOfKey = new Int32Array(keysMax)
    this.#windows = new Int32Array(keysMax)
    this.#services = new Int32Array(keysMax)
    this.#operations = new Int32Array(keysMax)
    this.#kinds = new Uint8Array(keysMax)
    this.#spans = new Float64Array(keysMax)
    this.#errors = new Float64Array(keysMax)
    this.#pairSlots = new Int32Array(powerAbove(2 * bucketsMax))
    this.#slotOfPair = new Int32Array(bucketsMax)
    this.#pairNames = new Int32Array(bucketsMax)
    this.#pairCounts = new Uint32Array(bucketsMax)
  }

  /** Keys for which there are counts or were going to be. */
  get size(): number {
    return this.#size
  }

  /** Turns to a request whose services and operations are numbers of this table. */
  begin(texts: TextTable, nowMs: number): void {
    this.rollBack()
    this.#nowMs = nowMs
    if (this.#texts === texts && this.#generation === texts.generation) return
    this.#texts = texts
    this.#generation = texts.generation
    // Nothing is found under its old number any more; what was counted is told all the same.
    this.#slots.fill(0)
  }

  /** Stages a span that ended at this time and whose duration is in this bucket. */
  count(service: number, operation: number, kind: number, isError: boolean, bucket: number, endMs: number): void {
    const key = this.#keyOf(Math.floor(endMs / windowMs), service, operation, kind)
    const pair = key < 0 ? -1 : this.#pairOf(key * bucketsOfAll + bucket)
    if (this.#staged === this.#stage.length) this.#growStage()
    this.#stage[this.#staged] = 2 * (pair < 0 ? -1 - bucket : pair) + (isError ? 1 : 0)
    this.#staged += 1
  }

  /** Counts what is staged: the request was read to its end. */
  commit(): void {
    for (let at = 0; at < this.#staged; at += 1) {
      const staged = this.#stage[at] as number
      const pair = staged >> 1
      const errors = staged & 1
      if (pair < 0) {
        this.#countOther(errors, -1 - pair)
        continue
      }
      const key = (this.#pairNames[pair] as number) >>> bucketBits
      this.#spans[key] = (this.#spans[key] as number) + 1
      this.#errors[key] = (this.#errors[key] as number) + errors
      this.#pairCounts[pair] = (this.#pairCounts[pair] as number) + 1
    }
    this.#staged = 0
  }

  /** Forgets what is staged: the request was refused. */
  rollBack(): void {
    this.#staged = 0
  }

  /** Takes out all that was committed since the last time. */
  take(): SpanCount[] {
    const rows: SpanCount[] = []
    const durations = Array.from({ length: this.#size }, () => new Map<number, number>())
    for (let key = 0; key < this.#size; key += 1) {
      this.#slots[this.#slotOfKey[key] as number] = 0
      // What came with requests that were refused has left keys without spans.
      if (this.#spans[key] === 0) continue
      rows.push(this.#rowOf(key, durations[key] as Map<number, number>))
    }
    for (let pair = 0; pair < this.#pairs; pair += 1) {
      this.#pairSlots[this.#slotOfPair[pair] as number] = 0
      const count = this.#pairCounts[pair] as number
      if (count === 0) continue
      const name = this.#pairNames[pair] as number
      durations[name >>> bucketBits]?.set(name & (bucketsOfAll - 1), count)
    }
    if (this.#other.spans > 0) {
      rows.push({ ...this.#other, operation: '', service: 'other', kind: '' })
      this.#other = emptyOther()
    }
    this.#size = 0
    this.#pairs = 0
    this.#staged = 0
    this.#serviceTexts.length = 0
    this.#operationTexts.length = 0
    return rows
  }

  #rowOf(key: number, duration: SpanCount['duration']): SpanCount {
    return {
      windowS: ((this.#windows[key] as number) * windowMs) / 1_000,
      service: this.#serviceTexts[key] as string,
      operation: this.#operationTexts[key] as string,
      kind: kinds[this.#kinds[key] as number] as string,
      spans: this.#spans[key] as number,
      errors: this.#errors[key] as number,
      duration,
    }
  }

  #countOther(errors: number, bucket: number): void {
    const other = this.#other
    if (other.spans === 0) other.windowS = (Math.floor(this.#nowMs / windowMs) * windowMs) / 1_000
    other.spans += 1
    other.errors += errors
    other.duration.set(bucket, (other.duration.get(bucket) ?? 0) + 1)
    this.others += 1
  }

  #keyOf(window: number, service: number, operation: number, kind: number): number {
    const mask = this.#slots.length - 1
    let slot = keyHash(window, service, operation, kind) & mask
    for (;;) {
      const key = (this.#slots[slot] as number) - 1
      if (key < 0) break
      if (
        this.#operations[key] === operation &&
        this.#services[key] === service &&
        this.#windows[key] === window &&
        this.#kinds[key] === kind
      ) {
        return key
      }
      slot = (slot + 1) & mask
    }
    if (this.#size === this.#limits.keysMax || this.#texts === undefined) return -1
    const key = this.#size
    this.#size += 1
    this.#slots[slot] = key + 1
    this.#slotOfKey[key] = slot
    this.#windows[key] = window
    this.#services[key] = service
    this.#operations[key] = operation
    this.#kinds[key] = kind
    this.#spans[key] = 0
    this.#errors[key] = 0
    this.#serviceTexts[key] = this.#texts.text(service)
    this.#operationTexts[key] = this.#texts.text(operation)
    return key
  }

  /** The place of a key's bucket, or -1 where there is no room for it. */
  #pairOf(name: number): number {
    const mask = this.#pairSlots.length - 1
    let slot = mixed(name) & mask
    for (;;) {
      const pair = (this.#pairSlots[slot] as number) - 1
      if (pair < 0) break
      if (this.#pairNames[pair] === name) return pair
      slot = (slot + 1) & mask
    }
    if (this.#pairs === this.#limits.bucketsMax) return -1
    const pair = this.#pairs
    this.#pairs += 1
    this.#pairSlots[slot] = pair + 1
    this.#slotOfPair[pair] = slot
    this.#pairNames[pair] = name
    this.#pairCounts[pair] = 0
    return pair
  }

  /** A request has a bound on its records, so the stage has it too. */
  #growStage(): void {
    const grown = new Int32Array(2 * this.#stage.length)
    grown.set(this.#stage)
    this.#stage = grown
  }
}

type Other = Pick<SpanCount, 'windowS' | 'spans' | 'errors'> & { duration: Map<number, number> }

function emptyOther(): Other {
  return { windowS: 0, spans: 0, errors: 0, duration: new Map() }
}

function keyHash(window: number, service: number, operation: number, kind: number): number {
  return mixed(window ^ Math.imul(service, 0x9e3779b1) ^ Math.imul(operation, 0x85ebca6b) ^ (kind << 27))
}

function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}

function powerAbove(size: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, size)))
}
