import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'
import type { TracesInTime } from './logged-exceptions.ts'

/** A log record that names a trace. */
export interface LogRecord {
  traceId: string
  spanId: string
  /** RFC 3339 with nanoseconds. */
  timestamp: string
  severity: string
  serviceName: string
  body: string
  attributes: Record<string, string>
}

/** Records of a run that are read at most. */
export const logsMax = 1_000

/** A record's text is cut here. */
const bodyCharsMax = 4_000
const slackMs = 60_000

/** Log records of these traces by time, {@link logsMax} at most and one more where there are more. */
export async function readLogs(store: Store, { traceIds, sinceMs, untilMs }: TracesInTime): Promise<LogRecord[]> {
  return await askClickHouse<LogRecord>(store, {
    deed: `read the logs of ${traceIds.length} traces`,
    query: `
      SELECT TraceId AS traceId, SpanId AS spanId, Timestamp AS timestamp, SeverityText AS severity, ServiceName AS serviceName,
        substringUTF8(Body, 1, {bodyCharsMax:UInt32}) AS body, LogAttributes AS attributes
      FROM otel_logs
      WHERE TraceId IN {traceIds:Array(String)}
        AND TimestampTime >= {since:DateTime64(3)} AND TimestampTime <= {until:DateTime64(3)}
      ORDER BY Timestamp, TraceId, SpanId
      LIMIT {take:UInt32}`,
    params: {
      traceIds,
      since: new Date(sinceMs - slackMs),
      until: new Date(untilMs + slackMs),
      bodyCharsMax,
      take: logsMax + 1,
    },
  })
}
