// An exception may come as an event of its span or as a log record that names the span. Who reads spans reads both, and
// sees an exception that came both ways once.

import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'

/** An exception that came as a log record. */
export interface LoggedException {
  traceId: string
  spanId: string
  timestamp: string
  attributes: Record<string, string>
}

/** Traces, and when their spans began and ended. Milliseconds since 1970. */
export interface TracesInTime {
  traceIds: readonly string[]
  sinceMs: number
  untilMs: number
}

/** Exceptions that are read at most: each may bear a stack trace. */
export const exceptionsMax = 1_000

/** What is caught late is logged after its span, but not long after. */
const slackMs = 60_000

const tellsOfException = `
  TraceId IN {traceIds:Array(String)} AND SpanId != ''
  AND TimestampTime >= {since:DateTime64(3)} AND TimestampTime <= {until:DateTime64(3)}
  AND (mapContains(LogAttributes, 'exception.type') OR mapContains(LogAttributes, 'exception.message'))`

/**
 * Exceptions logged with spans of these traces, or with one of those spans alone, each once, by time: `exceptionsMax`, and
 * one more where there are more.
 */
export async function readLoggedExceptions(
  store: Store,
  { spanId, ...traces }: TracesInTime & { spanId?: string },
): Promise<LoggedException[]> {
  return await askClickHouse<LoggedException>(store, {
    deed: `read the exceptions logged with ${traces.traceIds.length} traces`,
    query: `
      SELECT TraceId AS traceId, SpanId AS spanId, Timestamp AS timestamp, LogAttributes AS attributes
      FROM otel_logs
      WHERE ${tellsOfException} ${spanId === undefined ? '' : 'AND SpanId = {spanId:String}'}
      ORDER BY Timestamp, TraceId, SpanId, attributes['exception.type'], attributes['exception.message']
      LIMIT 1 BY TraceId, SpanId, attributes['exception.type'], attributes['exception.message']
      LIMIT {take:UInt32}`,
    params: { ...parametersOf(traces), take: exceptionsMax + 1, ...(spanId !== undefined && { spanId }) },
  })
}

/** What the first exception says that was logged with a span, by `spanKey`. */
export async function readLoggedMessages(store: Store, traces: TracesInTime): Promise<Map<string, string>> {
  const rows = await askClickHouse<{ traceId: string; spanId: string; message: string }>(store, {
    deed: `read what exceptions say that were logged with ${traces.traceIds.length} traces`,
    query: `
      SELECT TraceId AS traceId, SpanId AS spanId, argMin((Type, Text), (Timestamp, Type, Text)).2 AS message
      FROM (
        SELECT TraceId, SpanId, Timestamp, LogAttributes['exception.type'] AS Type,
          substringUTF8(LogAttributes['exception.message'], 1, 500) AS Text
        FROM otel_logs
        WHERE ${tellsOfException}
      )
      GROUP BY TraceId, SpanId
      ORDER BY min(Timestamp), TraceId, SpanId
      LIMIT {take:UInt32}`,
    params: { ...parametersOf(traces), take: exceptionsMax },
  })
  return new Map(rows.map((row) => [spanKey(row), row.message]))
}

/** One text for a span of any trace. */
export function spanKey({ traceId, spanId }: { traceId: string; spanId: string }): string {
  return `${traceId}/${spanId}`
}

function parametersOf({ traceIds, sinceMs, untilMs }: TracesInTime): Record<string, unknown> {
  return { traceIds, since: new Date(sinceMs - slackMs), until: new Date(untilMs + slackMs) }
}
