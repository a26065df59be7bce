// OTLP's JSON as the protobuf of the same request, so that one walker writes the columns of both. Fields that have their
// default are left out, unknown ones ignored. Fields are written from the last to the first, as the writer asks.
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

import { nestingMax } from './any-value-text.ts'
import { type JsonFields, type JsonLimits, parseJson } from './json-fields.ts'
import { ProtobufWriter } from './protobuf-writer.ts'

/** The signals that are kept. */
export type KeptSignal = 'traces' | 'logs'

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }
const spanKinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map(
  (kind) => `SPAN_KIND_${kind}`,
)
const statusCodes = ['UNSET', 'OK', 'ERROR'].map((code) => `STATUS_CODE_${code}`)
const severities = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((severity) =>
  ['', '2', '3', '4'].map((step) => `SEVERITY_NUMBER_${severity}${step}`),
)
const severityNumbers = ['SEVERITY_NUMBER_UNSPECIFIED', ...severities]

/** Whatever follows a text that is no id, so that it is none by its length either. */
const noIdByte = Buffer.of(0xff)

/**
 * The ExportTraceServiceRequest or ExportLogsServiceRequest that a body in OTLP's JSON says, in protobuf. Throws an error
 * that names the field if it says none, and `TooLarge` if it says too much.
 */
export function jsonToProtobuf(signal: KeptSignal, body: Uint8Array, limits: JsonLimits): Buffer {
  const request = parseJson(body, limits)
  const writer = new ProtobufWriter(body.length >> 1)
  if (signal === 'traces') {
    writeGroups(writer, request, { groups: 'resourceSpans', scopes: 'scopeSpans', records: 'spans', write: writeSpan })
  } else {
    const names = { groups: 'resourceLogs', scopes: 'scopeLogs', records: 'logRecords' }
    writeGroups(writer, request, { ...names, write: writeLogRecord })
  }
  return writer.finish()
}

interface Shape {
  groups: string
  scopes: string
  records: string
  write: (writer: ProtobufWriter, record: JsonFields) => void
}

/** Requests of all signals have one layout: resources, their scopes, the records of these. */
function writeGroups(writer: ProtobufWriter, request: JsonFields, shape: Shape): void {
  for (const group of request.messagesFromLast(shape.groups)) {
    const groupEnd = writer.size
    writeText(writer, 3, group.text('schemaUrl'))
    for (const scope of group.messagesFromLast(shape.scopes)) {
      const scopeEnd = writer.size
      writeText(writer, 3, scope.text('schemaUrl'))
      for (const record of scope.messagesFromLast(shape.records)) {
        const recordEnd = writer.size
        shape.write(writer, record)
        writer.message(2, recordEnd)
      }
      writeScope(writer, scope.message('scope'))
      writer.message(2, scopeEnd)
    }
    writeResource(writer, group.message('resource'))
    writer.message(1, groupEnd)
  }
}

function writeResource(writer: ProtobufWriter, resource: JsonFields | undefined): void {
  if (resource === undefined) return
  const end = writer.size
  writeCount(writer, 2, resource.uint32('droppedAttributesCount'))
  writeAttributes(writer, 1, resource, 'attributes')
  writer.message(1, end)
}

function writeScope(writer: ProtobufWriter, scope: JsonFields | undefined): void {
  if (scope === undefined) return
  const end = writer.size
  writeCount(writer, 4, scope.uint32('droppedAttributesCount'))
  writeAttributes(writer, 3, scope, 'attributes')
  writeText(writer, 2, scope.text('version'))
  writeText(writer, 1, scope.text('name'))
  writer.message(1, end)
}

function writeSpan(writer: ProtobufWriter, span: JsonFields): void {
  writeFlags(writer, 16, span.uint32('flags'))
  const status = span.message('status')
  if (status !== undefined) {
    const end = writer.size
    writeEnumeration(writer, 3, status.enumeration('code', statusCodes))
    writeText(writer, 2, status.text('message'))
    writer.message(15, end)
  }
  writeCount(writer, 14, span.uint32('droppedLinksCount'))
  for (const link of span.messagesFromLast('links')) {
    const end = writer.size
    writeFlags(writer, 6, link.uint32('flags'))
    writeCount(writer, 5, link.uint32('droppedAttributesCount'))
    writeAttributes(writer, 4, link, 'attributes')
    writeText(writer, 3, link.text('traceState'))
    writeId(writer, 2, link.text('spanId'))
    writeId(writer, 1, link.text('traceId'))
    writer.message(13, end)
  }
  writeCount(writer, 12, span.uint32('droppedEventsCount'))
  for (const event of span.messagesFromLast('events')) {
    const end = writer.size
    writeCount(writer, 4, event.uint32('droppedAttributesCount'))
    writeAttributes(writer, 3, event, 'attributes')
    writeText(writer, 2, event.text('name'))
    writeTime(writer, 1, event.uint64('timeUnixNano'))
    writer.message(11, end)
  }
  writeCount(writer, 10, span.uint32('droppedAttributesCount'))
  writeAttributes(writer, 9, span, 'attributes')
  writeTime(writer, 8, span.uint64('endTimeUnixNano'))
  writeTime(writer, 7, span.uint64('startTimeUnixNano'))
  writeEnumeration(writer, 6, span.enumeration('kind', spanKinds))
  writeText(writer, 5, span.text('name'))
  writeId(writer, 4, span.text('parentSpanId'))
  writeText(writer, 3, span.text('traceState'))
  writeId(writer, 2, span.text('spanId'))
  writeId(writer, 1, span.text('traceId'))
}

function writeLogRecord(writer: ProtobufWriter, record: JsonFields): void {
  writeText(writer, 12, record.text('eventName'))
  writeTime(writer, 11, record.uint64('observedTimeUnixNano'))
  writeId(writer, 10, record.text('spanId'))
  writeId(writer, 9, record.text('traceId'))
  writeFlags(writer, 8, record.uint32('flags'))
  writeCount(writer, 7, record.uint32('droppedAttributesCount'))
  writeAttributes(writer, 6, record, 'attributes')
  writeValue(writer, 5, record.message('body'), 0)
  writeText(writer, 3, record.text('severityText'))
  writeEnumeration(writer, 2, record.enumeration('severityNumber', severityNumbers))
  writeTime(writer, 1, record.uint64('timeUnixNano'))
}

function writeAttributes(writer: ProtobufWriter, field: number, owner: JsonFields, name: string, depth = 0): void {
  for (const entry of owner.messagesFromLast(name)) {
    const end = writer.size
    writeValue(writer, 2, entry.message('value'), depth)
    writeText(writer, 1, entry.text('key'))
    writer.message(field, end)
  }
}

function writeValue(writer: ProtobufWriter, field: number, value: JsonFields | undefined, depth: number): void {
  if (value === undefined) return
  const end = writer.size
  writeMember(writer, value, depth)
  writer.message(field, end)
}

/** The one member of an AnyValue that is set; there it matters that it is, so defaults are written too. */
function writeMember(writer: ProtobufWriter, value: JsonFields, depth: number): void {
  if (value.get('stringValue') !== undefined) return writer.text(1, value.text('stringValue'))
  if (value.get('boolValue') !== undefined) return writer.integer(2, value.boolean('boolValue') ? 1n : 0n)
  if (value.get('intValue') !== undefined) return writer.integer(3, value.integer('intValue', int64))
  if (value.get('doubleValue') !== undefined) return writer.double(4, value.double('doubleValue'))
  if (value.get('bytesValue') !== undefined) return writer.bytes(7, value.bytes('bytesValue'))
  const end = writer.size
  const list = value.message('arrayValue')
  if (list !== undefined) {
    // What is inside of a value at the greatest depth is replaced by a note when it is read.
    if (depth < nestingMax) {
      for (const item of list.messagesFromLast('values')) writeValue(writer, 1, item, depth + 1)
    }
    return writer.message(5, end)
  }
  const map = value.message('kvlistValue')
  if (map === undefined) return
  if (depth < nestingMax) writeAttributes(writer, 1, map, 'values', depth + 1)
  writer.message(6, end)
}

function writeText(writer: ProtobufWriter, field: number, text: string): void {
  if (text !== '') writer.text(field, text)
}

/** Ids are hex; what is no hex text is kept as bytes that are no id by their number, for the record to be rejected alone. */
function writeId(writer: ProtobufWriter, field: number, text: string): void {
  if (text === '') return
  if (text.length % 2 === 0 && /^[0-9a-f]+$/i.test(text)) return writer.bytes(field, Buffer.from(text, 'hex'))
  const bytes = Buffer.concat([Buffer.from(text), noIdByte])
  const isAsLongAsAnId = bytes.length === 8 || bytes.length === 16
  writer.bytes(field, isAsLongAsAnId ? Buffer.concat([bytes, noIdByte]) : bytes)
}

function writeTime(writer: ProtobufWriter, field: number, ns: bigint): void {
  if (ns !== 0n) writer.fixed64(field, ns)
}

function writeFlags(writer: ProtobufWriter, field: number, flags: number): void {
  if (flags !== 0) writer.fixed32(field, flags)
}

function writeCount(writer: ProtobufWriter, field: number, count: number): void {
  if (count === 0) return
  writer.varint(count)
  writer.varint(field * 8)
}

function writeEnumeration(writer: ProtobufWriter, field: number, number: number): void {
  if (number !== 0) writer.integer(field, BigInt(number))
}
