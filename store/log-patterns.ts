// What services say while they work: how many spans of an operation have logged a line of each kind. Raw records are read, so
// this is for looking into some minutes, not for every step.
import { TupleParam } from '@clickhouse/client'
import type { Store } from './connect.ts'
import type { TimeRange } from './windows.ts'

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

export async function readLogPatterns(
  store: Store,
  { fromMs, toMs, excluded = [], windowMs = toMs - fromMs }: TimeRange & { excluded?: TimeRange[]; windowMs?: number },
): Promise<LogPattern[]> {
  const within = `Timestamp >= fromUnixTimestamp64Milli({from:Int64}) AND Timestamp < fromUnixTimestamp64Milli({to:Int64})
    AND NOT arrayExists(x -> toUnixTimestamp64Milli(Timestamp) >= x.1 AND toUnixTimestamp64Milli(Timestamp) < x.2, {excluded:Array(Tuple(Int64, Int64))})`
  const answer = await store.clickhouse.query({
    query: `
      WITH
        lines AS (
          SELECT
            cityHash64(TraceId, SpanId) AS Span,
            any(Body) AS Line,
            max(SeverityNumber) AS Severity,
            if(LogAttributes['code.line.number'] != '',
              concat(ScopeName, ':', LogAttributes['code.line.number']),
              concat(ScopeName, ' ', replaceRegexpAll(substringUTF8(Body, 1, 80), '[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*', '#'))) AS Pattern
          FROM otel_logs
          WHERE SpanId != '' AND ${within}
          GROUP BY Span, Pattern
        ),
        spans AS (
          SELECT 
            cityHash64(TraceId, SpanId) AS Span, Service, SpanName AS Operation,
            {from:Int64} + intDiv(toUnixTimestamp64Milli(Timestamp) - {from:Int64}, {windowMs:Int64}) * {windowMs:Int64} AS Window
          FROM otel_traces WHERE ${within}
        ),
        operations AS (SELECT Service, Operation, Window, count() AS OfSpans FROM spans GROUP BY Service, Operation, Window)
      SELECT
        s.Service AS service, s.Operation AS operation, s.Window AS windowMs, Pattern AS pattern, any(substringUTF8(Line, 1, 200)) AS example, max(Severity) AS severity,
        count() AS spans, any(OfSpans) AS ofSpans
      FROM lines
      INNER JOIN spans AS s ON s.Span = lines.Span
      INNER JOIN operations ON operations.Service = s.Service AND operations.Operation = s.Operation AND operations.Window = s.Window
      GROUP BY service, operation, windowMs, pattern
      UNION ALL
      -- Also those that say nothing at all, or no longer.
      SELECT Service AS service, Operation AS operation, Window AS windowMs, '' AS pattern, '' AS example, 0 AS severity, 0 AS spans, OfSpans AS ofSpans
      FROM operations
      ORDER BY spans DESC, service, operation, pattern, windowMs LIMIT ${patternsMax}`,
    query_params: {
      from: fromMs,
      to: toMs,
      windowMs,
      excluded: excluded.map((range) => new TupleParam([range.fromMs, range.toMs])),
    },
    format: 'JSONEachRow',
  })
  return await answer.json<LogPattern>()
}
