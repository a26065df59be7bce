/** Chance that a seed repeats (mulberry32): the same bench sends the same spans. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** A whole number of 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** A whole number from 0 up to, but not, `below`. */
  below(below: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * below)
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count + 3)
    for (let at = 0; at < count; at += 4) bytes.writeUInt32LE(this.next(), at)
    return bytes.subarray(0, count)
  }
}
