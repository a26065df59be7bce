// What a recording says by its expectation file, which OpenTelemetry's Python classes wrote: protobuf's JSON with the fields' own
// names, ids in hex. collector/payloads/README.md describes it.

import * as z from 'zod'
import type { Attributed, KeyValue, LogRecord, Request, Span, Value } from './request.ts'
import { messageType } from './schema.ts'

const integer = z.string().transform(BigInt)
const hex = z.string().transform((text): Uint8Array => Buffer.from(text, 'hex'))
const double = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number)])

const value: z.ZodType<Value> = z.lazy(() =>
  z.union([
    z
      .strictObject({ string_value: z.string() })
      .transform(({ string_value: text }): Value => ({ kind: 'string', text })),
    z.strictObject({ bool_value: z.boolean() }).transform((sent): Value => ({ kind: 'bool', value: sent.bool_value })),
    z.strictObject({ int_value: integer }).transform((sent): Value => ({ kind: 'int', value: sent.int_value })),
    z.strictObject({ double_value: double }).transform((sent): Value => ({ kind: 'double', value: sent.double_value })),
    z.strictObject({ bytes_value: z.base64() }).transform((sent): Value => ({
      kind: 'bytes',
      bytes: Buffer.from(sent.bytes_value, 'base64'),
    })),
    z.strictObject({ array_value: z.strictObject({ values: z.array(value) }) }).transform((sent): Value => ({
      kind: 'list',
      items: sent.array_value.values,
    })),
    z.strictObject({ kvlist_value: z.strictObject({ values: z.array(keyValue) }) }).transform((sent): Value => ({
      kind: 'map',
      entries: sent.kvlist_value.values,
    })),
    z.strictObject({}).transform((): Value => ({ kind: 'none' })),
  ]),
)
const keyValue: z.ZodType<KeyValue> = z.lazy(() => z.strictObject({ key: z.string(), value }))

const attributed = { attributes: z.array(keyValue), dropped_attributes_count: z.number() }

function toAttributed(sent: { attributes: KeyValue[]; dropped_attributes_count: number }): Attributed {
  return {
    droppedAttributes: sent.dropped_attributes_count,
    attributeCount: sent.attributes.length,
    attributes: (countMax) => sent.attributes.slice(0, countMax),
  }
}

/** The number of a name in an enumeration. */
function enumeration(message: string, field: string) {
  const { resolvedType } = messageType(message).fields[field]?.resolve() ?? { resolvedType: null }
  const numbers = resolvedType !== null && 'values' in resolvedType ? resolvedType.values : {}
  return z.string().transform((name): number => {
    const number = numbers[name]
    if (number === undefined) throw new Error(`Cannot read an expectation: ${field} has no ${name}`)
    return number
  })
}

const event = z
  .strictObject({ ...attributed, time_unix_nano: integer, name: z.string() })
  .transform((sent) => ({ ...toAttributed(sent), timeNs: sent.time_unix_nano, name: sent.name }))

const link = z
  .strictObject({ ...attributed, trace_id: hex, span_id: hex, trace_state: z.string(), flags: z.number() })
  .transform((sent) => ({
    ...toAttributed(sent),
    traceId: sent.trace_id,
    spanId: sent.span_id,
    traceState: sent.trace_state,
    flags: sent.flags,
  }))

const span = z
  .strictObject({
    ...attributed,
    trace_id: hex,
    span_id: hex,
    parent_span_id: hex,
    trace_state: z.string(),
    name: z.string(),
    kind: enumeration('trace.v1.Span', 'kind'),
    start_time_unix_nano: integer,
    end_time_unix_nano: integer,
    flags: z.number(),
    status: z.strictObject({ message: z.string(), code: enumeration('trace.v1.Status', 'code') }),
    events: z.array(event),
    dropped_events_count: z.number(),
    links: z.array(link),
    dropped_links_count: z.number(),
  })
  .transform((sent): Span => ({
    ...toAttributed(sent),
    traceId: sent.trace_id,
    spanId: sent.span_id,
    parentSpanId: sent.parent_span_id,
    traceState: sent.trace_state,
    name: sent.name,
    kind: sent.kind,
    startNs: sent.start_time_unix_nano,
    endNs: sent.end_time_unix_nano,
    flags: sent.flags,
    status: sent.status,
    eventCount: sent.events.length,
    events: (countMax) => sent.events.slice(0, countMax),
    droppedEvents: sent.dropped_events_count,
    linkCount: sent.links.length,
    links: (countMax) => sent.links.slice(0, countMax),
    droppedLinks: sent.dropped_links_count,
  }))

const logRecord = z
  .strictObject({
    ...attributed,
    time_unix_nano: integer,
    observed_time_unix_nano: integer,
    severity_number: enumeration('logs.v1.LogRecord', 'severityNumber'),
    severity_text: z.string(),
    body: value,
    flags: z.number(),
    trace_id: hex,
    span_id: hex,
    event_name: z.string(),
  })
  .transform((sent): LogRecord => ({
    ...toAttributed(sent),
    timeNs: sent.time_unix_nano,
    observedNs: sent.observed_time_unix_nano,
    severity: sent.severity_number,
    severityText: sent.severity_text,
    body: sent.body,
    flags: sent.flags,
    traceId: sent.trace_id,
    spanId: sent.span_id,
    eventName: sent.event_name,
  }))

const resource = z.strictObject({ ...attributed, entity_refs: z.tuple([]) }).transform(toAttributed)
const scope = z
  .strictObject({ ...attributed, name: z.string(), version: z.string() })
  .transform((sent) => ({ ...toAttributed(sent), name: sent.name, version: sent.version }))

const traces = z
  .strictObject({
    resource_spans: z.array(
      z.strictObject({
        resource,
        schema_url: z.string(),
        scope_spans: z.array(z.strictObject({ scope, schema_url: z.string(), spans: z.array(span) })),
      }),
    ),
  })
  .transform(({ resource_spans: groups }): Request<Span> => ({
    groups: groups.map((group) => ({
      schemaUrl: group.schema_url,
      resource: group.resource,
      scopes: group.scope_spans.map((sent) => ({ schemaUrl: sent.schema_url, scope: sent.scope, records: sent.spans })),
    })),
  }))

const logs = z
  .strictObject({
    resource_logs: z.array(
      z.strictObject({
        resource,
        schema_url: z.string(),
        scope_logs: z.array(z.strictObject({ scope, schema_url: z.string(), log_records: z.array(logRecord) })),
      }),
    ),
  })
  .transform(({ resource_logs: groups }): Request<LogRecord> => ({
    groups: groups.map((group) => ({
      schemaUrl: group.schema_url,
      resource: group.resource,
      scopes: group.scope_logs.map((sent) => ({
        schemaUrl: sent.schema_url,
        scope: sent.scope,
        records: sent.log_records,
      })),
    })),
  }))

/** The spans of an expectation. */
export function readExpectedTraces(expectation: unknown): Request<Span> {
  return traces.parse(expectation)
}

/** The log records of an expectation. */
export function readExpectedLogs(expectation: unknown): Request<LogRecord> {
  return logs.parse(expectation)
}
