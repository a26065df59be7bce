// A LowCardinality(String) column: the distinct texts of the block once, and a small number per row. ClickHouse takes that
// over as it is, where plain texts would cost it a look-up each.

import { ByteColumn } from './byte-column.ts'
import type { TextTable } from './text-table.ts'

const firstRows = 1_024
const firstDictionaryBytes = 256
/** There are dozens of such columns in a block. */
const keepDictionaryBytes = 65_536

/** Rows as numbers of texts in a table. The dictionary is made when the block is written. */
export class LowCardinalityColumn {
  readonly table: TextTable
  #rows = new Uint32Array(firstRows)
  readonly #dictionary = new ByteColumn(new Uint8Array(firstDictionaryBytes))
  #hasDictionary = false
  #texts = 0
  /** Rows so far; rows are taken back by making it smaller. */
  length = 0

  constructor(table: TextTable) {
    this.table = table
  }

  /** Adds a row that holds this text of the table. */
  add(number: number): void {
    if (this.length === this.#rows.length) this.#grow()
    this.#rows[this.length++] = number
  }

  /** The dictionary and the rows. Nothing at all when there are no rows, as ClickHouse has it. */
  write(out: ByteColumn): void {
    if (this.length === 0) return
    this.writeHead(out, this.length)
    this.writeRows(out, 0, this.length)
  }

  /** What comes before that many rows. */
  writeHead(out: ByteColumn, rows: number): void {
    const dictionary = this.#dictionaryOfRows()
    // The dictionary follows (0x200) and is the block's own (0x400); the low byte is the width of a row.
    out.u64(0x600 + (this.#width >> 1))
    out.u64(this.#texts)
    out.copy(dictionary.bytes, 0, dictionary.length)
    out.u64(rows)
  }

  /** Rows from `start` to `end`, after the head. */
  writeRows(out: ByteColumn, start: number, end: number): void {
    const width = this.#width
    out.reserve((end - start) * width)
    const { bytes } = out
    const rows = this.#rows
    let at = out.length
    for (let row = start; row < end; row += 1) {
      const local = rows[row] as number
      bytes[at++] = local
      if (width === 1) continue
      bytes[at++] = local >>> 8
      if (width === 2) continue
      bytes[at++] = local >>> 16
      bytes[at++] = local >>> 24
    }
    out.length = at
  }

  /** The bytes that head and so many rows take. Nothing may be added from now on until the column is cleared. */
  byteSizeOf(rows: number): number {
    return rows === 0 ? 0 : 24 + this.#dictionaryOfRows().length + rows * this.#width
  }

  get memoryBytes(): number {
    return this.length * 4
  }

  clear(keepBytes: number): void {
    this.length = 0
    this.#hasDictionary = false
    this.#dictionary.clear(keepDictionaryBytes)
    if (this.#rows.byteLength > keepBytes) this.#rows = new Uint32Array(firstRows)
  }

  get #width(): number {
    return this.#texts <= 256 ? 1 : this.#texts <= 65_536 ? 2 : 4
  }

  /** Turns the rows into numbers of a dictionary that holds just the texts that are in them. */
  #dictionaryOfRows(): ByteColumn {
    const dictionary = this.#dictionary
    if (this.#hasDictionary) return dictionary
    const { table } = this
    const rows = this.#rows
    const { places, stamps, stamp } = nextScratch(table.size)
    let texts = 0
    for (let row = 0; row < this.length; row += 1) {
      const number = rows[row] as number
      if (stamps[number] !== stamp) {
        stamps[number] = stamp
        places[number] = texts
        texts += 1
        const start = table.startOf(number)
        const end = table.endOf(number)
        dictionary.varint(end - start)
        dictionary.copy(table.bytes, start, end)
      }
      rows[row] = places[number] as number
    }
    this.#texts = texts
    this.#hasDictionary = true
    return dictionary
  }

  #grow(): void {
    const rows = new Uint32Array(this.#rows.length * 2)
    rows.set(this.#rows)
    this.#rows = rows
  }
}

/** What stands before the data of such a column, at its beginning or at that of what it is nested in. */
export function writeLowCardinalityPrefix(out: ByteColumn): void {
  out.u64(1)
}

/** The place in the dictionary of each number of a table, valid where the stamp is the present one. All columns share it. */
const scratch = { places: new Uint32Array(1_024), stamps: new Uint32Array(1_024), stamp: 0 }

function nextScratch(size: number): typeof scratch {
  if (size > scratch.places.length || scratch.stamp === 0xffff_ffff) {
    const length = Math.max(size, scratch.places.length) * 2
    Object.assign(scratch, { places: new Uint32Array(length), stamps: new Uint32Array(length), stamp: 0 })
  }
  scratch.stamp += 1
  return scratch
}
