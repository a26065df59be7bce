// What real senders sent: OpenTelemetry's SDKs, each from another kind of service, and the fleet's services with our agent.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { decodeRequest, type KeyValue, type ResourceSpans, type Span } from '../otlp.ts'

/** What one service sent, cut into its traces: payloads are made of whole ones. */
export interface RecordedService {
  name: string
  resource: ResourceSpans['resource']
  traces: RecordedTrace[]
  /** Attributes whose values are nearly all different, such as users and ports. */
  varied: ReadonlySet<string>
}

/** Spans of one trace with their scopes, as they came. */
export interface RecordedTrace {
  scopes: { name: string; version: string }[]
  spans: Span[]
}

/** Requests that hold the traffic of an ordinary day. */
const recordings = [
  new URL('payloads/javascript-ordinary-traces-protobuf-gzip.body', import.meta.resolve('@headwater/collector')),
  new URL('payloads/python-ordinary-traces-protobuf.body', import.meta.resolve('@headwater/collector')),
  new URL('payloads/go-ordinary-traces-protobuf-gzip.body', import.meta.resolve('@headwater/collector')),
  new URL('payloads/java-ordinary-traces-protobuf-gzip.body', import.meta.resolve('@headwater/collector')),
  new URL('fleet-traces-protobuf-gzip.body', import.meta.url),
]

/** A value that comes this seldom twice is made anew in each payload. */
const variedShare = 0.5

/** Reads the recordings. */
export function readRecordings(): RecordedService[] {
  return recordings.flatMap((file) => {
    const raw = readFileSync(file)
    const body = file.pathname.includes('-gzip') ? gunzipSync(raw) : raw
    return decodeRequest(body).resourceSpans.map(toService)
  })
}

function toService({ resource, scopeSpans }: ResourceSpans): RecordedService {
  const traces = new Map<string, RecordedTrace>()
  for (const { scope, spans } of scopeSpans) {
    for (const span of spans) {
      const id = Buffer.from(span.traceId).toString('hex')
      const trace = traces.get(id) ?? { scopes: [], spans: [] }
      trace.scopes.push(scope ?? { name: '', version: '' })
      trace.spans.push(span)
      traces.set(id, trace)
    }
  }
  const all = scopeSpans.flatMap(({ spans }) => spans)
  const name = resource?.attributes.find(({ key }) => key === 'service.name')?.value?.stringValue ?? ''
  return { name, resource, traces: [...traces.values()], varied: variedKeys(all.flatMap((span) => span.attributes)) }
}

function variedKeys(attributes: readonly KeyValue[]): Set<string> {
  const byKey = Map.groupBy(attributes, ({ key }) => key)
  const varied = Array.from(byKey).filter(([, same]) => {
    const texts = new Set(same.map(({ value }) => JSON.stringify(value)))
    return same.length >= 20 && texts.size > same.length * variedShare
  })
  return new Set(varied.map(([key]) => key))
}
