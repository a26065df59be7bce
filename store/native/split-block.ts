// Halves a block by rows, so that rows which ClickHouse refuses can be told from those that it takes. Knows the types that
// our own blocks have.

import { ByteColumn } from './byte-column.ts'

/** A column of a block that was read, able to write some of its rows. */
interface ReadColumn {
  write(out: ByteColumn, start: number, end: number): void
}

const widths: Readonly<Record<string, number>> = {
  UInt8: 1,
  UInt16: 2,
  Int32: 4,
  UInt32: 4,
  DateTime: 4,
  UInt64: 8,
  Float64: 8,
}

/**
 * The two halves of a Native block, the first with one row more if they are odd; `undefined` for a single row. Throws a
 * `RangeError` for bytes that are no block of ours.
 */
export function splitBlock(block: Uint8Array): [Buffer, Buffer] | undefined {
  const reader = new Reader(block)
  const count = reader.varint()
  const rows = reader.varint()
  if (rows < 2) return undefined
  const columns = Array.from({ length: count }, () => {
    const name = reader.text()
    const type = reader.text()
    const prefixes = [...type.matchAll(/LowCardinality/g)].length
    reader.skip(8 * prefixes)
    return { name, type, prefixes, column: readColumn(reader, type, rows) }
  })
  if (!reader.isAtEnd) throw new RangeError('A block ends before its bytes do')
  const part = (start: number, end: number): Buffer => {
    const out = new ByteColumn()
    out.varint(count)
    out.varint(end - start)
    for (const { name, type, prefixes, column } of columns) {
      out.text(name)
      out.text(type)
      for (let prefix = 0; prefix < prefixes; prefix += 1) out.u64(1)
      column.write(out, start, end)
    }
    return Buffer.from(out.bytes.buffer, out.bytes.byteOffset, out.length)
  }
  const middle = Math.ceil(rows / 2)
  return [part(0, middle), part(middle, rows)]
}

function readColumn(reader: Reader, type: string, rows: number): ReadColumn {
  const [, outer, inner = ''] = /^(Array|Map)\((.*)\)$/.exec(type) ?? []
  if (outer === 'Array') return nested(reader, rows, (elements) => [readColumn(reader, inner, elements)])
  if (outer === 'Map') {
    const comma = inner.indexOf(', ')
    const types = [inner.slice(0, comma), inner.slice(comma + 2)]
    return nested(reader, rows, (elements) => types.map((each) => readColumn(reader, each, elements)))
  }
  if (type === 'LowCardinality(String)') return lowCardinality(reader, rows)
  if (type === 'String') return strings(reader, rows)
  const width = type.startsWith('DateTime64') ? 8 : widths[type]
  if (width === undefined) throw new RangeError(`Cannot halve a block with a column of type ${type}`)
  const bytes = reader.take(rows * width)
  return { write: (out, start, end) => out.copy(bytes, start * width, end * width) }
}

function strings(reader: Reader, rows: number): ReadColumn {
  const starts = new Uint32Array(rows + 1)
  const first = reader.at
  for (let row = 0; row < rows; row += 1) {
    reader.skip(reader.varint())
    starts[row + 1] = reader.at - first
  }
  const bytes = reader.bytes.subarray(first, reader.at)
  return { write: (out, start, end) => out.copy(bytes, starts[start] as number, starts[end] as number) }
}

function nested(reader: Reader, rows: number, readElements: (count: number) => ReadColumn[]): ReadColumn {
  const ends = new Float64Array(rows + 1)
  for (let row = 0; row < rows; row += 1) ends[row + 1] = reader.u64()
  const elements = readElements(ends[rows] as number)
  return {
    write(out, start, end) {
      const first = ends[start] as number
      for (let row = start; row < end; row += 1) out.u64((ends[row + 1] as number) - first)
      for (const element of elements) element.write(out, first, ends[end] as number)
    },
  }
}

function lowCardinality(reader: Reader, rows: number): ReadColumn {
  if (rows === 0) return { write: () => undefined }
  const flags = reader.u64()
  const width = 1 << (flags & 3)
  const keysStart = reader.at
  const keys = reader.u64()
  for (let key = 0; key < keys; key += 1) reader.skip(reader.varint())
  const dictionary = reader.bytes.subarray(keysStart, reader.at)
  if (reader.u64() !== rows) throw new RangeError('A column of a block has another number of rows than the block')
  const bytes = reader.take(rows * width)
  return {
    write(out, start, end) {
      if (start === end) return
      out.u64(flags)
      out.copy(dictionary, 0, dictionary.length)
      out.u64(end - start)
      out.copy(bytes, start * width, end * width)
    },
  }
}

/** Reads within bounds. */
class Reader {
  readonly bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length
  }

  skip(count: number): void {
    this.at += count
    if (!(this.at <= this.bytes.length)) throw new RangeError('A block goes on beyond its bytes')
  }

  take(count: number): Uint8Array {
    const start = this.at
    this.skip(count)
    return this.bytes.subarray(start, this.at)
  }

  varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const at = this.at
      this.skip(1)
      const byte = this.bytes[at] as number
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
    throw new RangeError('A length in a block is longer than five bytes')
  }

  u64(): number {
    const at = this.at
    this.skip(8)
    return Number(new DataView(this.bytes.buffer, this.bytes.byteOffset).getBigUint64(at, true))
  }

  text(): string {
    return Buffer.from(this.take(this.varint())).toString()
  }
}
