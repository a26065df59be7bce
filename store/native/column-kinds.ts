// How the columns of a block are written, by their type.

import type { BlockColumn } from './block.ts'
import type { ByteColumn } from './byte-column.ts'
import { type LowCardinalityColumn, writeLowCardinalityPrefix } from './low-cardinality-column.ts'
import type { MapColumn } from './map-column.ts'
import type { NumberColumn } from './number-column.ts'
import type { OffsetsColumn } from './offsets-column.ts'

export function text(name: string, column: ByteColumn): BlockColumn {
  const write = (out: ByteColumn): void => out.copy(column.bytes, 0, column.length)
  return { name, type: 'String', write, byteSize: () => column.length }
}

/** Numbers of one byte each. */
export function byte(name: string, column: ByteColumn): BlockColumn {
  return { ...text(name, column), type: 'UInt8' }
}

export function number(name: string, type: string, column: NumberColumn): BlockColumn {
  return { name, type, write: (out) => column.write(out), byteSize: () => column.byteSize }
}

export function lowCardinality(name: string, column: LowCardinalityColumn): BlockColumn {
  return {
    name,
    type: 'LowCardinality(String)',
    writePrefix: writeLowCardinalityPrefix,
    write: (out) => column.write(out),
    byteSize: () => column.byteSizeOf(column.length),
  }
}

export function map(name: string, column: MapColumn): BlockColumn {
  return {
    name,
    type: 'Map(LowCardinality(String), String)',
    writePrefix: writeLowCardinalityPrefix,
    write: (out) => column.write(out),
    byteSize: () => column.byteSize,
  }
}

/** Rows that hold any number of elements of another column, which end where the offsets say. */
export function arrayOf(
  offsets: OffsetsColumn,
  { name, type, writePrefix, write, byteSize }: BlockColumn,
): BlockColumn {
  return {
    name,
    type: `Array(${type})`,
    ...(writePrefix === undefined ? {} : { writePrefix }),
    write(out) {
      offsets.write(out)
      write(out)
    },
    byteSize: () => offsets.byteSize + byteSize(),
  }
}
