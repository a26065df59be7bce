import type { SpanInsert, Store } from '@headwater/store'

/** What became of rows. Rows that are unstorable will be so for ever; a store that is away comes back. */
export type Stored = { kind: 'stored' } | { kind: 'unstorable'; cause: unknown } | { kind: 'away'; cause: unknown }

/** Writes rows and tells what became of them; never throws. */
export type WriteRows<Row> = (rows: readonly Row[]) => Promise<Stored>

/** Ends before the ten seconds after which OpenTelemetry's exporters give up, so that they hear why. */
const insertTimeoutMs = 8_000

/** ClickHouse's errors that blame the rows rather than the server. */
const rowErrors =
  /^(CANNOT_(PARSE|READ|CONVERT)_\w+|INCORRECT_DATA|TYPE_MISMATCH|ILLEGAL_TYPE_OF_ARGUMENT|DECIMAL_OVERFLOW|ARGUMENT_OUT_OF_BOUND|VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE|TOO_LARGE_STRING_SIZE|TOO_LARGE_ARRAY_SIZE|SIZES_OF_ARRAYS_DONT_MATCH)$/

/** Inserts into `otel_traces`; resolves once ClickHouse has the rows. */
export function createSpanWriter({ clickhouse }: Store): WriteRows<SpanInsert> {
  return async (rows) => {
    try {
      await clickhouse.insert({
        table: 'otel_traces',
        values: rows,
        format: 'JSONEachRow',
        abort_signal: AbortSignal.timeout(insertTimeoutMs),
        // A span's day is its partition, and a request may bring a history of more days than an insert may touch by default.
        clickhouse_settings: { max_partitions_per_insert_block: '0', async_insert: 0 },
      })
      return { kind: 'stored' }
    } catch (cause) {
      const type = cause instanceof Error && 'type' in cause ? String(cause.type) : ''
      return { kind: rowErrors.test(type) ? 'unstorable' : 'away', cause }
    }
  }
}
