// What OTLP says of spans, whichever way it was encoded. Both decoders end here and everything after starts here.

/** A string, boolean, integer (bigint), double (number), bytes, list or map; undefined is a value that was not set. */
export type AttributeValue =
  | string
  | boolean
  | bigint
  | number
  | Uint8Array
  | readonly AttributeValue[]
  | ReadonlyMap<string, AttributeValue>
  | undefined

/** Of a key that comes twice, the last value. */
export type Attributes = ReadonlyMap<string, AttributeValue>

export interface ResourceSpans {
  resource: Attributes
  scopes: ScopeSpans[]
}

export interface ScopeSpans {
  name: string
  version: string
  spans: Span[]
}

/** Ids are lowercase hex of whatever length came, times nanoseconds since 1970, kinds and codes numbers of the protocol. */
export interface Span {
  traceId: string
  spanId: string
  parentSpanId: string
  traceState: string
  flags: number
  name: string
  kind: number
  startNs: bigint
  endNs: bigint
  attributes: Attributes
  droppedAttributes: number
  events: SpanEvent[]
  droppedEvents: number
  links: SpanLink[]
  droppedLinks: number
  statusCode: number
  statusMessage: string
}

export interface SpanEvent {
  timeNs: bigint
  name: string
  attributes: Attributes
}

export interface SpanLink {
  traceId: string
  spanId: string
  traceState: string
  attributes: Attributes
}

/** The names of the numbers, as the protocol's JSON may spell them. */
export const spanKinds = [
  'SPAN_KIND_UNSPECIFIED',
  'SPAN_KIND_INTERNAL',
  'SPAN_KIND_SERVER',
  'SPAN_KIND_CLIENT',
  'SPAN_KIND_PRODUCER',
  'SPAN_KIND_CONSUMER',
] as const

export const statusCodes = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'] as const

/** Lists and maps inside a value go this deep; protobuf's own limit of 100 messages allows 31. */
export const nestingMax = 24

/** Stands for what was nested deeper. */
export const nestedTooDeep = `[nested deeper than ${nestingMax}]`
