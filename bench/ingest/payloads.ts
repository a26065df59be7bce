// Requests as real senders make them, but with ids, times and varied values of their own: what is stored twice is not stored
// the way that it is in life.

import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import type { Chance } from './chance.ts'
import {
  encodeRequest,
  type KeyValue,
  type Long,
  requestAsJson,
  type ResourceSpans,
  type ScopeSpans,
  type Span,
} from '../otlp.ts'
import type { RecordedService, RecordedTrace } from './recordings.ts'

export interface PayloadOptions {
  spans: number
  /** The newest span ends then. */
  endMs: number
  chance: Chance
  /** So many services × operations have new names; as recorded without. */
  pairs?: number
}

/** Services in one request, as behind a proxy that collects for several. */
const servicesMax = 8
const operationsOfService = 100
const spreadMs = 5_000

/** An ExportTraceServiceRequest in protobuf. */
export function makePayload(recorded: readonly RecordedService[], options: PayloadOptions): Buffer {
  const { spans, chance, endMs } = options
  const first = chance.below(recorded.length)
  const services = Array.from(
    { length: Math.min(servicesMax, recorded.length) },
    (_, index) => recorded[(first + index) % recorded.length] as RecordedService,
  )
  const resourceSpans: ResourceSpans[] = []
  let left = spans
  for (const [index, service] of services.entries()) {
    const share = Math.ceil(left / (services.length - index))
    const fresh =
      options.pairs === undefined ? undefined : chance.below(Math.max(options.pairs / operationsOfService, 1))
    resourceSpans.push({
      resource: fresh === undefined ? service.resource : renamed(service.resource, `service-${fresh}`),
      scopeSpans: makeScopes(service, share, { chance, endMs, isRenamed: fresh !== undefined }),
    })
    left -= share
  }
  return encodeRequest({ resourceSpans })
}

export type BodyFormat = 'protobuf' | 'json'
export type BodyEncoding = 'gzip' | 'zstd'

/** The body as it goes over the wire, compressed as SDKs do it. */
export function toBody(payload: Buffer, format: BodyFormat, encoding: BodyEncoding): Buffer {
  const plain = format === 'json' ? requestAsJson(payload) : payload
  if (encoding === 'gzip') return gzipSync(plain)
  // A skippable frame first, whose four bytes make the body another one when it is sent again.
  return Buffer.concat([
    skippableFrame,
    zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
  ])
}

const skippableFrame = Buffer.from('502a4d180400000000000000', 'hex')
const stampAt = { gzip: 4, zstd: 8 }

/** Makes a body one that was never sent, without touching its content: gzip has a place for the time, zstd for anything. */
export function stamp(body: Buffer, encoding: BodyEncoding, number: number): void {
  body.writeUInt32LE(number >>> 0, stampAt[encoding])
}

interface Making {
  chance: Chance
  endMs: number
  isRenamed: boolean
}

function makeScopes(service: RecordedService, count: number, making: Making): ScopeSpans[] {
  const scopes = new Map<string, ScopeSpans>()
  let left = count
  while (left > 0) {
    const trace = service.traces[making.chance.below(service.traces.length)]
    if (trace === undefined) throw new Error(`Cannot make spans of "${service.name}": the recording has none`)
    for (const [index, span] of makeTrace(trace, service.varied, making).slice(0, left).entries()) {
      const scope = trace.scopes[index] ?? { name: '', version: '' }
      const known = scopes.get(scope.name) ?? { scope, spans: [] }
      known.spans.push(span)
      scopes.set(scope.name, known)
      left -= 1
    }
  }
  return [...scopes.values()]
}

/** The trace with other ids, moved to another time. Who was the parent of whom stays. */
function makeTrace(trace: RecordedTrace, varied: ReadonlySet<string>, making: Making): Span[] {
  const { chance, endMs, isRenamed } = making
  const traceMask = chance.bytes(16)
  const spanMask = chance.bytes(8)
  const ends = trace.spans.map(({ endTimeUnixNano }) => toNs(endTimeUnixNano))
  const lastNs = ends.reduce((last, ns) => (ns > last ? ns : last), 0n)
  const shiftNs = BigInt(endMs - chance.below(spreadMs)) * 1_000_000n + BigInt(chance.below(1_000_000)) - lastNs
  const moved = (time: Long): Long => toLong(toNs(time) + shiftNs)
  const vary = (attributes: KeyValue[]): KeyValue[] =>
    attributes.map((attribute) => {
      const { key, value } = attribute
      if (value === null || !varied.has(key)) return attribute
      if (value.value === 'intValue')
        return { key, value: { ...value, intValue: { low: 1_024 + chance.below(64_512), high: 0 } } }
      if (value.value !== 'stringValue') return attribute
      return { key, value: { ...value, stringValue: varyText(value.stringValue, traceMask, chance) } }
    })
  return trace.spans.map((span) => ({
    ...span,
    traceId: masked(span.traceId, traceMask),
    spanId: masked(span.spanId, spanMask),
    parentSpanId: masked(span.parentSpanId, spanMask),
    name: isRenamed ? `GET /operation-${chance.below(operationsOfService)}` : span.name,
    startTimeUnixNano: moved(span.startTimeUnixNano),
    endTimeUnixNano: moved(span.endTimeUnixNano),
    attributes: vary(span.attributes),
    events: span.events.map((event) => ({ ...event, timeUnixNano: moved(event.timeUnixNano) })),
    links: span.links.map((link) => ({
      ...link,
      traceId: masked(link.traceId, traceMask),
      spanId: masked(link.spanId, spanMask),
    })),
  }))
}

/** A trace's id in an attribute stays that of the trace, of other texts the digits are drawn anew. */
function varyText(text: string, traceMask: Uint8Array, chance: Chance): string {
  if (/^[0-9a-f]{32}$/.test(text)) return Buffer.from(masked(Buffer.from(text, 'hex'), traceMask)).toString('hex')
  return text.replaceAll(/[1-9]/g, () => String(1 + chance.below(9)))
}

function masked(id: Uint8Array, mask: Uint8Array): Uint8Array {
  return id.map((byte, index) => byte ^ (mask[index] ?? 0))
}

function renamed(resource: ResourceSpans['resource'], name: string): ResourceSpans['resource'] {
  const attributes = (resource?.attributes ?? []).map((attribute) =>
    attribute.key === 'service.name' && attribute.value !== null
      ? { key: attribute.key, value: { ...attribute.value, stringValue: name } }
      : attribute,
  )
  return { attributes }
}

function toNs({ low, high }: Long): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

function toLong(ns: bigint): Long {
  return { low: Number(ns & 0xffff_ffffn) | 0, high: Number(ns >> 32n) | 0 }
}
