// Texts that come again and again (attribute names, services, operations) get a number each, so that what is known of a
// text is one look into an array and a column of them is a column of small numbers.

/** Above this many texts, or bytes of them, the table forgets everything at the next chance: hostile names are new for ever. */
const textsMax = 1 << 16
const textBytesMax = 4 << 20

/** Colliding names cannot be made without knowing it. */
const seed = (Math.random() * 0x1_0000_0000) | 0

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

  /** The number of a text. `view` is a view of the same bytes as `source`. */
  numberOf(source: Uint8Array, view: DataView, start: number, end: number): number {
    const length = end - start
    let hash = Math.imul(seed ^ length, 0x9e3779b1)
    let at = start
    for (; at + 4 <= end; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(at, true), 0x85ebca6b)
      hash ^= hash >>> 15
    }
    for (; at < end; at += 1) hash = Math.imul(hash ^ (source[at] as number), 0xc2b2ae35)
    hash ^= hash >>> 13
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
    return this.size > textsMax || this.endOf(this.size - 1) > textBytesMax
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

function grown<A extends Uint8Array | Uint32Array | Int32Array>(from: A, to: A): A {
  to.set(from)
  return to
}
