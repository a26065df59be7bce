import type { ByteColumn } from './byte-column.ts'

const firstWords = 1_024

/** Numbers of 32 bits; those of 64 bits are two of them, the low half first. */
export class NumberColumn {
  #words = new Uint32Array(firstWords)
  length = 0

  add(word: number): void {
    if (this.length === this.#words.length) this.#grow()
    this.#words[this.length++] = word
  }

  at(row: number): number {
    return this.#words[row] as number
  }

  addDouble(value: number): void {
    double[0] = value
    this.add(halves[0] as number)
    this.add(halves[1] as number)
  }

  write(out: ByteColumn): void {
    out.copy(new Uint8Array(this.#words.buffer), 0, this.byteSize)
  }

  get byteSize(): number {
    return this.length * 4
  }

  get memoryBytes(): number {
    return this.length * 4
  }

  clear(keepBytes: number): void {
    this.length = 0
    if (this.#words.byteLength > keepBytes) this.#words = new Uint32Array(firstWords)
  }

  #grow(): void {
    const words = new Uint32Array(this.#words.length * 2)
    words.set(this.#words)
    this.#words = words
  }
}

const double = new Float64Array(1)
const halves = new Uint32Array(double.buffer)
