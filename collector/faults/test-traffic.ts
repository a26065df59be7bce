// What the senders send: whole traces over up to three services, every span with an ID of its own. IDs and services bear
// the traffic's name, so that all that became of it can be found and counted.

import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { ProtobufWriter } from '../otlp/protobuf-writer.ts'

export type Kind = 'Internal' | 'Server' | 'Client'

export interface SentSpan {
  traceId: string
  spanId: string
  /** Empty at the root. */
  parentSpanId: string
  service: string
  kind: Kind
}

/** The bytes of one request, and the spans in it. */
export interface SentRequest {
  spans: SentSpan[]
  body: Buffer
}

interface Step {
  service: 'gateway' | 'orders' | 'stock'
  kind: Kind
  /** The step that it is called by; none at the root. */
  parent?: number
}

/** From one span to a call through three services with a database behind each. */
const shapes: readonly (readonly Step[])[] = [
  [{ service: 'gateway', kind: 'Server' }],
  [
    { service: 'gateway', kind: 'Server' },
    { service: 'gateway', kind: 'Client', parent: 0 },
    { service: 'orders', kind: 'Server', parent: 1 },
    { service: 'orders', kind: 'Client', parent: 2 },
  ],
  [
    { service: 'gateway', kind: 'Server' },
    { service: 'gateway', kind: 'Internal', parent: 0 },
    { service: 'gateway', kind: 'Client', parent: 1 },
    { service: 'orders', kind: 'Server', parent: 2 },
    { service: 'orders', kind: 'Client', parent: 3 },
    { service: 'orders', kind: 'Client', parent: 3 },
    { service: 'stock', kind: 'Server', parent: 5 },
    { service: 'stock', kind: 'Internal', parent: 6 },
    { service: 'stock', kind: 'Client', parent: 7 },
  ],
]

const kindNumbers: Readonly<Record<Kind, number>> = { Internal: 1, Server: 2, Client: 3 }
const spanMs = 20
const msInNs = 1_000_000n

/** What a service's name ends with when its traces are sent in two requests, by two senders. */
export const apart = 'apart'

/** Makes requests; all that it ever made have the same name in their IDs. */
export class Traffic {
  /** 16 hex digits: traces begin with it, services end with it. */
  readonly name = randomBytes(8).toString('hex')
  #traces = 0
  #spans = 0

  /** A request of so many spans, in whole traces. */
  request(spanCount: number, nowMs = Date.now()): SentRequest {
    const spans: SentSpan[] = []
    while (spans.length < spanCount) {
      const fitting = shapes.filter(({ length }) => length <= spanCount - spans.length)
      spans.push(...this.#trace(fitting[this.#traces % fitting.length] ?? [], this.name))
    }
    return { spans, body: encode(spans, nowMs) }
  }

  /** Traces in two requests: the caller's spans in one, the callee's in the other. */
  requestsApart(traceCount: number, nowMs = Date.now()): [SentRequest, SentRequest] {
    const spans = Array.from({ length: traceCount }, () => this.#trace(shapes[1] ?? [], `${apart}-${this.name}`)).flat()
    const parts = [true, false].map((isCaller) =>
      spans.filter(({ service }) => service.startsWith('gateway') === isCaller),
    )
    const [caller = [], callee = []] = parts
    return [
      { spans: caller, body: encode(caller, nowMs) },
      { spans: callee, body: encode(callee, nowMs) },
    ]
  }

  #trace(steps: readonly Step[], suffix: string): SentSpan[] {
    this.#traces += 1
    const traceId = this.name + this.#traces.toString(16).padStart(16, '0')
    const spans: SentSpan[] = []
    for (const { service, kind, parent } of steps) {
      this.#spans += 1
      const spanId = this.name.slice(0, 8) + this.#spans.toString(16).padStart(8, '0')
      const parentSpanId = parent === undefined ? '' : (spans[parent]?.spanId ?? '')
      spans.push({ traceId, spanId, parentSpanId, service: `${service}-${suffix}`, kind })
    }
    return spans
  }
}

/**
 * Calls that these spans make: one for each span that enters a service, and one for each call to what has no spans. Those
 * of the first kind also by the service that is entered.
 */
export function callsOf(spans: readonly SentSpan[]): { entries: Map<string, number>; calls: number } {
  const bySpanId = new Map(spans.map((span) => [span.spanId, span]))
  const goesOn = new Set(spans.flatMap(({ kind, parentSpanId }) => (kind === 'Internal' ? [] : [parentSpanId])))
  const entries = new Map<string, number>()
  let calls = 0
  for (const { spanId, parentSpanId, service, kind } of spans) {
    const isEntry = kind === 'Server' || (kind === 'Internal' && bySpanId.get(parentSpanId)?.service !== service)
    if (isEntry) entries.set(service, (entries.get(service) ?? 0) + 1)
    if (isEntry || (kind === 'Client' && !goesOn.has(spanId))) calls += 1
  }
  return { entries, calls }
}

/** An ExportTraceServiceRequest, gzipped. Written from its end to its beginning, as the writer wants it. */
function encode(spans: readonly SentSpan[], nowMs: number): Buffer {
  const writer = new ProtobufWriter()
  const endNs = BigInt(Math.trunc(nowMs)) * msInNs
  for (const [service, ofService] of Map.groupBy(spans, (span) => span.service)) {
    const beforeResource = writer.size
    const beforeScope = writer.size
    for (const span of ofService) writeSpan(writer, span, endNs)
    writer.message(2, beforeScope)
    const beforeAttributes = writer.size
    writeAttribute(writer, 1, 'service.name', service)
    writer.message(1, beforeAttributes)
    writer.message(1, beforeResource)
  }
  return gzipSync(writer.finish(), { level: 1 })
}

function writeSpan(writer: ProtobufWriter, span: SentSpan, endNs: bigint): void {
  const before = writer.size
  // Names the callee as long as there are no spans of it.
  if (span.kind === 'Client') writeAttribute(writer, 9, 'db.system.name', `db-of-${span.service}`)
  writeAttribute(writer, 9, 'user.id', `user-${Number.parseInt(span.spanId.slice(-4), 16) % 100}`)
  writer.fixed64(8, endNs)
  writer.fixed64(7, endNs - BigInt(spanMs) * msInNs)
  writer.integer(6, BigInt(kindNumbers[span.kind]))
  writer.text(5, `${span.kind} ${span.service.split('-')[0] ?? ''}`)
  if (span.parentSpanId !== '') writer.bytes(4, Buffer.from(span.parentSpanId, 'hex'))
  writer.bytes(2, Buffer.from(span.spanId, 'hex'))
  writer.bytes(1, Buffer.from(span.traceId, 'hex'))
  writer.message(2, before)
}

function writeAttribute(writer: ProtobufWriter, field: number, key: string, value: string): void {
  const before = writer.size
  const beforeValue = writer.size
  writer.text(1, value)
  writer.message(2, beforeValue)
  writer.text(1, key)
  writer.message(field, before)
}
