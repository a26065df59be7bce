// A trace as Jaeger's query API has it: times in microseconds, resources shared as processes, what OpenTelemetry knows as
// fields of a span as tags. Names and order of the tags are those of Jaeger's own translation from OTLP.
import type { StoredSpan } from '@headwater/store'

export interface Tag {
  key: string
  type: 'string' | 'bool' | 'int64' | 'float64'
  value: string | boolean | number
}

interface Reference {
  refType: 'CHILD_OF' | 'FOLLOWS_FROM'
  traceID: string
  spanID: string
}

interface Process {
  serviceName: string
  tags: Tag[]
}

export interface JaegerSpan {
  traceID: string
  spanID: string
  operationName: string
  references: Reference[]
  /** Microseconds since 1970. */
  startTime: number
  /** Microseconds. */
  duration: number
  tags: Tag[]
  logs: { timestamp: number; fields: Tag[] }[]
  processID: string
  warnings: string[] | null
}

export interface JaegerTrace {
  traceID: string
  spans: JaegerSpan[]
  processes: Record<string, Process>
  warnings: string[] | null
}

/** All spans of one trace, as Jaeger has it. `warnings` are shown with the trace and with its first span. */
export function jaegerTrace(traceID: string, spans: readonly StoredSpan[], warnings: string[] = []): JaegerTrace {
  const told = warnings.length === 0 ? null : warnings
  const ids = new Map<string, string>()
  const processes: Record<string, Process> = {}
  const processOf = ({ serviceName, resourceAttributes }: StoredSpan): string => {
    const key = JSON.stringify([serviceName, Object.entries(resourceAttributes)])
    const known = ids.get(key)
    if (known !== undefined) return known
    const id = `p${ids.size + 1}`
    ids.set(key, id)
    const others = Object.entries(resourceAttributes).filter(([name]) => name !== 'service.name')
    processes[id] = { serviceName, tags: others.map(([name, text]) => tagOf(name, text)) }
    return id
  }
  return {
    traceID,
    spans: spans.map((span, i) => ({
      traceID,
      spanID: span.spanId,
      operationName: span.name,
      references: referencesOf(span),
      startTime: microsecondsOf(span.startTime),
      duration: Math.floor(span.durationNs / 1_000),
      tags: tagsOf(span),
      logs: span.events.map(({ name, timestamp, attributes }) => ({
        timestamp: microsecondsOf(timestamp),
        fields: [textTag('event', name), ...Object.entries(attributes).map(([key, value]) => tagOf(key, value))],
      })),
      processID: processOf(span),
      warnings: i === 0 ? told : null,
    })),
    processes,
    warnings: told,
  }
}

/**
 * An attribute with the type that its text shows: the store keeps texts, and each kind of value has one. A string that
 * reads like a number is told as one; nothing is lost, since `String(value)` is the text again.
 */
export function tagOf(key: string, value: string): Tag {
  if (value === 'true' || value === 'false') return { key, type: 'bool', value: value === 'true' }
  const number = Number(value)
  if (!Number.isFinite(number) || String(number) !== value) return textTag(key, value)
  return { key, type: Number.isSafeInteger(number) ? 'int64' : 'float64', value: number }
}

/** RFC 3339 in UTC, with up to nine decimals, as microseconds since 1970. */
export function microsecondsOf(time: string): number {
  const decimals = /\.(\d+)/.exec(time)?.[1] ?? ''
  return Date.parse(time.replace(/\.\d+/, '')) * 1_000 + Number(decimals.padEnd(6, '0').slice(0, 6))
}

function textTag(key: string, value: string): Tag {
  return { key, type: 'string', value }
}

function referencesOf({ traceId, parentSpanId, links }: StoredSpan): Reference[] {
  const parents: Reference[] =
    parentSpanId === '' ? [] : [{ refType: 'CHILD_OF', traceID: traceId, spanID: parentSpanId }]
  return [
    ...parents,
    ...links.map((link): Reference => ({
      // What OpenTracing's bridge says of a second parent.
      refType: link.attributes['opentracing.ref_type'] === 'child_of' ? 'CHILD_OF' : 'FOLLOWS_FROM',
      traceID: link.traceId,
      spanID: link.spanId,
    })),
  ]
}

function tagsOf(span: StoredSpan): Tag[] {
  const tags = Object.entries(span.spanAttributes).map(([key, value]) => tagOf(key, value))
  if (span.scopeName !== '') tags.push(textTag('otel.scope.name', span.scopeName))
  if (span.scopeVersion !== '') tags.push(textTag('otel.scope.version', span.scopeVersion))
  if (kinds.has(span.kind)) tags.push(textTag('span.kind', span.kind.toLowerCase()))
  if (span.statusCode === 'Error') tags.push({ key: 'error', type: 'bool', value: true })
  if (span.statusCode === 'Error' || span.statusCode === 'Ok')
    tags.push(textTag('otel.status_code', span.statusCode.toUpperCase()))
  if (span.statusMessage !== '') tags.push(textTag('otel.status_description', span.statusMessage))
  if (span.traceState !== '') tags.push(textTag('w3c.tracestate', span.traceState))
  return tags
}

/** As the column of kinds has them. */
const kinds = new Set(['Server', 'Client', 'Producer', 'Consumer', 'Internal'])
