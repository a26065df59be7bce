// Reads a block of ClickHouse's Native format, for tests that look at many blocks without an engine.
// https://clickhouse.com/docs/interfaces/formats/Native

import type { Cell, Row } from './expected-rows.ts'

/** The rows of one block. Throws when the bytes are none or more than one. */
export function readNative(bytes: Uint8Array): Row[] {
  const input = new Input(bytes)
  const columns = input.varint()
  const count = input.varint()
  const rows: Record<string, Cell>[] = Array.from({ length: count }, () => ({}))
  for (let column = 0; column < columns; column += 1) {
    const name = input.text()
    const type = input.text()
    for (let inner = type; ; inner = elementOf(inner) as string) {
      if (inner.startsWith('LowCardinality(') || inner.startsWith('Map(')) expect(input.u64() === 1n, `${name}: keys`)
      if (elementOf(inner) === undefined) break
    }
    const values = readColumn(input, type, count)
    for (const [row, value] of values.entries()) (rows[row] as Record<string, Cell>)[name] = value
  }
  expect(input.isAtEnd, 'nothing may follow the last column')
  return rows
}

/** Bytes that are read from the front. */
class Input {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  varint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes.readUInt8(this.#at++)
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }

  text(): string {
    const end = this.varint() + this.#at
    expect(end <= this.#bytes.length, 'a text ends beyond the block')
    const text = fatal.decode(this.#bytes.subarray(this.#at, end))
    this.#at = end
    return text
  }

  /** A number of that many bytes. */
  unsigned(width: number): number {
    const value = this.#bytes.readUIntLE(this.#at, width)
    this.#at += width
    return value
  }

  u64(): bigint {
    const value = this.#bytes.readBigUInt64LE(this.#at)
    this.#at += 8
    return value
  }

  i64(): bigint {
    return BigInt.asIntN(64, this.u64())
  }

  f64(): number {
    const value = this.#bytes.readDoubleLE(this.#at)
    this.#at += 8
    return value
  }
}

/** Rows must hold UTF-8 and nothing else. */
const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function elementOf(type: string): string | undefined {
  return /^Array\((.*)\)$/.exec(type)?.[1]
}

function readColumn(input: Input, type: string, count: number): Cell[] {
  const element = elementOf(type)
  if (element !== undefined) {
    const ends = repeat(count, () => Number(input.u64()))
    const values = readColumn(input, element, ends.at(-1) ?? 0)
    return ends.map((end, row) => values.slice(row === 0 ? 0 : ends[row - 1], end))
  }
  switch (type) {
    case 'String':
      return repeat(count, () => input.text())
    case 'UInt8':
      return repeat(count, () => input.unsigned(1))
    case 'UInt32':
      return repeat(count, () => input.unsigned(4))
    case 'UInt64':
      return repeat(count, () => String(input.u64()))
    case 'DateTime64(9)':
      return repeat(count, () => String(input.i64()))
    case 'Float64':
      return repeat(count, () => input.f64())
    case 'LowCardinality(String)':
      return readLowCardinality(input, count)
    case 'Map(LowCardinality(String), String)':
      return readMaps(input, count)
    default:
      throw new Error(`Cannot read a column of type ${type}: teach it to readColumn`)
  }
}

function readLowCardinality(input: Input, count: number): string[] {
  if (count === 0) return []
  const head = Number(input.u64())
  expect((head & ~3) === 0x600, `the head of a dictionary is ${head.toString(16)}`)
  const texts = repeat(Number(input.u64()), () => input.text())
  expect(new Set(texts).size === texts.length, 'a dictionary has a text twice')
  expect(Number(input.u64()) === count, 'a dictionary has another number of rows than its column')
  return repeat(count, () => {
    const text = texts[input.unsigned(1 << (head & 3))]
    if (text === undefined) throw new Error('A row points beyond its dictionary')
    return text
  })
}

function readMaps(input: Input, count: number): Record<string, string>[] {
  const ends = repeat(count, () => Number(input.u64()))
  const entries = ends.at(-1) ?? 0
  const keys = readLowCardinality(input, entries)
  const values = repeat(entries, () => input.text())
  return ends.map((end, row) => {
    const start = row === 0 ? 0 : (ends[row - 1] as number)
    const map = Object.fromEntries(
      keys.slice(start, end).map((key, index): [string, string] => [key, values[start + index] as string]),
    )
    expect(Object.keys(map).length === end - start, 'a map has a key twice')
    return map
  })
}

function repeat<T>(count: number, read: () => T): T[] {
  return Array.from({ length: count }, read)
}

function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`Cannot read the block: ${what}`)
}
