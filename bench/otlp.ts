import { loadPart } from './inside-collector.ts'

/** A 64-bit integer as protobufjs gives it. */
export interface Long {
  low: number
  high: number
}

/** What protobufjs makes of a request: fields that did not come have their default, messages that did not come are null. */
export interface TraceRequest {
  resourceSpans: ResourceSpans[]
}

export interface ResourceSpans {
  resource: { attributes: KeyValue[] } | null
  scopeSpans: ScopeSpans[]
}

export interface ScopeSpans {
  scope: { name: string; version: string } | null
  spans: Span[]
}

export interface Span {
  traceId: Uint8Array
  spanId: Uint8Array
  traceState: string
  parentSpanId: Uint8Array
  name: string
  kind: number
  startTimeUnixNano: Long
  endTimeUnixNano: Long
  attributes: KeyValue[]
  droppedAttributesCount: number
  events: { timeUnixNano: Long; name: string; attributes: KeyValue[] }[]
  droppedEventsCount: number
  links: { traceId: Uint8Array; spanId: Uint8Array; traceState: string; attributes: KeyValue[] }[]
  droppedLinksCount: number
  status: { message: string; code: number } | null
  flags: number
}

export interface KeyValue {
  key: string
  value: AnyValue | null
}

export interface AnyValue {
  value?: 'stringValue' | 'boolValue' | 'intValue' | 'doubleValue' | 'arrayValue' | 'kvlistValue' | 'bytesValue'
  stringValue: string
  boolValue: boolean
  intValue: Long
  doubleValue: number
  arrayValue: { values: AnyValue[] }
  kvlistValue: { values: KeyValue[] }
  bytesValue: Uint8Array
}

const { exportTraceRequest: requestType } = await loadPart('otlp/reference/schema.ts')

/** Decodes an ExportTraceServiceRequest; throws on bytes that are none. */
export function decodeRequest(body: Uint8Array): TraceRequest {
  return requestType.decode(body) as unknown as TraceRequest
}

export function encodeRequest(request: TraceRequest): Buffer {
  return Buffer.from(requestType.encode(requestType.create(request)).finish())
}

/** A request from OTLP/JSON. */
export function requestFromJson(body: Uint8Array): TraceRequest {
  const json: unknown = JSON.parse(Buffer.from(body).toString(), (key, value: unknown) =>
    idFields.has(key) && typeof value === 'string' ? Buffer.from(value, 'hex').toString('base64') : value,
  )
  return requestType.fromObject(json as object) as unknown as TraceRequest
}

const idFields = new Set(['traceId', 'spanId', 'parentSpanId'])

/** A request as OTLP/JSON: ids in hex, 64-bit integers as text, what did not come left out. */
export function requestAsJson(body: Uint8Array): Buffer {
  const options = { longs: String, bytes: String, enums: Number, defaults: false }
  const json = requestType.toObject(requestType.decode(body), options)
  const text = JSON.stringify(json, (key, value: unknown) =>
    idFields.has(key) && typeof value === 'string' ? Buffer.from(value, 'base64').toString('hex') : value,
  )
  return Buffer.from(text)
}
