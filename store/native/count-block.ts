// The columns of `collector_span_counts`, as the collector fills them.

import { Block, type BlockColumn } from './block.ts'
import { ByteColumn } from './byte-column.ts'
import { lowCardinality, number } from './column-kinds.ts'
import { LowCardinalityColumn } from './low-cardinality-column.ts'
import { NumberColumn } from './number-column.ts'
import { OffsetsColumn } from './offsets-column.ts'
import { partsOf } from './parts-of.ts'
import { keyLimits, TextTable } from './text-table.ts'

/** Spans of one operation that ended in one window of ten seconds, before any of them was shed. */
export interface SpanCount {
  windowS: number
  /** A key as vocabulary's formatService writes it. */
  service: string
  operation: string
  /** As `otel_traces` has it. */
  kind: string
  spans: number
  errors: number
  /** Spans by bucket, as vocabulary's `bucketOf` numbers them. */
  duration: ReadonlyMap<number, number>
}

/** Counts as rows of `collector_span_counts`. Rows of the same window and operation add up. */
export class CountBlock {
  readonly block: Block
  readonly #texts = new TextTable(keyLimits)
  readonly #numbers = new Map<string, number>()
  readonly #columns = {
    window: new NumberColumn(),
    collector: new LowCardinalityColumn(this.#texts),
    service: new LowCardinalityColumn(this.#texts),
    operation: new LowCardinalityColumn(this.#texts),
    kind: new LowCardinalityColumn(this.#texts),
    spans: new NumberColumn(),
    errors: new NumberColumn(),
    durations: new OffsetsColumn(),
    /** Two bytes each. */
    buckets: new ByteColumn(),
    bucketSpans: new NumberColumn(),
  }

  constructor() {
    const { window, collector, service, operation, kind, spans, errors } = this.#columns
    const columns: BlockColumn[] = [
      number('Window', 'DateTime', window),
      lowCardinality('Collector', collector),
      lowCardinality('Service', service),
      lowCardinality('Operation', operation),
      lowCardinality('Kind', kind),
      number('Spans', 'UInt64', spans),
      number('Errors', 'UInt64', errors),
      this.#durationColumn(),
    ]
    this.block = new Block(columns, partsOf(this.#columns))
  }

  /** Adds what a collector counted. */
  add(by: string, count: SpanCount): void {
    const { window, collector, service, operation, kind, spans, errors, durations, buckets, bucketSpans } =
      this.#columns
    window.add(count.windowS)
    collector.add(this.#numberOf(by))
    service.add(this.#numberOf(count.service))
    operation.add(this.#numberOf(count.operation))
    kind.add(this.#numberOf(count.kind))
    addLong(spans, count.spans)
    addLong(errors, count.errors)
    for (const [bucket, some] of count.duration) {
      buckets.u8(bucket)
      buckets.u8(bucket >>> 8)
      addLong(bucketSpans, some)
    }
    durations.add(buckets.length / 2)
    this.block.rows += 1
  }

  /** The block's bytes, for `INSERT … FORMAT Native`; it is empty afterwards. */
  seal(): Buffer {
    const sealed = this.block.seal()
    if (this.#texts.isFull) {
      this.#texts.forget()
      this.#numbers.clear()
    }
    return sealed
  }

  /** To find a string is cheaper than to find its bytes. */
  #numberOf(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const added = this.#texts.numberOfText(text)
    this.#numbers.set(text, added)
    return added
  }

  #durationColumn(): BlockColumn {
    const { durations, buckets, bucketSpans } = this.#columns
    return {
      name: 'Duration',
      type: 'Map(UInt16, UInt64)',
      write(out) {
        durations.write(out)
        out.copy(buckets.bytes, 0, buckets.length)
        bucketSpans.write(out)
      },
      byteSize: () => durations.byteSize + buckets.length + bucketSpans.byteSize,
    }
  }
}

function addLong(column: NumberColumn, value: number): void {
  column.add(value)
  column.add(Math.floor(value / 0x1_0000_0000))
}
