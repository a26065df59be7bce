// A block of ClickHouse's Native format: the columns of some rows, one after the other, each with its name and type.

import { ByteColumn } from './byte-column.ts'

/** What a column consists of. Rows are taken back by making `length` smaller. */
export interface BlockPart {
  length: number
  /** What its content takes in memory. */
  readonly memoryBytes: number
  clear(keepBytes: number): void
}

/** A column as it is written. */
export interface BlockColumn {
  name: string
  type: string
  /** What comes before the data of the column, for types that have something there. */
  writePrefix?: (out: ByteColumn) => void
  write: (out: ByteColumn) => void
  /** How many bytes `write` makes, or a few more. */
  byteSize: () => number
}

/** Lengths of a block's parts at some moment. */
export type BlockMark = readonly number[]

/** More than the name and the type of any column take. */
const headBytes = 128

/** Memory that a part keeps from block to block. */
const keepBytes = 12 << 20

/** Rows that gather as columns. Whoever adds a row adds to every part, or takes all back with `rollBack`. */
export class Block {
  readonly columns: readonly BlockColumn[]
  readonly #parts: readonly BlockPart[]
  rows = 0

  constructor(columns: readonly BlockColumn[], parts: readonly BlockPart[]) {
    this.columns = columns
    this.#parts = parts
  }

  /** What the rows take in memory as they are; what is repeated for groups comes on top when the block is sealed. */
  get memoryBytes(): number {
    let bytes = 0
    for (const part of this.#parts) bytes += part.memoryBytes
    return bytes
  }

  mark(): BlockMark {
    return [this.rows, ...this.#parts.map(({ length }) => length)]
  }

  /** Takes back what came after the mark. */
  rollBack([rows = 0, ...lengths]: BlockMark): void {
    this.rows = rows
    for (const [index, part] of this.#parts.entries()) part.length = lengths[index] as number
  }

  /** The block's bytes; it is empty afterwards, also when there is no memory for them. */
  seal(): Buffer {
    try {
      const out = new ByteColumn(Buffer.allocUnsafeSlow(this.#byteSize + headBytes * (1 + this.columns.length)))
      out.varint(this.columns.length)
      out.varint(this.rows)
      for (const { name, type, writePrefix, write } of this.columns) {
        out.text(name)
        out.text(type)
        writePrefix?.(out)
        write(out)
      }
      return Buffer.from(out.bytes.buffer, out.bytes.byteOffset, out.length)
    } finally {
      this.rows = 0
      for (const part of this.#parts) part.clear(keepBytes)
    }
  }

  get #byteSize(): number {
    let bytes = 0
    for (const column of this.columns) bytes += column.byteSize()
    return bytes
  }
}
