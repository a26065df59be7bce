import { isUtf8 } from 'node:buffer'
import type { ByteColumn, TextTable } from '@headwater/store'
import type { Redaction } from '../redaction/redaction.ts'
import type { Wire } from './wire.ts'

/** Numbers for texts that repeat (operations, services), repaired and redacted once for all their repetitions. */
export class Names {
  readonly #table: TextTable
  readonly #redaction: Redaction
  /** The number of the clean text + 1, by number of the text as it came; 0 is not known yet. */
  #clean = new Int32Array(256)
  #generation = 0
  #empty = 0

  constructor(table: TextTable, redaction: Redaction) {
    this.#table = table
    this.#redaction = redaction
    this.#empty = table.numberOfText('')
  }

  /** Turns to another request; false when every name has another number than before. */
  begin(): boolean {
    if (this.#generation === this.#table.generation) return true
    this.#generation = this.#table.generation
    this.#clean = new Int32Array(256)
    this.#empty = this.#table.numberOfText('')
    return false
  }

  get empty(): number {
    return this.#empty
  }

  /** The number of a text of the request. */
  ofWire({ bytes, view }: Wire, start: number, end: number): number {
    if (start === end) return this.#empty
    const number = this.#table.numberOf(bytes, view, start, end)
    const known = number < this.#clean.length ? (this.#clean[number] as number) : 0
    return known === 0 ? this.#learn(number) : known - 1
  }

  /** The number of a text that was cleaned before it was written there. */
  ofColumn({ bytes, view }: ByteColumn, start: number, end: number): number {
    return this.#table.numberOf(bytes, view, start, end)
  }

  /** The number of a text that is clean. */
  ofText(text: string): number {
    return this.#table.numberOfText(text)
  }

  text(number: number): string {
    return this.#table.text(number)
  }

  #learn(number: number): number {
    const clean = this.#cleanNumber(number)
    if (number >= this.#clean.length) {
      const grown = new Int32Array(Math.max(number + 1, this.#clean.length * 2))
      grown.set(this.#clean)
      this.#clean = grown
    }
    this.#clean[number] = clean + 1
    return clean
  }

  /** Most names are clean as they are, which their bytes tell. */
  #cleanNumber(number: number): number {
    const table = this.#table
    const redaction = this.#redaction
    const [start, end] = [table.startOf(number), table.endOf(number)]
    const isClean =
      !redaction.looksAtEveryText &&
      !redaction.mayHoldSecret(table.bytes, start, end) &&
      isUtf8(table.bytes.subarray(start, end))
    // What a rule drops is no name, so nothing is left of it.
    return isClean ? number : table.numberOfText(redaction.ofText(table.text(number)) ?? '')
  }
}
