// What services say while they work: how many spans of an operation have logged a line of each kind. Raw records are read, so
// this is for looking into some minutes, not for every step.
import { TupleParam } from '@clickhouse/client'
import type { Store } from './connect.ts'
import { countCallsIn, minutesOf, type TimeRange } from './windows.ts'

/** Lines of one kind, by where in the code they are written, else by their text without its numbers and ids. */
export interface LogPattern {
  /** Canonical key of the span's service. */
  service: string
  /** The span's. */
  operation: string
  /** Empty, with no spans, for the operation as such. */
  pattern: string
  /** One of its lines. */
  example: string
  /** The highest of OpenTelemetry's severities; from 17 on it tells of an error. */
  severity: number
  /** Which of the windows of the time asked for: its beginning. */
  windowMs: number
  /** How many spans of the operation have such a line … */
  spans: number
  /** … and how many there are. */
  ofSpans: number
}

/** The most patterns that are read; the most frequent come first. */
const patternsMax = 200_000

/** Records beyond which only some traces are looked at, chosen by chance: their spans, with and without lines. */
const recordsMax = 500_000

/** Calls beyond which only some windows are looked at, evenly spread. Whoever looks at usual windows takes their median. */
const callsMax = 20_000_000

interface OperationSpans {
  service: string
  operation: string
  windowMs: number
  ofSpans: number
}

/**
 * How many spans of each operation logged what, window by window; also of operations that log nothing, or no longer. Of a busy
 * time the counts are those of a part of its traces.
 */
export async function readLogPatterns(
  store: Store,
  { fromMs, toMs, excluded = [], windowMs = toMs - fromMs }: TimeRange & { excluded?: TimeRange[]; windowMs?: number },
): Promise<LogPattern[]> {
  const calls = await countCallsIn(store, minutesOf({ fromMs, toMs, excluded }))
  const windows = spreadWindows({ fromMs, toMs, windowMs }, callsMax / Math.max(1, calls))
  // Written as comparisons, by which the table's key tells where to look.
  const isWanted = windows
    .map(
      (window) =>
        `Timestamp >= fromUnixTimestamp64Milli(${window.fromMs}) AND Timestamp < fromUnixTimestamp64Milli(${window.toMs})`,
    )
    .join(' OR ')
  const within = `(${isWanted})
    AND NOT arrayExists(x -> toUnixTimestamp64Milli(Timestamp) >= x.1 AND toUnixTimestamp64Milli(Timestamp) < x.2, {excluded:Array(Tuple(Int64, Int64))})`
  const ask = async <Row>(query: string, part: number): Promise<Row[]> => {
    const answer = await store.clickhouse.query({
      query,
      query_params: {
        from: fromMs,
        windowMs,
        part,
        excluded: excluded.map((range) => new TupleParam([range.fromMs, range.toMs])),
      },
      format: 'JSONEachRow',
      clickhouse_settings: { max_bytes_before_external_group_by: '104857600' },
    })
    return await answer.json<Row>()
  }
  const [counted] = await ask<{ records: number }>(
    `SELECT count() AS records FROM otel_logs WHERE SpanId != '' AND ${within}`,
    1,
  )
  const part = Math.max(1, Math.ceil((counted?.records ?? 0) / recordsMax))
  const ofTraces = part === 1 ? within : `${within} AND cityHash64(TraceId) % {part:UInt32} = 0`
  const window = `{from:Int64} + intDiv(toUnixTimestamp64Milli(Timestamp) - {from:Int64}, {windowMs:Int64}) * {windowMs:Int64} AS windowMs`
  const operations = await ask<OperationSpans>(
    `SELECT Service AS service, SpanName AS operation, ${window}, count() AS ofSpans
     FROM otel_traces WHERE ${ofTraces}
     GROUP BY service, operation, windowMs ORDER BY service, operation, windowMs LIMIT ${patternsMax}`,
    part,
  )
  const lines = await ask<Omit<LogPattern, 'ofSpans'>>(
    `SELECT service, operation, windowMs, Pattern AS pattern, any(Line) AS example, max(Severity) AS severity, count() AS spans
     FROM (
       SELECT cityHash64(TraceId, SpanId) AS Span, Service AS service, SpanName AS operation, ${window}
       FROM otel_traces WHERE ${ofTraces}
     ) AS spans
     INNER JOIN (
       SELECT
         cityHash64(TraceId, SpanId) AS Span,
         any(substringUTF8(Body, 1, 200)) AS Line,
         max(SeverityNumber) AS Severity,
         if(LogAttributes['code.line.number'] != '',
           concat(ScopeName, ':', LogAttributes['code.line.number']),
           concat(ScopeName, ' ', replaceRegexpAll(substringUTF8(Body, 1, 80), '[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*', '#'))) AS Pattern
       FROM otel_logs
       WHERE SpanId != '' AND ${ofTraces}
       GROUP BY Span, Pattern
     ) AS lines ON lines.Span = spans.Span
     GROUP BY service, operation, windowMs, pattern
     ORDER BY spans DESC, service, operation, pattern, windowMs LIMIT ${patternsMax}`,
    part,
  )
  const counts = new Map(operations.map((row) => [keyOf(row), row.ofSpans]))
  return [
    ...lines.map((line) => ({ ...line, ofSpans: counts.get(keyOf(line)) ?? line.spans })),
    // Also those that say nothing at all, or no longer.
    ...operations.map((row) => ({ ...row, pattern: '', example: '', severity: 0, spans: 0 })),
  ]
}

/** The windows of a time, or as large a share of them, evenly spread; at least one. */
export function spreadWindows(
  { fromMs, toMs, windowMs }: TimeRange & { windowMs: number },
  share: number,
): TimeRange[] {
  const count = Math.max(1, Math.ceil((toMs - fromMs) / windowMs))
  const wanted = Math.min(count, Math.max(1, Math.floor(count * share)))
  // All of them are one range.
  if (wanted === count) return [{ fromMs, toMs }]
  return Array.from({ length: wanted }, (_, at) => {
    const beginMs = fromMs + Math.floor(((at + 0.5) * count) / wanted) * windowMs
    return { fromMs: beginMs, toMs: Math.min(toMs, beginMs + windowMs) }
  })
}

function keyOf({ service, operation, windowMs }: Pick<LogPattern, 'service' | 'operation' | 'windowMs'>): string {
  return [service, operation, windowMs].join('\u0000')
}
