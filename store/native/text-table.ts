// Texts that come again and again (attribute names, services, operations) get a number each, so that what is known of a
// text is one look into an array and a column of them is a column of small numbers.

import { randomBytes } from 'node:crypto'

/** What a table holds: above it, it forgets everything at the next chance, since hostile names are new for ever. */
export interface TextTableLimits {
  textsMax: number
  bytesMax: number
}

/** Names of services, operations and peers: those of a large system all fit. A full table takes about 15 MiB. */
export const nameLimits: TextTableLimits = { textsMax: 1 << 17, bytesMax: 8 << 20 }

/** Names of attributes, which are far fewer. */
export const keyLimits: TextTableLimits = { textsMax: 1 << 15, bytesMax: 2 << 20 }

/** Colliding names cannot be made without knowing it. */
const secret = randomBytes(8)
const key0 = secret.readInt32LE(0)
const key1 = secret.readInt32LE(4)

/** A thousand places for texts that were asked for lately. */
const recentShift = 22

/** Numbers for texts, by their bytes. Owns its memory; numbers hold until `forget`. */
export class TextTable {
  /** How many texts there are; they are numbered from 0. */
  size = 0
  /** Counts how often numbers lost their meaning. */
  generation = 0
  #bytes = new Uint8Array(1 << 14)
  #view = new DataView(this.#bytes.buffer)
  #starts = new Uint32Array(1 << 10)
  #hashes = new Int32Array(1 << 10)
  /** Open addressing; number + 1, 0 is free. */
  #slots = new Int32Array(1 << 12)
  readonly #recent = new Uint32Array(1 << (32 - recentShift))
  readonly #limits: TextTableLimits

  constructor(limits = nameLimits) {
    this.#limits = limits
  }

  /** The number of a text. `view` is a view of the same bytes as `source`. */
  numberOf(source: Uint8Array, view: DataView, start: number, end: number): number {
    if (end - start < 4) return this.#find(source, view, start, end)
    // What was asked for lately is often asked for again: its length and its ends tell where it would be noted.
    const mixed = Math.imul(view.getInt32(start, true) ^ (end - start), 0x9e3779b1) ^ view.getInt32(end - 4, true)
    const place = Math.imul(mixed, 0x85ebca6b) >>> recentShift
    const recent = this.#recent[place] as number
    if (recent < this.size && this.isNumberOf(recent, source, view, start, end)) return recent
    return (this.#recent[place] = this.#find(source, view, start, end))
  }

  #find(source: Uint8Array, view: DataView, start: number, end: number): number {
    const hash = keyedHash(source, view, start, end)
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (;;) {
      const number = (this.#slots[slot] as number) - 1
      if (number < 0) return this.#add(source, start, end, hash, slot)
      if (this.#hashes[number] === hash && this.isNumberOf(number, source, view, start, end)) return number
      slot = (slot + 1) & mask
    }
  }

  /** Whether the number is that of this text. */
  isNumberOf(number: number, source: Uint8Array, view: DataView, start: number, end: number): boolean {
    const own = this.#starts[number] as number
    const length = end - start
    if ((this.#starts[number + 1] as number) - own !== length) return false
    const ownView = this.#view
    if (length < 4) {
      for (let offset = 0; offset < length; offset += 1) {
        if (this.#bytes[own + offset] !== source[start + offset]) return false
      }
      return true
    }
    // Words of four bytes; the last one may overlap the one before.
    const last = length - 4
    for (let offset = 0; offset < last; offset += 4) {
      if (ownView.getInt32(own + offset, true) !== view.getInt32(start + offset, true)) return false
    }
    return ownView.getInt32(own + last, true) === view.getInt32(start + last, true)
  }

  /** The number of a text that is a string. */
  numberOfText(text: string): number {
    const bytes = Buffer.from(text)
    return this.numberOf(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
  }

  text(number: number): string {
    return Buffer.from(this.#bytes.buffer, this.startOf(number), this.endOf(number) - this.startOf(number)).toString()
  }

  /** All texts lie in here, each from `startOf` to `endOf`. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  startOf(number: number): number {
    return this.#starts[number] as number
  }

  endOf(number: number): number {
    return this.#starts[number + 1] as number
  }

  /** Whether the table has grown over its bounds and `forget` should be called before the next use. */
  get isFull(): boolean {
    const { textsMax, bytesMax } = this.#limits
    return this.size > textsMax || this.endOf(this.size - 1) > bytesMax
  }

  /** Forgets all texts: every number loses its meaning. */
  forget(): void {
    this.size = 0
    this.generation += 1
    this.#bytes = new Uint8Array(1 << 14)
    this.#view = new DataView(this.#bytes.buffer)
    this.#starts = new Uint32Array(1 << 10)
    this.#hashes = new Int32Array(1 << 10)
    this.#slots = new Int32Array(1 << 12)
  }

  #add(source: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const number = this.size
    this.size += 1
    if (number + 2 > this.#starts.length) {
      this.#starts = grown(this.#starts, new Uint32Array(this.#starts.length * 2))
      this.#hashes = grown(this.#hashes, new Int32Array(this.#hashes.length * 2))
    }
    const own = this.#starts[number] as number
    const ownEnd = own + end - start
    if (ownEnd > this.#bytes.length) {
      this.#bytes = grown(this.#bytes, new Uint8Array(Math.max(ownEnd, this.#bytes.length * 2)))
      this.#view = new DataView(this.#bytes.buffer)
    }
    this.#bytes.set(source.subarray(start, end), own)
    this.#starts[number + 1] = ownEnd
    this.#hashes[number] = hash
    this.#slots[slot] = number + 1
    if (this.size * 2 > this.#slots.length) this.#rehash()
    return number
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 4)
    for (let number = 0; number < this.size; number += 1) {
      let slot = (this.#hashes[number] as number) & (slots.length - 1)
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
      slots[slot] = number + 1
    }
    this.#slots = slots
  }
}

/** HalfSipHash-1-3 (Aumasson and Bernstein 2012): without the key nobody can tell which texts collide. */
function keyedHash(source: Uint8Array, view: DataView, start: number, end: number): number {
  let v0 = key0
  let v1 = key1
  let v2 = 0x6c796765 ^ key0
  let v3 = 0x74656462 ^ key1
  let at = start
  for (; at + 4 <= end; at += 4) {
    const word = view.getInt32(at, true)
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  let last = (end - start) << 24
  for (let shift = 0; at < end; at += 1, shift += 8) last |= (source[at] as number) << shift
  v3 ^= last
  for (let round = 0; round < 4; round += 1) {
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    if (round === 0) {
      v0 ^= last
      v2 ^= 0xff
    }
  }
  return v1 ^ v3
}

function grown<A extends Uint8Array | Uint32Array | Int32Array>(from: A, to: A): A {
  to.set(from)
  return to
}
