// What a request says of spans or log records, field by field as the proto files have them. Whoever reads one reads only what is needed of
// it: parts of a decoded request are decoded when they are looked at.

/** One value; of a list and a map, the items and entries in their order. */
export type Value =
  | { kind: 'none' }
  | { kind: 'string'; text: string }
  | { kind: 'bool'; value: boolean }
  | { kind: 'int'; value: bigint }
  | { kind: 'double'; value: number }
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'list'; readonly items: readonly Value[] }
  | { kind: 'map'; readonly entries: readonly KeyValue[] }

export interface KeyValue {
  readonly key: string
  readonly value: Value
}

/** What bears attributes. */
export interface Attributed {
  /** Attributes that the sender left out. */
  readonly droppedAttributes: number
  /** How many attributes there are. */
  readonly attributeCount: number
  /** The first of them, up to that many. */
  attributes(countMax: number): readonly KeyValue[]
}

export interface Request<R> {
  readonly groups: readonly ResourceGroup<R>[]
}

export interface ResourceGroup<R> {
  readonly schemaUrl: string
  readonly resource: Attributed
  readonly scopes: readonly ScopeGroup<R>[]
}

export interface ScopeGroup<R> {
  readonly schemaUrl: string
  readonly scope: Attributed & { readonly name: string; readonly version: string }
  readonly records: readonly R[]
}

export interface Span extends Attributed {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly parentSpanId: Uint8Array
  readonly traceState: string
  readonly name: string
  readonly kind: number
  readonly startNs: bigint
  readonly endNs: bigint
  readonly flags: number
  readonly status: { readonly code: number; readonly message: string }
  readonly eventCount: number
  events(countMax: number): readonly SpanEvent[]
  readonly droppedEvents: number
  readonly linkCount: number
  links(countMax: number): readonly SpanLink[]
  readonly droppedLinks: number
}

export interface SpanEvent extends Attributed {
  readonly timeNs: bigint
  readonly name: string
}

export interface SpanLink extends Attributed {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly traceState: string
  readonly flags: number
}

export interface LogRecord extends Attributed {
  readonly timeNs: bigint
  readonly observedNs: bigint
  readonly severity: number
  readonly severityText: string
  readonly body: Value
  readonly flags: number
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly eventName: string
}
