import { exportTraceRequest } from './schema.ts'
import {
  type Attributes,
  type AttributeValue,
  type ResourceSpans,
  type Span,
  nestedTooDeep,
  nestingMax,
} from './traces.ts'

// What protobufjs makes of the messages: fields that did not come have their default, messages that did not come are null.
interface Long {
  low: number
  high: number
}

interface WireValue {
  value?: 'stringValue' | 'boolValue' | 'intValue' | 'doubleValue' | 'arrayValue' | 'kvlistValue' | 'bytesValue'
  stringValue: string
  boolValue: boolean
  intValue: Long
  doubleValue: number
  arrayValue: { values: WireValue[] }
  kvlistValue: { values: WireKeyValue[] }
  bytesValue: Uint8Array
}

interface WireKeyValue {
  key: string
  value: WireValue | null
}

interface WireSpan {
  traceId: Uint8Array
  spanId: Uint8Array
  traceState: string
  parentSpanId: Uint8Array
  name: string
  kind: number
  startTimeUnixNano: Long
  endTimeUnixNano: Long
  attributes: WireKeyValue[]
  droppedAttributesCount: number
  events: { timeUnixNano: Long; name: string; attributes: WireKeyValue[] }[]
  droppedEventsCount: number
  links: { traceId: Uint8Array; spanId: Uint8Array; traceState: string; attributes: WireKeyValue[] }[]
  droppedLinksCount: number
  status: { message: string; code: number } | null
  flags: number
}

interface WireRequest {
  resourceSpans: {
    resource: { attributes: WireKeyValue[] } | null
    scopeSpans: { scope: { name: string; version: string } | null; spans: WireSpan[] }[]
  }[]
}

/** Decodes an ExportTraceServiceRequest; throws on bytes that are none. */
export function decodeProtobuf(body: Uint8Array): ResourceSpans[] {
  const request = exportTraceRequest.decode(body) as unknown as WireRequest
  return request.resourceSpans.map(({ resource, scopeSpans }) => ({
    resource: toAttributes(resource?.attributes ?? []),
    scopes: scopeSpans.map(({ scope, spans }) => ({
      name: scope?.name ?? '',
      version: scope?.version ?? '',
      spans: spans.map(toSpan),
    })),
  }))
}

function toSpan(span: WireSpan): Span {
  return {
    traceId: toHex(span.traceId),
    spanId: toHex(span.spanId),
    parentSpanId: toHex(span.parentSpanId),
    traceState: span.traceState,
    flags: span.flags,
    name: span.name,
    kind: span.kind,
    startNs: toUnsigned(span.startTimeUnixNano),
    endNs: toUnsigned(span.endTimeUnixNano),
    attributes: toAttributes(span.attributes),
    droppedAttributes: span.droppedAttributesCount,
    events: span.events.map((event) => ({
      timeNs: toUnsigned(event.timeUnixNano),
      name: event.name,
      attributes: toAttributes(event.attributes),
    })),
    droppedEvents: span.droppedEventsCount,
    links: span.links.map((link) => ({
      traceId: toHex(link.traceId),
      spanId: toHex(link.spanId),
      traceState: link.traceState,
      attributes: toAttributes(link.attributes),
    })),
    droppedLinks: span.droppedLinksCount,
    statusCode: span.status?.code ?? 0,
    statusMessage: span.status?.message ?? '',
  }
}

function toAttributes(entries: readonly WireKeyValue[], depth = 0): Attributes {
  return new Map(entries.map(({ key, value }) => [key, toValue(value, depth)]))
}

function toValue(value: WireValue | null, depth: number): AttributeValue {
  switch (value?.value) {
    case 'stringValue':
      return value.stringValue
    case 'boolValue':
      return value.boolValue
    case 'intValue':
      return BigInt.asIntN(64, toUnsigned(value.intValue))
    case 'doubleValue':
      return value.doubleValue
    case 'bytesValue':
      return Uint8Array.from(value.bytesValue)
    case 'arrayValue':
      return depth === nestingMax ? nestedTooDeep : value.arrayValue.values.map((item) => toValue(item, depth + 1))
    case 'kvlistValue':
      return depth === nestingMax ? nestedTooDeep : toAttributes(value.kvlistValue.values, depth + 1)
    case undefined:
  }
  return undefined
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function toUnsigned({ low, high }: Long): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}
