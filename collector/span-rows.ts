// Spans as the clickhouseexporter writes them; a span that makes no row is rejected with a reason, and the others go on.

import type { SpanInsert } from '@headwater/store'
import { attributeText } from './otlp/attribute-text.ts'
import type { Attributes, ResourceSpans, Span } from './otlp/traces.ts'

/** Why a span makes no row. Each is a label of the metric. */
export type RejectionReason =
  | 'trace_id'
  | 'span_id'
  | 'parent_span_id'
  | 'start_time'
  | 'end_time'
  | 'event_time'
  | 'outside_window'

export interface Rejection {
  reason: RejectionReason
  /** Names field and value. */
  message: string
}

export interface SpanRows {
  rows: SpanInsert[]
  rejections: Rejection[]
}

/** Spans that began before are older than what is kept, spans that end after are from a clock that is wrong. */
export interface AcceptedWindow {
  fromNs: bigint
  toNs: bigint
}

const kinds = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer']
const statuses = ['Unset', 'Ok', 'Error']
/** What a DateTime64(9) holds: until April 2262. */
const timeNsMax = 2n ** 63n - 1n

/** The window of a moment: what is kept, and a day for clocks that run ahead. */
export function acceptedWindow({ nowMs, retentionDays }: { nowMs: number; retentionDays: number }): AcceptedWindow {
  const dayMs = 86_400_000
  return { fromNs: toNanoseconds(nowMs - retentionDays * dayMs), toNs: toNanoseconds(nowMs + dayMs) }
}

function toNanoseconds(ms: number): bigint {
  return BigInt(Math.trunc(ms)) * 1_000_000n
}

/** The rows of a request's spans, in their order. */
export function toSpanRows(request: readonly ResourceSpans[], window: AcceptedWindow): SpanRows {
  const rows: SpanInsert[] = []
  const rejections: Rejection[] = []
  for (const { resource, scopes } of request) {
    const ServiceName = attributeText(resource.get('service.name')) || 'unknown_service'
    const ResourceAttributes = toTextMap(resource)
    for (const { name: ScopeName, version: ScopeVersion, spans } of scopes) {
      for (const span of spans) {
        const rejection = findRejection(span, window)
        if (rejection === undefined)
          rows.push({ ServiceName, ResourceAttributes, ScopeName, ScopeVersion, ...toColumns(span) })
        else rejections.push(rejection)
      }
    }
  }
  return { rows, rejections }
}

/** Bytes that rows have beyond the request's own: each row repeats its resource and scope. A small body can claim gigabytes. */
export function repeatedBytes(request: readonly ResourceSpans[]): number {
  let bytes = 0
  for (const { resource, scopes } of request) {
    const resourceBytes = JSON.stringify(toTextMap(resource)).length
    for (const { name, version, spans } of scopes)
      bytes += (resourceBytes + name.length + version.length) * spans.length
  }
  return bytes
}

/** One sentence for all rejections of a request: each reason with its count and first example. */
export function describeRejections(rejections: readonly Rejection[], spans: number): string {
  if (rejections.length === 0) return ''
  const reasons = Map.groupBy(rejections, ({ reason }) => reason)
  const parts = Array.from(reasons.values(), (same) => `${same[0]?.message} (${same.length} of ${spans} spans)`)
  return `Rejected: ${parts.join('; ')}`
}

function findRejection(span: Span, { fromNs, toNs }: AcceptedWindow): Rejection | undefined {
  const { traceId, spanId, parentSpanId, startNs, endNs } = span
  if (!isId(traceId, 16))
    return { reason: 'trace_id', message: `trace_id ${idText(traceId)} must be 16 bytes that are not all zero` }
  if (!isId(spanId, 8))
    return { reason: 'span_id', message: `span_id ${idText(spanId)} must be 8 bytes that are not all zero` }
  if (!isNoId(parentSpanId) && !isId(parentSpanId, 8)) {
    return { reason: 'parent_span_id', message: `parent_span_id ${idText(parentSpanId)} must be 8 bytes or empty` }
  }
  if (startNs === 0n) return { reason: 'start_time', message: 'start_time_unix_nano is 0' }
  if (endNs < startNs) {
    return { reason: 'end_time', message: `end_time_unix_nano ${endNs} is before start_time_unix_nano ${startNs}` }
  }
  if (startNs < fromNs) {
    const message = `start_time_unix_nano ${startNs} is before ${isoText(fromNs)}, from when on spans are kept`
    return { reason: 'outside_window', message }
  }
  if (endNs > toNs) {
    const [field, ns] = startNs > toNs ? ['start_time_unix_nano', startNs] : ['end_time_unix_nano', endNs]
    return { reason: 'outside_window', message: `${field} ${ns} is after ${isoText(toNs)}, a day from now` }
  }
  const event = span.events.find(({ timeNs }) => timeNs > timeNsMax)
  return event && { reason: 'event_time', message: `events.time_unix_nano ${event.timeNs} is beyond ${timeNsMax}` }
}

type SpanColumns = Omit<SpanInsert, 'ServiceName' | 'ResourceAttributes' | 'ScopeName' | 'ScopeVersion'>

function toColumns(span: Span): SpanColumns {
  const { events } = span
  // A link to nothing is none; it counts as dropped.
  const links = span.links.filter(({ traceId, spanId }) => isId(traceId, 16) && isId(spanId, 8))
  return {
    Timestamp: secondsText(span.startNs),
    TraceId: span.traceId,
    SpanId: span.spanId,
    ParentSpanId: isNoId(span.parentSpanId) ? '' : span.parentSpanId,
    TraceState: span.traceState,
    SpanName: span.name,
    SpanKind: kinds[span.kind] ?? 'Unspecified',
    SpanAttributes: toTextMap(span.attributes),
    Duration: Number(span.endNs - span.startNs),
    StatusCode: statuses[span.statusCode] ?? 'Unset',
    StatusMessage: span.statusMessage,
    'Events.Timestamp': events.map(({ timeNs }) => secondsText(timeNs)),
    'Events.Name': events.map(({ name }) => name),
    'Events.Attributes': events.map(({ attributes }) => toTextMap(attributes)),
    'Links.TraceId': links.map(({ traceId }) => traceId),
    'Links.SpanId': links.map(({ spanId }) => spanId),
    'Links.TraceState': links.map(({ traceState }) => traceState),
    'Links.Attributes': links.map(({ attributes }) => toTextMap(attributes)),
    Flags: span.flags,
    DroppedAttributes: span.droppedAttributes,
    DroppedEvents: span.droppedEvents,
    DroppedLinks: Math.min(span.droppedLinks + span.links.length - links.length, 0xffff_ffff),
  }
}

function toTextMap(attributes: Attributes): Record<string, string> {
  return Object.fromEntries(Array.from(attributes, ([key, value]) => [key, attributeText(value)]))
}

function isId(hex: string, bytes: number): boolean {
  return hex.length === 2 * bytes && /^[0-9a-f]+$/.test(hex) && !isNoId(hex)
}

/** Some senders spell "no parent" as zeros. */
function isNoId(hex: string): boolean {
  return /^0*$/.test(hex)
}

function idText(hex: string): string {
  return JSON.stringify(hex.length > 40 ? `${hex.slice(0, 40)}…` : hex)
}

/** Unix seconds with nine decimals. ClickHouse takes fewer than ten digits of seconds for a day of the month. */
function secondsText(ns: bigint): string {
  const digits = String(ns).padStart(19, '0')
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`
}

function isoText(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString()
}
