import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'
import { exceptionsMax, type LoggedException, readLoggedExceptions, spanKey } from './logged-exceptions.ts'

/** A span with all that was sent with it. Times are RFC 3339 with nanoseconds. */
export interface StoredSpan {
  traceId: string
  spanId: string
  parentSpanId: string
  traceState: string
  name: string
  kind: string
  serviceName: string
  startTime: string
  durationNs: number
  statusCode: string
  statusMessage: string
  spanAttributes: Record<string, string>
  resourceAttributes: Record<string, string>
  scopeName: string
  scopeVersion: string
  events: { name: string; timestamp: string; attributes: Record<string, string> }[]
  links: { traceId: string; spanId: string; traceState: string; attributes: Record<string, string> }[]
  flowId: string
}

type Row = Omit<StoredSpan, 'events' | 'links'> & {
  eventNames: string[]
  eventTimes: string[]
  eventAttributes: Record<string, string>[]
  linkTraceIds: string[]
  linkSpanIds: string[]
  linkTraceStates: string[]
  linkAttributes: Record<string, string>[]
}

/** What a waterfall shows of a span. All else is in other files of ClickHouse, and takes longer to read than this. */
export interface SpanOutline extends Pick<
  StoredSpan,
  'traceId' | 'spanId' | 'parentSpanId' | 'name' | 'kind' | 'serviceName' | 'startTime' | 'durationNs' | 'statusCode'
> {
  /** To spans of the others of these traces. */
  links: { traceId: string; spanId: string }[]
}

type OutlineRow = Omit<SpanOutline, 'links'> & Partial<Pick<Row, 'linkTraceIds' | 'linkSpanIds'>>

/** Spans of some traces that are read at most; more are cut, and the reader is told. */
export const spansMax = 10_000

/** From when until when; asked in the same words twice, ClickHouse answers it once. */
const timeOfTraces =
  '(SELECT (min(Start), max(End) + 1) FROM otel_traces_trace_id_ts WHERE TraceId IN {traceIds:Array(String)})'

/**
 * Limits a read of otel_traces to the days and granules of the traces `{traceIds}`. The index of traces keeps whole
 * seconds, so a span may lie up to a second after `End`. Not `<`: ClickHouse takes a second off an open bound that is a
 * DateTime when it leaves out parts, and would miss those whose spans all lie in the last one.
 */
export const withinTraces = `
  TraceId IN {traceIds:Array(String)} AND Timestamp >= ${timeOfTraces}.1 AND Timestamp <= ${timeOfTraces}.2`

const outlineColumns = `
  TraceId AS traceId, SpanId AS spanId, ParentSpanId AS parentSpanId, SpanName AS name, SpanKind AS kind,
  ServiceName AS serviceName, Timestamp AS startTime, Duration AS durationNs, StatusCode AS statusCode`

const columns = `${outlineColumns},
  TraceState AS traceState, StatusMessage AS statusMessage, SpanAttributes AS spanAttributes,
  ResourceAttributes AS resourceAttributes, ScopeName AS scopeName, ScopeVersion AS scopeVersion, FlowId AS flowId,
  Events.Name AS eventNames, Events.Timestamp AS eventTimes, Events.Attributes AS eventAttributes,
  Links.TraceId AS linkTraceIds, Links.SpanId AS linkSpanIds, Links.TraceState AS linkTraceStates,
  Links.Attributes AS linkAttributes`

/** Each span once, in the order of their starts. */
const fromTraces = `
  FROM otel_traces
  WHERE ${withinTraces}
  ORDER BY Timestamp, TraceId, SpanId
  LIMIT 1 BY TraceId, SpanId
  LIMIT {take:UInt32}`

/**
 * The spans of these traces, each once, in the order of their starts. Exceptions that were logged with a span are among its
 * events.
 */
export async function readSpans(
  store: Store,
  traceIds: readonly string[],
): Promise<{ spans: StoredSpan[]; truncated: boolean }> {
  const rows = await askClickHouse<Row>(store, {
    deed: `read the spans of ${traceIds.length} traces`,
    query: `SELECT ${columns} ${fromTraces}`,
    params: { traceIds, take: spansMax + 1 },
  })
  const spans = rows.slice(0, spansMax).map(toSpan)
  const exceptions = spans.length === 0 ? [] : await readLoggedExceptions(store, { traceIds, ...timeOf(spans) })
  return {
    spans: withExceptions(spans, exceptions.slice(0, exceptionsMax)),
    truncated: rows.length > spansMax || exceptions.length > exceptionsMax,
  }
}

/** As much of the spans of these traces as a waterfall shows, each once, in the order of their starts. */
export async function readSpanOutlines(
  store: Store,
  traceIds: readonly string[],
): Promise<{ spans: SpanOutline[]; truncated: boolean }> {
  // Links lead from trace to trace: of one alone none are asked for.
  const links = traceIds.length > 1 ? ', Links.TraceId AS linkTraceIds, Links.SpanId AS linkSpanIds' : ''
  const rows = await askClickHouse<OutlineRow>(store, {
    deed: `read the outlines of the spans of ${traceIds.length} traces`,
    query: `SELECT ${outlineColumns}${links} ${fromTraces}`,
    params: { traceIds, take: spansMax + 1 },
  })
  const known = new Set(traceIds)
  return {
    spans: rows.slice(0, spansMax).map((row) => toOutline(row, known)),
    truncated: rows.length > spansMax,
  }
}

/** One span with all that was sent with it, as `readSpans` reads it; undefined where it is not stored. */
export async function readSpan(
  store: Store,
  { traceId, spanId }: { traceId: string; spanId: string },
): Promise<{ span: StoredSpan; truncated: boolean } | undefined> {
  const [row] = await askClickHouse<Row>(store, {
    deed: `read the span "${spanId}" of trace "${traceId}"`,
    query: `SELECT ${columns} FROM otel_traces WHERE ${withinTraces} AND SpanId = {spanId:String} ORDER BY Timestamp LIMIT 1`,
    params: { traceIds: [traceId], spanId },
  })
  if (row === undefined) return undefined
  const span = toSpan(row)
  const exceptions = await readLoggedExceptions(store, { traceIds: [traceId], spanId, ...timeOf([span]) })
  const [whole = span] = withExceptions([span], exceptions.slice(0, exceptionsMax))
  return { span: whole, truncated: exceptions.length > exceptionsMax }
}

/** How many spans were stored of each of these traces; a trace without any is absent. */
export async function countSpansOf(store: Store, traceIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await askClickHouse<{ traceId: string; spans: number }>(store, {
    deed: `count the spans of ${traceIds.length} traces`,
    query: `SELECT TraceId AS traceId, uniqExact(SpanId) AS spans FROM otel_traces WHERE ${withinTraces} GROUP BY TraceId`,
    params: { traceIds },
  })
  return new Map(rows.map(({ traceId, spans }) => [traceId, spans]))
}

function timeOf(spans: readonly StoredSpan[]): { sinceMs: number; untilMs: number } {
  let [sinceMs, untilMs] = [Number.POSITIVE_INFINITY, 0]
  for (const { startTime, durationNs } of spans) {
    const startMs = Date.parse(startTime)
    sinceMs = Math.min(sinceMs, startMs)
    untilMs = Math.max(untilMs, startMs + durationNs / 1e6)
  }
  return { sinceMs, untilMs: Math.ceil(untilMs) }
}

/** Puts logged exceptions among the events of their spans, but those that came as events, too. */
function withExceptions(spans: readonly StoredSpan[], exceptions: readonly LoggedException[]): StoredSpan[] {
  const bySpan = Map.groupBy(exceptions, spanKey)
  return spans.map((span) => {
    const logged = bySpan.get(spanKey(span)) ?? []
    const sent = new Set(span.events.filter(({ name }) => name === 'exception').map(exceptionKey))
    const others = logged.filter((exception) => !sent.has(exceptionKey(exception)))
    if (others.length === 0) return span
    const events = others.map(({ timestamp, attributes }) => ({ name: 'exception', timestamp, attributes }))
    return { ...span, events: [...span.events, ...events].toSorted(byTime) }
  })
}

function exceptionKey({ attributes }: { attributes: Record<string, string> }): string {
  return JSON.stringify([attributes['exception.type'] ?? '', attributes['exception.message'] ?? ''])
}

/** Times have the same number of digits. */
function byTime(a: { timestamp: string }, b: { timestamp: string }): number {
  return a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0
}

function toOutline(
  { linkTraceIds = [], linkSpanIds = [], ...span }: OutlineRow,
  known: ReadonlySet<string>,
): SpanOutline {
  const links = linkTraceIds.map((traceId, i) => ({ traceId, spanId: linkSpanIds[i] ?? '' }))
  return { ...span, links: links.filter(({ traceId }) => traceId !== span.traceId && known.has(traceId)) }
}

function toSpan(row: Row): StoredSpan {
  const {
    eventNames,
    eventTimes,
    eventAttributes,
    linkTraceIds,
    linkSpanIds,
    linkTraceStates,
    linkAttributes,
    ...span
  } = row
  return {
    ...span,
    events: eventNames.map((name, i) => ({
      name,
      timestamp: eventTimes[i] ?? span.startTime,
      attributes: eventAttributes[i] ?? {},
    })),
    links: linkTraceIds.map((traceId, i) => ({
      traceId,
      spanId: linkSpanIds[i] ?? '',
      traceState: linkTraceStates[i] ?? '',
      attributes: linkAttributes[i] ?? {},
    })),
  }
}
