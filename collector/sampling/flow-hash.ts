// Whether a run is kept by chance is decided by a hash of its flow ID, so that all its spans meet the same fate wherever they
// are decided. The hash is of all 32 digits and not the digits themselves (OpenTelemetry takes the last 14 of a trace ID as
// they stand), for two reasons. Whoever picks flow IDs would pick those that are always kept. And what a sampler before us
// left over by those digits, by other ones or by `ot=rv` is even for a hash that none of them used: a span that came with
// the weight w and is kept with the chance p stands for exactly w / p, whoever sampled it.

import { createHash } from 'node:crypto'

/** Collectors without a key agree on these, so that they keep the same runs. */
const sharedSeeds = [0x2545f491, 0x4f6cdd1d] as const

/** Hashes flow IDs: 64 bits of MurmurHash3 in two lanes (https://github.com/aappleby/smhasher). Results are fields, not objects. */
export class FlowHash {
  high = 0
  low = 0
  /** The hash as a number from 0 to below 1: a run is kept by a chance that is above it. */
  fraction = 0
  readonly #highSeed: number
  readonly #lowSeed: number

  /** With a key nobody outside can tell which flow IDs are lucky; collectors with the same one keep the same runs. */
  constructor(key?: string) {
    ;[this.#highSeed, this.#lowSeed] = key === undefined ? sharedSeeds : seedsOf(key)
  }

  /** Hashes the 32 digits that begin there. */
  of(bytes: Uint8Array, start: number): void {
    let high = this.#highSeed
    let low = this.#lowSeed
    for (let at = start; at < start + 32; at += 4) {
      const word =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24)
      let one = Math.imul(word, 0xcc9e2d51)
      one = Math.imul((one << 15) | (one >>> 17), 0x1b873593)
      high ^= one
      high = (Math.imul((high << 13) | (high >>> 19), 5) + 0xe6546b64) | 0
      let two = Math.imul(word, 0x239b961b)
      two = Math.imul((two << 16) | (two >>> 16), 0xab0e9789)
      low ^= two
      low = (Math.imul((low << 17) | (low >>> 15), 5) + 0x0bcaa747) | 0
    }
    high = (high + low) | 0
    low = (low + high) | 0
    high = mixed(high)
    low = mixed(low)
    high = (high + low) | 0
    low = (low + high) | 0
    this.high = high
    this.low = low
    this.fraction = ((high >>> 0) * 2 ** 21 + (low >>> 11)) / 2 ** 53
  }
}

function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}

function seedsOf(key: string): [number, number] {
  const digest = createHash('sha256').update(`flow sampling ${key}`).digest()
  return [digest.readInt32LE(0), digest.readInt32LE(4)]
}
