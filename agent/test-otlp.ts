// Requests of OTLP as they are: by protobufjs and the official proto files, which share no code with the agent's encoder.

import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs'
import type { ReceivedSpan } from './testing.ts'

const protos = new URL('../collector/otlp/reference/', import.meta.url)
const files = ['common/v1/common', 'resource/v1/resource', 'trace/v1/trace', 'collector/trace/v1/trace_service']
const root = new protobuf.Root()
for (const file of files) {
  protobuf.parse(readFileSync(new URL(`opentelemetry/proto/${file}.proto`, protos), 'utf8'), root)
}
const exportRequest = root.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest')
const kinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const

/** Spans of a request in JSON. */
export function readJson(body: Buffer): ReceivedSpan[] {
  return readSpans(JSON.parse(body.toString()) as ExportRequest)
}

/** Spans of a request in protobuf. */
export function readProtobuf(body: Buffer): ReceivedSpan[] {
  return readSpans(decodeProtobuf(body))
}

/** A request as it is: integers as texts, and no field that was not written. */
export function decodeProtobuf(body: Buffer): ExportRequest {
  const options = { longs: String, bytes: Array, defaults: false }
  return exportRequest.toObject(exportRequest.decode(body), options) as ExportRequest
}

/** A value of an attribute as it is. */
export interface AnyValue {
  stringValue?: string
  intValue?: number | string
  doubleValue?: number
  boolValue?: boolean
  arrayValue?: { values?: AnyValue[] }
  kvlistValue?: { values?: KeyValue[] }
  bytesValue?: number[] | string
}
export interface KeyValue {
  key?: string
  value?: AnyValue
}
/** Hex digits in JSON, bytes in protobuf. */
type Id = string | number[]
export interface ExportRequest {
  resourceSpans: {
    resource: { attributes: KeyValue[] }
    schemaUrl?: string
    scopeSpans: {
      scope?: { name?: string; version?: string }
      schemaUrl?: string
      spans: {
        kind: number
        name?: string
        flags?: number
        traceId: Id
        spanId: Id
        traceState?: string
        parentSpanId?: Id
        startTimeUnixNano?: string
        endTimeUnixNano?: string
        status?: { code?: number; message?: string }
        attributes?: KeyValue[]
        droppedAttributesCount?: number
        links?: {
          traceId: Id
          spanId: Id
          traceState?: string
          flags?: number
          attributes?: KeyValue[]
          droppedAttributesCount?: number
        }[]
        droppedLinksCount?: number
        events?: {
          name?: string
          timeUnixNano?: string
          attributes?: KeyValue[]
          droppedAttributesCount?: number
        }[]
        droppedEventsCount?: number
      }[]
    }[]
  }[]
}

function readSpans(request: ExportRequest): ReceivedSpan[] {
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        service: String(readAttributes(resource.attributes)['service.name']),
        scope: scope?.name ?? '',
        kind: kinds[span.kind] ?? 'UNSPECIFIED',
        name: span.name ?? '',
        traceId: hexOf(span.traceId),
        spanId: hexOf(span.spanId),
        parentSpanId: hexOf(span.parentSpanId ?? '') || undefined,
        traceState: span.traceState ?? '',
        startNs: BigInt(span.startTimeUnixNano ?? 0),
        endNs: BigInt(span.endTimeUnixNano ?? 0),
        isError: span.status?.code === 2,
        statusCode: span.status?.code ?? 0,
        statusMessage: span.status?.message ?? '',
        attributes: readAttributes(span.attributes),
        resource: readAttributes(resource.attributes),
        links: (span.links ?? []).map((link) => ({
          traceId: hexOf(link.traceId),
          spanId: hexOf(link.spanId),
          traceState: link.traceState ?? '',
          flags: link.flags ?? 0,
          attributes: readAttributes(link.attributes),
          droppedAttributes: link.droppedAttributesCount ?? 0,
        })),
        events: (span.events ?? []).map((event) => ({
          name: event.name ?? '',
          timeNs: BigInt(event.timeUnixNano ?? 0),
          attributes: readAttributes(event.attributes),
          droppedAttributes: event.droppedAttributesCount ?? 0,
        })),
        dropped: {
          attributes: span.droppedAttributesCount ?? 0,
          events: span.droppedEventsCount ?? 0,
          links: span.droppedLinksCount ?? 0,
        },
      })),
    ),
  )
}

/** An ID in hex digits. */
export function hexOf(id: Id): string {
  return typeof id === 'string' ? id : Buffer.from(id).toString('hex')
}

function readAttributes(attributes: KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key = '', value }) => [key, readValue(value)]))
}

function readValue(value: AnyValue = {}): unknown {
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(readValue)
  if (value.kvlistValue) return readAttributes(value.kvlistValue.values)
  if (value.bytesValue !== undefined) return Buffer.from(value.bytesValue as number[])
  if (value.intValue !== undefined) return Number(value.intValue)
  return value.stringValue ?? value.doubleValue ?? value.boolValue ?? null
}

const exportResponse = root.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse')

/** A collector's answer that takes a part only. */
export function encodePartialSuccess(partialSuccess: { rejectedSpans?: number; errorMessage?: string }): Buffer {
  return Buffer.from(exportResponse.encode({ partialSuccess }).finish())
}
