import type { Histogram } from '@headwater/vocabulary'
import type { Store } from './connect.ts'
import { type Inserted, onceUnder } from './insert-blocks.ts'
import type { SpanCountsRow } from './tables/facts.ts'

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
  duration: Histogram
}

export interface SpanCountsToInsert {
  collector: string
  rows: readonly SpanCount[]
  /** ClickHouse takes these rows once under it, however often they come. */
  token: string
  timeoutMs: number
}

/** Adds to the counts of what came, once under the token; never throws. Rows of the same window and operation add up. */
export async function insertSpanCounts(
  { clickhouse }: Store,
  { collector, rows, token, timeoutMs }: SpanCountsToInsert,
): Promise<Inserted> {
  if (rows.length === 0) return { kind: 'stored' }
  try {
    await clickhouse.insert({
      table: 'collector_span_counts',
      values: rows.map((count): SpanCountsRow => toRow(collector, count)),
      format: 'JSONEachRow',
      abort_signal: AbortSignal.timeout(timeoutMs),
      clickhouse_settings: onceUnder(`${token}:counts`),
    })
    return { kind: 'stored' }
  } catch (cause) {
    return { kind: 'away', cause }
  }
}

function toRow(
  collector: string,
  { windowS, service, operation, kind, spans, errors, duration }: SpanCount,
): SpanCountsRow {
  return {
    Window: String(windowS),
    Collector: collector,
    Service: service,
    Operation: operation,
    Kind: kind,
    Spans: spans,
    Errors: errors,
    Duration: duration,
  }
}
