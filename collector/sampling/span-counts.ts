// What came, before anything of it was shed: spans, errors and durations of each operation per ten seconds, so that rates are
// exact whatever is kept. Rows of the same window add up in ClickHouse, so a window may be told in pieces.

import type { SpanCount, TextTable } from '@headwater/store'

/** Operations and windows that are counted at the same time, and buckets of their durations; about 5 MiB. */
export interface CountLimits {
  keysMax: number
  bucketsMax: number
}

const limitsMax: CountLimits = { keysMax: 1 << 14, bucketsMax: 1 << 18 }
const windowMs = 10_000
/** SDKs send after five seconds: so long after its end a window is worth telling. */
const finishedAfterMs = 10_000
const kinds = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer']
/** Buckets of a UInt64 in nanoseconds. */
const bucketsOfAll = 1_024

/** Owns its memory, all of it from the start. */
export class SpanCounts {
  /** Spans that found no room and were counted as `other`. */
  others = 0
  readonly #limits: CountLimits
  #texts: TextTable | undefined
  #generation = -1
  /** Counts how often numbers got another meaning. */
  #epoch = 0
  #nowMs = 0

  #size = 0
  /** Open addressing; key + 1, 0 is free. */
  readonly #slots: Int32Array
  readonly #windows: Int32Array
  readonly #services: Int32Array
  readonly #operations: Int32Array
  readonly #kinds: Uint8Array
  readonly #epochs: Int32Array
  readonly #spans: Float64Array
  readonly #errors: Float64Array
  /** Texts are taken when a key is made: numbers lose their meaning. */
  readonly #serviceTexts: string[] = []
  readonly #operationTexts: string[] = []

  #pairs = 0
  /** Open addressing by key and bucket together, + 1; 0 is free. */
  readonly #pairSlots: Int32Array
  readonly #pairCounts: Uint32Array
  /** What found no room, in the window in which it came. */
  #other = emptyOther()

  constructor(limits: Partial<CountLimits> = {}) {
    const keysMax = Math.min(limits.keysMax ?? limitsMax.keysMax, limitsMax.keysMax)
    const bucketsMax = Math.min(limits.bucketsMax ?? limitsMax.bucketsMax, limitsMax.bucketsMax)
    this.#limits = { keysMax, bucketsMax }
    this.#slots = new Int32Array(powerAbove(2 * keysMax))
    this.#windows = new Int32Array(keysMax)
    this.#services = new Int32Array(keysMax)
    this.#operations = new Int32Array(keysMax)
    this.#kinds = new Uint8Array(keysMax)
    this.#epochs = new Int32Array(keysMax)
    this.#spans = new Float64Array(keysMax)
    this.#errors = new Float64Array(keysMax)
    this.#pairSlots = new Int32Array(powerAbove(2 * bucketsMax))
    this.#pairCounts = new Uint32Array(this.#pairSlots.length)
  }

  /** Keys that are counted now. */
  get size(): number {
    return this.#size
  }

  /** Turns to a request whose services and operations are numbers of this table. */
  begin(texts: TextTable, nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#texts === texts && this.#generation === texts.generation) return
    this.#texts = texts
    this.#generation = texts.generation
    this.#epoch += 1
    // Nothing is found under its old number any more; what was counted is told all the same.
    this.#slots.fill(0)
  }

  /** Counts a span that ended at this time and whose duration is in this bucket. */
  count(service: number, operation: number, kind: number, isError: boolean, bucket: number, endMs: number): void {
    const key = this.#keyOf(Math.floor(endMs / windowMs), service, operation, kind)
    const pair = key < 0 ? -1 : this.#pairOf(key * bucketsOfAll + bucket + 1)
    if (pair < 0) {
      this.#countOther(isError, bucket)
      return
    }
    this.#spans[key] = (this.#spans[key] as number) + 1
    if (isError) this.#errors[key] = (this.#errors[key] as number) + 1
    this.#pairCounts[pair] = (this.#pairCounts[pair] as number) + 1
  }

  /**
   * Takes out the windows that have ended, and those that lie ahead by someone's wrong clock; what is still running stays
   * unless `all` is asked for.
   */
  drain(nowMs: number, { all = false }: { all?: boolean } = {}): SpanCount[] {
    const isDue = (window: number): boolean =>
      all || (window + 1) * windowMs + finishedAfterMs <= nowMs || window * windowMs > nowMs + windowMs
    const rows = new Map<number, SpanCount>()
    const staying: number[] = []
    for (let key = 0; key < this.#size; key += 1) {
      if (!isDue(this.#windows[key] as number)) staying.push(key)
      // A key whose first span found no room for its bucket has none.
      else if ((this.#spans[key] as number) > 0) rows.set(key, this.#rowOf(key))
    }
    this.#take(rows, staying)
    const drained = [...rows.values()]
    if (this.#other.spans > 0) {
      drained.push({ ...this.#other, operation: '', service: 'other', kind: '' })
      this.#other = emptyOther()
    }
    return drained
  }

  #rowOf(key: number): SpanCount {
    return {
      windowS: ((this.#windows[key] as number) * windowMs) / 1_000,
      service: this.#serviceTexts[key] as string,
      operation: this.#operationTexts[key] as string,
      kind: kinds[this.#kinds[key] as number] as string,
      spans: this.#spans[key] as number,
      errors: this.#errors[key] as number,
      duration: {},
    }
  }

  /** Moves the buckets of rows into them, and closes the ranks of what stays. */
  #take(rows: ReadonlyMap<number, SpanCount>, staying: readonly number[]): void {
    if (rows.size === 0 && staying.length === this.#size) return
    const placeOf = new Map(staying.map((key, place) => [key, place]))
    const stayingPairs: { pair: number; count: number }[] = []
    for (let slot = 0; slot < this.#pairSlots.length; slot += 1) {
      const pair = (this.#pairSlots[slot] as number) - 1
      if (pair < 0) continue
      const count = this.#pairCounts[slot] as number
      const key = Math.floor(pair / bucketsOfAll)
      const bucket = pair % bucketsOfAll
      const row = rows.get(key)
      if (row !== undefined) row.duration[bucket] = count
      const place = placeOf.get(key)
      if (place !== undefined) stayingPairs.push({ pair: place * bucketsOfAll + bucket, count })
    }
    this.#slots.fill(0)
    this.#pairSlots.fill(0)
    this.#pairCounts.fill(0)
    this.#pairs = 0
    for (const [place, key] of staying.entries()) this.#move(key, place)
    this.#size = staying.length
    this.#serviceTexts.length = this.#size
    this.#operationTexts.length = this.#size
    for (const { pair, count } of stayingPairs) this.#pairCounts[this.#pairOf(pair + 1)] = count
  }

  #move(from: number, to: number): void {
    this.#windows[to] = this.#windows[from] as number
    this.#services[to] = this.#services[from] as number
    this.#operations[to] = this.#operations[from] as number
    this.#kinds[to] = this.#kinds[from] as number
    this.#epochs[to] = this.#epochs[from] as number
    this.#spans[to] = this.#spans[from] as number
    this.#errors[to] = this.#errors[from] as number
    this.#serviceTexts[to] = this.#serviceTexts[from] as string
    this.#operationTexts[to] = this.#operationTexts[from] as string
    if (this.#epochs[to] === this.#epoch) this.#slots[this.#freeSlotOf(to)] = to + 1
  }

  #freeSlotOf(key: number): number {
    const mask = this.#slots.length - 1
    let slot =
      keyHash(
        this.#windows[key] as number,
        this.#services[key] as number,
        this.#operations[key] as number,
        this.#kinds[key] as number,
      ) & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    return slot
  }

  #countOther(isError: boolean, bucket: number): void {
    const other = this.#other
    if (other.spans === 0) other.windowS = (Math.floor(this.#nowMs / windowMs) * windowMs) / 1_000
    other.spans += 1
    if (isError) other.errors += 1
    other.duration[bucket] = (other.duration[bucket] ?? 0) + 1
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
    this.#windows[key] = window
    this.#services[key] = service
    this.#operations[key] = operation
    this.#kinds[key] = kind
    this.#epochs[key] = this.#epoch
    this.#spans[key] = 0
    this.#errors[key] = 0
    this.#serviceTexts[key] = this.#texts.text(service)
    this.#operationTexts[key] = this.#texts.text(operation)
    return key
  }

  /** Where a key's bucket is counted, or -1 where there is no room for it. */
  #pairOf(pair: number): number {
    const mask = this.#pairSlots.length - 1
    let slot = mixed(pair) & mask
    for (;;) {
      const found = this.#pairSlots[slot] as number
      if (found === pair) return slot
      if (found === 0) break
      slot = (slot + 1) & mask
    }
    if (this.#pairs === this.#limits.bucketsMax) return -1
    this.#pairs += 1
    this.#pairSlots[slot] = pair
    return slot
  }
}

function emptyOther(): Pick<SpanCount, 'windowS' | 'spans' | 'errors' | 'duration'> {
  return { windowS: 0, spans: 0, errors: 0, duration: {} }
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
