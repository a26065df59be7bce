// What services say while they work: how many spans of an operation have logged a line of each kind. Raw records are read, so
// this is for looking into some minutes, not for every step.
import type { Store } from './connect.ts'
import { byLogChange, type LoggedKinds, patternOf, readLoggedKinds } from './log-changes.ts'
import { bindLoggedTime, isWithin, type LoggedTime, narrowed, readLoggedTime, shareOf } from './logged-time.ts'
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

/** What spans logged, now and usually, and how much of it was not looked at. */
export interface ReadLogPatterns {
  recent: LogPattern[]
  usual: LogPattern[]
  /** Answered calls, of both times. */
  calls: number
  /** About so many of them are of spans that were not looked at, because there were too many. */
  callsLeftOut: number
}

/** The most patterns that are read; the most frequent come first. */
const patternsMax = 200_000

/** More is looked at in part only. */
const limits = {
  /** Calls of a time: of more only some stretches of it, … */
  timeCallsMax: 20_000_000,
  /** … calls of both times: of more only the services whose log has changed most, but so many of those that have, however busy they are, … */
  callsMax: 1_000_000,
  servicesMin: 8,
  /** … log records: of more only some of their spans, chosen by chance, with and without lines, … */
  recordsMax: 500_000,
  /** … and by so many calls of each time, or log records, it is told whose log has changed. */
  screenedCallsMax: 1_000_000,
  screenedMax: 250_000,
}

/**
 * How many spans of each operation logged what, in a time and usually, window by window of what is usual; also of operations that
 * log nothing, or no longer. Of busy times the counts are those of a part of their spans.
 */
export async function readLogPatterns(
  store: Store,
  { recent, usual }: { recent: TimeRange; usual: TimeRange & { excluded?: TimeRange[]; windowMs: number } },
  { timeCallsMax, recordsMax, ...screening } = limits,
): Promise<ReadLogPatterns> {
  const [now, before] = await Promise.all([
    readLoggedTime(
      store,
      { ...recent, windowMs: recent.toMs - recent.fromMs, excluded: [] },
      { callsMax: timeCallsMax },
    ),
    readLoggedTime(store, { excluded: [], ...usual }, { callsMax: timeCallsMax }),
  ])
  const services = await readServicesToLookAt(store, [now, before], screening)
  const [readNow, readBefore] = await Promise.all([
    readPatternsOf(store, now, services, { recordsMax }),
    readPatternsOf(store, before, services, { recordsMax }),
  ])
  const calls = callsOf(now) + callsOf(before)
  return {
    recent: readNow.patterns,
    usual: readBefore.patterns,
    calls,
    callsLeftOut: Math.round(
      calls - callsOf(now, services) * readNow.share - callsOf(before, services) * readBefore.share,
    ),
  }
}

/** Services as resources name them, and as canonical keys. */
interface Services {
  names: readonly string[]
  keys: readonly string[]
}

/** Undefined: all of them. A record speaks for the service of its own resource, which its span's hardly ever differs from. */
async function readServicesToLookAt(
  store: Store,
  [now, before]: [LoggedTime, LoggedTime],
  { callsMax, servicesMin, screenedCallsMax, screenedMax }: Omit<typeof limits, 'timeCallsMax' | 'recordsMax'>,
): Promise<Services | undefined> {
  const lookedAt = (keys?: readonly string[]): number =>
    [now, before].reduce((sum, time) => sum + callsOf(time, keys && { keys }) * shareOf(time), 0)
  if (lookedAt() <= callsMax) return undefined
  // Of a table in the order of services and time, few stretches are less to read than many.
  const kinds = (time: LoggedTime): Promise<LoggedKinds> =>
    readLoggedKinds(store, narrowed(time, { callsMax: screenedCallsMax, stretchesMin: 2 }), { recordsMax: screenedMax })
  const [kindsNow, kindsBefore] = [await kinds(now), await kinds(before)]
  const chosen: { serviceName: string; service: string }[] = []
  let calls = 0
  for (const service of byLogChange(kindsNow, kindsBefore)) {
    const all = lookedAt([service.service])
    // What chance makes of a busy one leaves room for others.
    const more = service.change > 0 ? Math.min(all, callsMax / servicesMin) : all
    if (calls + more > callsMax) continue
    chosen.push(service)
    calls += more
  }
  return {
    names: [...new Set(chosen.map(({ serviceName }) => serviceName))],
    keys: [...new Set(chosen.map(({ service }) => service))],
  }
}

function callsOf({ calls }: LoggedTime, services?: Pick<Services, 'keys'>): number {
  const keys = services?.keys ?? [...calls.keys()]
  return keys.reduce((sum, key) => sum + (calls.get(key) ?? 0), 0)
}

interface OperationSpans {
  service: string
  operation: string
  windowMs: number
  ofSpans: number
}

/** The patterns of a time, and the share of its spans that was looked at. */
async function readPatternsOf(
  store: Store,
  time: LoggedTime,
  services: Services | undefined,
  { recordsMax }: { recordsMax: number },
): Promise<{ patterns: LogPattern[]; share: number }> {
  const within = `${isWithin(time)}${services === undefined ? '' : ' AND ServiceName IN {names:Array(String)} AND Service IN {keys:Array(String)}'}`
  const ask = async <Row>(query: string, part: number): Promise<Row[]> => {
    const answer = await store.clickhouse.query({
      query,
      query_params: { ...bindLoggedTime(time), ...services, from: time.fromMs, windowMs: time.windowMs, part },
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
       SELECT cityHash64(TraceId, SpanId) AS Span, substringUTF8(Body, 1, 200) AS Line, SeverityNumber AS Severity, ${patternOf} AS Pattern
       FROM otel_logs
       WHERE SpanId != '' AND ${ofSpans}
     ) AS lines ON lines.Span = spans.Span
     GROUP BY service, operation, windowMs, pattern
     ORDER BY spans DESC, service, operation, pattern, windowMs LIMIT ${patternsMax}`,
    part,
  )
  const counts = new Map(operations.map((row) => [keyOf(row), row.ofSpans]))
  return {
    patterns: [
      ...lines.map((line) => ({ ...line, ofSpans: counts.get(keyOf(line)) ?? line.spans })),
      // Also those that say nothing at all, or no longer.
      ...operations.map((row) => ({ ...row, pattern: '', example: '', severity: 0, spans: 0 })),
    ],
    share: shareOf(time) / part,
  }
}

function keyOf({ service, operation, windowMs }: Pick<LogPattern, 'service' | 'operation' | 'windowMs'>): string {
  return [service, operation, windowMs].join('\u0000')
}
