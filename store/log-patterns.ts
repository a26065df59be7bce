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

/**
 * Calls beyond which only some stretches of the time are looked at, evenly spread, and log records beyond which only some of their
 * spans are, chosen by chance, with and without lines.
 */
const limits = { callsMax: 8_000_000, recordsMax: 500_000 }

/** Stretches are at most so long, and at least so many: whoever looks at usual windows takes their median. */
const [stretchMaxMs, stretchesMin] = [5 * 60_000, 5]

/** What was logged, and how much of it was not looked at. */
export interface ReadLogPatterns {
  patterns: LogPattern[]
  /** Calls in the time, messages sent included. */
  calls: number
  /** About so many of them are of spans that were not looked at, because there were too many. */
  callsLeftOut: number
}

interface OperationSpans {
  service: string
  operation: string
  windowMs: number
  ofSpans: number
}

/**
 * How many spans of each operation logged what, window by window; also of operations that log nothing, or no longer. Of a busy
 * time the counts are those of a part of its spans.
 */
export async function readLogPatterns(
  store: Store,
  { fromMs, toMs, excluded = [], windowMs = toMs - fromMs }: TimeRange & { excluded?: TimeRange[]; windowMs?: number },
  { callsMax, recordsMax } = limits,
): Promise<ReadLogPatterns> {
  const calls = await countCallsIn(store, minutesOf({ fromMs, toMs, excluded }))
  const stretches = spreadStretches({ fromMs, toMs, windowMs }, callsMax / Math.max(1, calls))
  // Written as comparisons, by which the table's key tells where to look.
  const isWanted = stretches
    .map(
      (stretch) =>
        `Timestamp >= fromUnixTimestamp64Milli(${stretch.fromMs}) AND Timestamp < fromUnixTimestamp64Milli(${stretch.toMs})`,
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
  // By the ID of the span, which is half as long as that of its trace: most of what is read are IDs.
  const ofSpans = part === 1 ? within : `${within} AND cityHash64(SpanId) % {part:UInt32} = 0`
  const window = `{from:Int64} + intDiv(toUnixTimestamp64Milli(Timestamp) - {from:Int64}, {windowMs:Int64}) * {windowMs:Int64} AS windowMs`
  const operations = await ask<OperationSpans>(
    `SELECT Service AS service, SpanName AS operation, ${window}, count() AS ofSpans
     FROM otel_traces WHERE ${ofSpans}
     GROUP BY service, operation, windowMs ORDER BY service, operation, windowMs LIMIT ${patternsMax}`,
    part,
  )
  const lines = await ask<Omit<LogPattern, 'ofSpans'>>(
    `SELECT service, operation, windowMs, Pattern AS pattern, any(Line) AS example, max(Severity) AS severity, uniqExact(spans.Span) AS spans
     FROM (
       SELECT cityHash64(TraceId, SpanId) AS Span, Service AS service, SpanName AS operation, ${window}
       FROM otel_traces WHERE ${ofSpans}
     ) AS spans
     INNER JOIN (
       SELECT
         cityHash64(TraceId, SpanId) AS Span,
         substringUTF8(Body, 1, 200) AS Line,
         SeverityNumber AS Severity,
         if(LogAttributes['code.line.number'] != '',
           concat(ScopeName, ':', LogAttributes['code.line.number']),
           concat(ScopeName, ' ', replaceRegexpAll(substringUTF8(Body, 1, 80), '[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*', '#'))) AS Pattern
       FROM otel_logs
       WHERE SpanId != '' AND ${ofSpans}
     ) AS lines ON lines.Span = spans.Span
     GROUP BY service, operation, windowMs, pattern
     ORDER BY spans DESC, service, operation, pattern, windowMs LIMIT ${patternsMax}`,
    part,
  )
  const counts = new Map(operations.map((row) => [keyOf(row), row.ofSpans]))
  const lookedAt = stretches.reduce((sum, stretch) => sum + stretch.toMs - stretch.fromMs, 0) / (toMs - fromMs) / part
  return {
    patterns: [
      ...lines.map((line) => ({ ...line, ofSpans: counts.get(keyOf(line)) ?? line.spans })),
      // Also those that say nothing at all, or no longer.
      ...operations.map((row) => ({ ...row, pattern: '', example: '', severity: 0, spans: 0 })),
    ],
    calls,
    callsLeftOut: Math.round(calls * (1 - lookedAt)),
  }
}

/**
 * Of a time as large a share, in stretches that are evenly spread over it and each within one of its windows. They are whole
 * minutes, so that what is done once a minute is found in each.
 */
export function spreadStretches(
  { fromMs, toMs, windowMs }: TimeRange & { windowMs: number },
  share: number,
): TimeRange[] {
  if (share >= 1) return [{ fromMs, toMs }]
  const cellMs = Math.min(windowMs, stretchMaxMs)
  const cells = Math.max(1, Math.ceil((toMs - fromMs) / cellMs))
  const wanted = Math.min(cells, Math.max(stretchesMin, Math.floor(cells * share)))
  const minutes = Math.max(1, Math.ceil((cellMs * share * cells) / wanted / 60_000))
  const lengthMs = Math.min(cellMs, minutes * 60_000)
  return Array.from({ length: wanted }, (_, at) => {
    const beginMs = fromMs + Math.floor(((at + 0.5) * cells) / wanted) * cellMs
    return { fromMs: beginMs, toMs: Math.min(toMs, beginMs + lengthMs) }
  })
}

function keyOf({ service, operation, windowMs }: Pick<LogPattern, 'service' | 'operation' | 'windowMs'>): string {
  return [service, operation, windowMs].join('\u0000')
}
