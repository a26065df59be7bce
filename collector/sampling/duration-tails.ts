// What is unusually slow for an operation: beyond what all but one in a hundred of its spans take. Each operation has a coarse
// histogram whose past fades, so that what stays slow becomes usual after some dozens of slow spans and no longer claims the
// budget.

/** Operations that are judged at the same time; 544 KiB. Others wait until the table is cleared. */
export const operationsMax = 4_096

/** An operation is judged once so many of its spans are known. */
const warmUpSpans = 100
/** Above the histogram of an operation this is the share of its spans that may be unusual. */
const tailShare = 0.01
/** Counts are halved when there are so many of them. */
const fadeAtSpans = 16_384
const judgeAgainEach = 64
/** A full table is cleared at most so often: names that are new for ever must not keep the others from being judged. */
const clearEachMs = 600_000

/**
 * Eight buckets of the 5 % histogram make one of these, which is half as long again; what is below a microsecond is in the
 * first, what is beyond fourteen hours in the last.
 */
const buckets = 64
const firstBucket = 136
const slots = 2 * operationsMax

/** Knows operations by their numbers, which hold until `clear`. */
export class DurationTails {
  #size = 0
  #clearedMs = -Infinity
  /** Open addressing; place + 1, 0 is free. */
  readonly #slots = new Int32Array(slots)
  readonly #services = new Int32Array(operationsMax)
  readonly #operations = new Int32Array(operationsMax)
  readonly #kinds = new Uint8Array(operationsMax)
  readonly #counts = new Uint16Array(operationsMax * buckets)
  readonly #totals = new Uint16Array(operationsMax)
  readonly #usualMax = new Uint8Array(operationsMax)

  get size(): number {
    return this.#size
  }

  advance(nowMs: number): void {
    if (this.#clearedMs > nowMs || this.#clearedMs === -Infinity) this.#clearedMs = nowMs
    if (this.#size < operationsMax || nowMs - this.#clearedMs < clearEachMs) return
    this.clear()
    this.#clearedMs = nowMs
  }

  /** Forgets all operations. */
  clear(): void {
    this.#size = 0
    this.#slots.fill(0)
    this.#counts.fill(0)
    this.#totals.fill(0)
  }

  /** Whether a span was unusually slow, given those before it; learns from it. `bucket` is that of the 5 % histogram. */
  isUnusual(service: number, operation: number, kind: number, bucket: number): boolean {
    const place = this.#placeOf(service, operation, kind)
    if (place < 0) return false
    const own = Math.min(buckets - 1, Math.max(0, (bucket - firstBucket) >> 3))
    const isWarm = (this.#totals[place] as number) >= warmUpSpans
    const isUnusual = isWarm && own > (this.#usualMax[place] as number)
    const total = (this.#totals[place] as number) + 1
    this.#totals[place] = total
    this.#counts[place * buckets + own] = (this.#counts[place * buckets + own] as number) + 1
    if (total >= fadeAtSpans) this.#fade(place)
    if (total === warmUpSpans || total % judgeAgainEach === 0) this.#judge(place)
    return isUnusual
  }

  #judge(place: number): void {
    const allowed = (this.#totals[place] as number) * tailShare
    let above = 0
    let bucket = buckets - 1
    for (; bucket > 0; bucket -= 1) {
      above += this.#counts[place * buckets + bucket] as number
      if (above > allowed) break
    }
    this.#usualMax[place] = bucket
  }

  #fade(place: number): void {
    let total = 0
    for (let at = place * buckets; at < (place + 1) * buckets; at += 1) {
      const half = (this.#counts[at] as number) >>> 1
      this.#counts[at] = half
      total += half
    }
    this.#totals[place] = total
  }

  #placeOf(service: number, operation: number, kind: number): number {
    let slot = slotHash(service, operation, kind) & (slots - 1)
    for (;;) {
      const place = (this.#slots[slot] as number) - 1
      if (place < 0) break
      if (this.#operations[place] === operation && this.#services[place] === service && this.#kinds[place] === kind) {
        return place
      }
      slot = (slot + 1) & (slots - 1)
    }
    if (this.#size === operationsMax) return -1
    const place = this.#size
    this.#size += 1
    this.#slots[slot] = place + 1
    this.#services[place] = service
    this.#operations[place] = operation
    this.#kinds[place] = kind
    return place
  }
}

function slotHash(service: number, operation: number, kind: number): number {
  let hash = Math.imul(operation ^ Math.imul(service, 0x9e3779b1) ^ (kind << 27), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
