// A trace as Jaeger's third version has it: OTLP's JSON.
import type { StoredSpan } from '@headwater/store'
import { tagOf } from './trace.ts'

type AnyValue = { stringValue: string } | { boolValue: boolean } | { intValue: string } | { doubleValue: number }

export interface KeyValue {
  key: string
  value: AnyValue
}

export interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  traceState?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: KeyValue[]
  events: { timeUnixNano: string; name: string; attributes: KeyValue[] }[]
  links: { traceId: string; spanId: string; traceState?: string; attributes: KeyValue[] }[]
  status: { code: number; message?: string }
}

export interface ResourceSpans {
  resource: { attributes: KeyValue[] }
  scopeSpans: { scope: { name: string; version?: string }; spans: OtlpSpan[] }[]
}

const kinds = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer']
const statuses = ['Unset', 'Ok', 'Error']

/** Spans by resource and scope, each in the order of their starts. */
export function resourceSpansOf(spans: readonly StoredSpan[]): ResourceSpans[] {
  const byResource = Map.groupBy(spans, ({ resourceAttributes }) => JSON.stringify(Object.entries(resourceAttributes)))
  return [...byResource.values()].map((own) => {
    const byScope = Map.groupBy(own, ({ scopeName, scopeVersion }) => JSON.stringify([scopeName, scopeVersion]))
    return {
      resource: { attributes: attributesOf(own[0]?.resourceAttributes ?? {}) },
      scopeSpans: [...byScope.values()].map((scoped) => ({
        scope: {
          name: scoped[0]?.scopeName ?? '',
          ...(scoped[0]?.scopeVersion && { version: scoped[0].scopeVersion }),
        },
        spans: scoped.map(otlpSpan),
      })),
    }
  })
}

function otlpSpan(span: StoredSpan): OtlpSpan {
  const startNs = unixNano(span.startTime)
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId !== '' && { parentSpanId: span.parentSpanId }),
    ...(span.traceState !== '' && { traceState: span.traceState }),
    name: span.name,
    kind: Math.max(0, kinds.indexOf(span.kind)),
    startTimeUnixNano: String(startNs),
    endTimeUnixNano: String(startNs + BigInt(span.durationNs)),
    attributes: attributesOf(span.spanAttributes),
    events: span.events.map(({ timestamp, name, attributes }) => ({
      timeUnixNano: String(unixNano(timestamp)),
      name,
      attributes: attributesOf(attributes),
    })),
    // Jaeger's UI refuses a whole trace for the sake of one link that leads nowhere.
    links: span.links
      .filter(({ traceId, spanId }) => /^(?!0+$)[0-9a-f]{32}$/.test(traceId) && /^(?!0+$)[0-9a-f]{16}$/.test(spanId))
      .map(({ traceId, spanId, traceState, attributes }) => ({
        traceId,
        spanId,
        ...(traceState !== '' && { traceState }),
        attributes: attributesOf(attributes),
      })),
    status: {
      code: Math.max(0, statuses.indexOf(span.statusCode)),
      ...(span.statusMessage !== '' && { message: span.statusMessage }),
    },
  }
}

/** RFC 3339 in UTC, with up to nine decimals, as nanoseconds since 1970. */
export function unixNano(time: string): bigint {
  const decimals = /\.(\d+)/.exec(time)?.[1] ?? ''
  const ms = Date.parse(time.replace(/\.\d+/, ''))
  return BigInt(ms) * 1_000_000n + BigInt(decimals.padEnd(9, '0').slice(0, 9))
}

function attributesOf(attributes: Readonly<Record<string, string>>): KeyValue[] {
  return Object.entries(attributes).map(([key, text]) => {
    const { type, value } = tagOf(key, text)
    switch (type) {
      case 'bool':
        return { key, value: { boolValue: value === true } }
      case 'int64':
        return { key, value: { intValue: text } }
      case 'float64':
        return { key, value: { doubleValue: Number(value) } }
      case 'string':
        return { key, value: { stringValue: text } }
    }
  })
}
