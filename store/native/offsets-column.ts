import type { ByteColumn } from './byte-column.ts'

const firstRows = 512

/** Where each row of an Array or a Map ends among the elements of all rows: 64-bit numbers, of which the low half suffices. */
export class OffsetsColumn {
  #words = new Uint32Array(2 * firstRows)
  length = 0

  /** Adds a row that ends there. */
  add(end: number): void {
    if (2 * this.length === this.#words.length) this.#grow()
    this.#words[2 * this.length] = end
    this.length += 1
  }

  write(out: ByteColumn): void {
    out.copy(new Uint8Array(this.#words.buffer), 0, this.length * 8)
  }

  get byteSize(): number {
    return this.length * 8
  }

  get memoryBytes(): number {
    return this.length * 8
  }

  clear(keepBytes: number): void {
    this.length = 0
    if (this.#words.byteLength > keepBytes) this.#words = new Uint32Array(2 * firstRows)
  }

  #grow(): void {
    const words = new Uint32Array(this.#words.length * 2)
    words.set(this.#words)
    this.#words = words
  }
}
