// The rival: what a collector in TypeScript would do at first, and what ours did once. Protobufjs makes objects of the body, and
// each span becomes an object that the client for ClickHouse writes as a line of JSON.

import type { SpanInsert } from '@headwater/store'
import { type AnyValue, decodeRequest, type KeyValue, type Long, type Span } from '../otlp.ts'

const kinds = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer']
const statuses = ['Unset', 'Ok', 'Error']

/** The rows of a request's spans. */
export function toRows(body: Uint8Array): SpanInsert[] {
  return decodeRequest(body).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const ResourceAttributes = toTexts(resource?.attributes ?? [])
    const ServiceName = ResourceAttributes['service.name'] ?? 'unknown_service'
    return scopeSpans.flatMap(({ scope, spans }) => {
      const { name: ScopeName, version: ScopeVersion } = scope ?? { name: '', version: '' }
      return spans.map((span) => ({ ServiceName, ResourceAttributes, ScopeName, ScopeVersion, ...toColumns(span) }))
    })
  })
}

type SpanColumns = Omit<SpanInsert, 'ServiceName' | 'ResourceAttributes' | 'ScopeName' | 'ScopeVersion'>

function toColumns(span: Span): SpanColumns {
  const { events, links } = span
  const startNs = toUnsigned(span.startTimeUnixNano)
  return {
    Timestamp: secondsText(startNs),
    TraceId: toHex(span.traceId),
    SpanId: toHex(span.spanId),
    ParentSpanId: toHex(span.parentSpanId),
    TraceState: span.traceState,
    SpanName: span.name,
    SpanKind: kinds[span.kind] ?? 'Unspecified',
    SpanAttributes: toTexts(span.attributes),
    Duration: Number(toUnsigned(span.endTimeUnixNano) - startNs),
    StatusCode: statuses[span.status?.code ?? 0] ?? 'Unset',
    StatusMessage: span.status?.message ?? '',
    'Events.Timestamp': events.map(({ timeUnixNano }) => secondsText(toUnsigned(timeUnixNano))),
    'Events.Name': events.map(({ name }) => name),
    'Events.Attributes': events.map(({ attributes }) => toTexts(attributes)),
    'Links.TraceId': links.map(({ traceId }) => toHex(traceId)),
    'Links.SpanId': links.map(({ spanId }) => toHex(spanId)),
    'Links.TraceState': links.map(({ traceState }) => traceState),
    'Links.Attributes': links.map(({ attributes }) => toTexts(attributes)),
    Flags: span.flags,
    DroppedAttributes: span.droppedAttributesCount,
    DroppedEvents: span.droppedEventsCount,
    DroppedLinks: span.droppedLinksCount,
  }
}

function toTexts(attributes: readonly KeyValue[]): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toText(value)]))
}

function toText(value: AnyValue | null): string {
  switch (value?.value) {
    case 'stringValue':
      return value.stringValue
    case 'boolValue':
      return String(value.boolValue)
    case 'intValue':
      return String(BigInt.asIntN(64, toUnsigned(value.intValue)))
    case 'doubleValue':
      return String(value.doubleValue)
    case 'bytesValue':
      return Buffer.from(value.bytesValue).toString('base64')
    case 'arrayValue':
      return JSON.stringify(value.arrayValue.values.map(toText))
    case 'kvlistValue':
      return JSON.stringify(toTexts(value.kvlistValue.values))
    case undefined:
  }
  return ''
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function toUnsigned({ low, high }: Long): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

/** Unix seconds with nine decimals. */
function secondsText(ns: bigint): string {
  const digits = String(ns).padStart(19, '0')
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`
}
