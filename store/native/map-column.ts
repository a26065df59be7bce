import type { BlockPart } from './block.ts'
import { ByteColumn } from './byte-column.ts'
import { LowCardinalityColumn } from './low-cardinality-column.ts'
import { OffsetsColumn } from './offsets-column.ts'
import type { TextTable } from './text-table.ts'

/** The entries of a column of maps: a key and a value at a time, then `endRow`. */
export interface Entries {
  readonly keys: LowCardinalityColumn
  readonly values: ByteColumn
  /** Ends a row: what was added to `keys` and `values` since the row before belongs to it. */
  endRow(): void
}

/** A Map(LowCardinality(String), String) column. */
export class MapColumn implements Entries {
  readonly offsets = new OffsetsColumn()
  readonly keys: LowCardinalityColumn
  readonly values = new ByteColumn()

  constructor(table: TextTable) {
    this.keys = new LowCardinalityColumn(table)
  }

  endRow(): void {
    this.offsets.add(this.keys.length)
  }

  write(out: ByteColumn): void {
    this.offsets.write(out)
    this.keys.write(out)
    out.copy(this.values.bytes, 0, this.values.length)
  }

  get byteSize(): number {
    return this.offsets.byteSize + this.keys.byteSizeOf(this.keys.length) + this.values.length
  }

  /** What the column consists of. */
  get parts(): BlockPart[] {
    return [this.offsets, this.keys, this.values]
  }
}
