// Columns whose rows come in groups that all say the same, as what spans share of their resource and scope. A group is
// written once; its rows are made when the block is sealed, by copies that double.

import type { BlockColumn, BlockPart } from './block.ts'
import { ByteColumn } from './byte-column.ts'
import { LowCardinalityColumn, writeLowCardinalityPrefix } from './low-cardinality-column.ts'
import { NumberColumn } from './number-column.ts'
import type { Entries } from './map-column.ts'
import type { TextTable } from './text-table.ts'

/** How many rows each group has. */
export class Groups implements BlockPart {
  #counts = new Uint32Array(256)
  /** Groups so far. */
  length = 0

  /** Begins a group without rows. */
  begin(): void {
    if (this.length === this.#counts.length) {
      const counts = new Uint32Array(this.#counts.length * 2)
      counts.set(this.#counts)
      this.#counts = counts
    }
    this.#counts[this.length++] = 0
  }

  /** Adds a row to the last group. */
  addRow(): void {
    const last = this.length - 1
    this.#counts[last] = (this.#counts[last] as number) + 1
  }

  rowsOf(group: number): number {
    return this.#counts[group] as number
  }

  /** Rows of all groups. */
  get rows(): number {
    let rows = 0
    for (let group = 0; group < this.length; group += 1) rows += this.rowsOf(group)
    return rows
  }

  /** Writes each group once and repeats it for its rows. */
  repeat(out: ByteColumn, write: (group: number) => void): void {
    for (let group = 0; group < this.length; group += 1) {
      const start = out.length
      write(group)
      const end = start + (out.length - start) * this.rowsOf(group)
      out.reserve(Math.max(0, end - out.length))
      if (isOneByte(out.bytes, start, out.length)) {
        out.bytes.fill(out.bytes[start] as number, out.length, Math.max(out.length, end))
        out.length = end
        continue
      }
      while (out.length < end) {
        const count = Math.min(out.length - start, end - out.length)
        out.bytes.copyWithin(out.length, start, start + count)
        out.length += count
      }
      out.length = end
    }
  }

  get memoryBytes(): number {
    return this.length * 4
  }

  clear(): void {
    this.length = 0
  }
}

/** What such a unit is made of is often one small number, or zeros. */
const unitBytesMax = 8

/** Whether what lies there is short, and one byte again and again. */
function isOneByte(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > unitBytesMax || start === end) return false
  const first = bytes[start]
  for (let at = start + 1; at < end; at += 1) if (bytes[at] !== first) return false
  return true
}

/** What all columns of groups are made from. */
interface GroupedColumn {
  readonly parts: BlockPart[]
  column(name: string): BlockColumn
}

/** A String for each group, from a table. */
export class GroupedText implements GroupedColumn {
  readonly #table: TextTable
  readonly #numbers = new NumberColumn()
  readonly #groups: Groups

  constructor(groups: Groups, table: TextTable) {
    this.#groups = groups
    this.#table = table
  }

  /** Adds the text of a group. */
  add(number: number): void {
    this.#numbers.add(number)
  }

  get parts(): BlockPart[] {
    return [this.#numbers]
  }

  column(name: string): BlockColumn {
    const table = this.#table
    return {
      name,
      type: 'String',
      write: (out) => {
        this.#groups.repeat(out, (group) => {
          const [start, end] = [table.startOf(this.#numbers.at(group)), table.endOf(this.#numbers.at(group))]
          out.varint(end - start)
          out.copy(table.bytes, start, end)
        })
      },
      byteSize: () => {
        let bytes = 0
        for (let group = 0; group < this.#groups.length; group += 1) {
          const number = this.#numbers.at(group)
          bytes += this.#groups.rowsOf(group) * (table.endOf(number) - table.startOf(number) + lengthBytesMax)
        }
        return bytes
      },
    }
  }
}

/** What the length of a text takes at most. */
const lengthBytesMax = 5

/** A LowCardinality(String) for each group. */
export class GroupedLowCardinality implements GroupedColumn {
  readonly #column: LowCardinalityColumn
  readonly #groups: Groups

  constructor(groups: Groups, table: TextTable) {
    this.#groups = groups
    this.#column = new LowCardinalityColumn(table)
  }

  /** Adds the text of a group. */
  add(number: number): void {
    this.#column.add(number)
  }

  get parts(): BlockPart[] {
    return [this.#column]
  }

  column(name: string): BlockColumn {
    const groups = this.#groups
    const column = this.#column
    return {
      name,
      type: 'LowCardinality(String)',
      writePrefix: writeLowCardinalityPrefix,
      write(out) {
        if (groups.rows === 0) return
        column.writeHead(out, groups.rows)
        groups.repeat(out, (group) => column.writeRows(out, group, group + 1))
      },
      byteSize: () => column.byteSizeOf(groups.rows),
    }
  }
}

/** A UInt32 for each group. */
export class GroupedNumber implements GroupedColumn {
  readonly #numbers = new NumberColumn()
  readonly #groups: Groups

  constructor(groups: Groups) {
    this.#groups = groups
  }

  /** Adds the number of a group. */
  add(value: number): void {
    this.#numbers.add(value)
  }

  get parts(): BlockPart[] {
    return [this.#numbers]
  }

  column(name: string): BlockColumn {
    const write = (out: ByteColumn): void => this.#groups.repeat(out, (group) => out.u32(this.#numbers.at(group)))
    return { name, type: 'UInt32', write, byteSize: () => 4 * this.#groups.rows }
  }
}

/** A Map(LowCardinality(String), String) for each group. */
export class GroupedMap implements GroupedColumn, Entries {
  readonly keys: LowCardinalityColumn
  readonly values = new ByteColumn()
  readonly #keyEnds = new NumberColumn()
  readonly #valueEnds = new NumberColumn()
  readonly #groups: Groups

  constructor(groups: Groups, table: TextTable) {
    this.#groups = groups
    this.keys = new LowCardinalityColumn(table)
  }

  /** Ends what was added to `keys` and `values` as the map of a group. */
  endRow(): void {
    this.#keyEnds.add(this.keys.length)
    this.#valueEnds.add(this.values.length)
  }

  get parts(): BlockPart[] {
    return [this.keys, this.values, this.#keyEnds, this.#valueEnds]
  }

  /** What one more row of the last group adds to the block. */
  get lastRowBytes(): number {
    const last = this.#keyEnds.length - 1
    return startOf(this.#valueEnds, last + 1) - startOf(this.#valueEnds, last) + 2 * this.#entriesOf(last)
  }

  column(name: string): BlockColumn {
    const groups = this.#groups
    return {
      name,
      type: 'Map(LowCardinality(String), String)',
      writePrefix: writeLowCardinalityPrefix,
      write: (out) => {
        let end = 0
        for (let group = 0; group < groups.length; group += 1) {
          for (let row = groups.rowsOf(group); row > 0; row -= 1) out.u64((end += this.#entriesOf(group)))
        }
        if (end > 0) this.keys.writeHead(out, end)
        groups.repeat(out, (group) => this.keys.writeRows(out, startOf(this.#keyEnds, group), this.#keyEnds.at(group)))
        writeRepeated(out, groups, this.values, this.#valueEnds)
      },
      byteSize: () => {
        let entries = 0
        for (let group = 0; group < groups.length; group += 1) entries += groups.rowsOf(group) * this.#entriesOf(group)
        return groups.rows * 8 + this.keys.byteSizeOf(entries) + repeatedSize(groups, this.#valueEnds)
      },
    }
  }

  #entriesOf(group: number): number {
    return this.#keyEnds.at(group) - startOf(this.#keyEnds, group)
  }
}

/** What begins where the group before ends. */
function startOf(ends: NumberColumn, group: number): number {
  return group === 0 ? 0 : ends.at(group - 1)
}

function writeRepeated(out: ByteColumn, groups: Groups, { bytes }: ByteColumn, ends: NumberColumn): void {
  groups.repeat(out, (group) => out.copy(bytes, startOf(ends, group), ends.at(group)))
}

function repeatedSize(groups: Groups, ends: NumberColumn): number {
  let bytes = 0
  for (let group = 0; group < groups.length; group += 1) {
    bytes += groups.rowsOf(group) * (ends.at(group) - startOf(ends, group))
  }
  return bytes
}
