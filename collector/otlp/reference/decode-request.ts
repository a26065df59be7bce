// Reads a request by protobufjs and the official proto files; shares no code with the walkers that it judges.
//
// Each message is decoded by itself: its fields that are messages are taken as bytes first. So what a walker does not look
// at (attributes of a span that is rejected, say) may be broken here, too, without a refusal of the whole request. Where a
// message comes twice its parts are put together, which is what the specification says of it.
//
// Protobufjs is laxer than the specification in one point, mended here: it steps over integers of more than ten bytes.
// The walkers depart from the specification in one point, and so does this: where a value (`KeyValue.value`, a log's body) or
// a member of a value comes twice, the last one counts as it stands; lists and maps are not put together. No encoder writes it.

import protobuf from 'protobufjs'
import type {
  Attributed,
  KeyValue,
  LogRecord,
  Request,
  ResourceGroup,
  ScopeGroup,
  Span,
  SpanEvent,
  SpanLink,
  Value,
} from './request.ts'
import { messageType } from './schema.ts'

/** The bytes are no request. */
export class RefusedByReference extends Error {
  override readonly name = 'RefusedByReference'
}

class StrictReader extends protobuf.Reader {
  override skip(length?: number): this {
    if (length === undefined) this.uint64()
    else super.skip(length)
    return this
  }
}

/** A message with its scalars decoded, and the bytes of the messages in it. */
interface Shell {
  number(field: string): number
  ns(field: string): bigint
  text(field: string): string
  bytes(field: string): Uint8Array
  parts(field: string): readonly Uint8Array[]
}

type Fields = Readonly<Record<string, unknown>>

const shells = new Map<string, protobuf.Type>()

/** The type with each field that is a message turned into bytes, as often as they come. */
function shellOf(name: string): protobuf.Type {
  const known = shells.get(name)
  if (known !== undefined) return known
  const shell = new protobuf.Type('Shell')
  for (const field of messageType(name).fieldsArray) {
    field.resolve()
    const isMessage = field.resolvedType instanceof protobuf.Type
    const type = isMessage ? 'bytes' : field.resolvedType === null ? field.type : 'int32'
    shell.add(new protobuf.Field(field.name, field.id, type, isMessage || field.repeated ? 'repeated' : undefined))
  }
  new protobuf.Root().add(shell)
  shells.set(name, shell)
  return shell
}

function read(name: string, parts: readonly Uint8Array[]): Shell {
  const bytes = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
  let fields: Fields
  try {
    fields = shellOf(name).decode(new StrictReader(Uint8Array.from(bytes)))
  } catch (cause) {
    throw new RefusedByReference(`Cannot read ${name}: ${String(cause)}`, { cause })
  }
  const get = (field: string): unknown => (Object.hasOwn(fields, field) ? fields[field] : undefined)
  return {
    number: (field) => (get(field) as number | undefined) ?? 0,
    ns: (field) => toBigInt(get(field) as Long | undefined),
    text: (field) => (get(field) as string | undefined) ?? '',
    bytes: (field) => (get(field) as Uint8Array | undefined) ?? new Uint8Array(),
    parts: (field) => (get(field) as Uint8Array[] | undefined) ?? [],
  }
}

interface Long {
  low: number
  high: number
}

function toBigInt(long: Long | undefined): bigint {
  return long === undefined ? 0n : (BigInt(long.high >>> 0) << 32n) | BigInt(long.low >>> 0)
}

/** Reads an ExportTraceServiceRequest. Throws `RefusedByReference`, now or when a part is looked at that is broken. */
export function decodeTraces(body: Uint8Array): Request<Span> {
  const request = read('collector.trace.v1.ExportTraceServiceRequest', [body])
  const shape = { types: 'trace.v1', scopes: 'scopeSpans', records: 'spans', toRecord: toSpan }
  return { groups: request.parts('resourceSpans').map((bytes) => toResourceGroup(bytes, 'ResourceSpans', shape)) }
}

/** Reads an ExportLogsServiceRequest. Throws `RefusedByReference`, now or when a part is looked at that is broken. */
export function decodeLogs(body: Uint8Array): Request<LogRecord> {
  const request = read('collector.logs.v1.ExportLogsServiceRequest', [body])
  const shape = { types: 'logs.v1', scopes: 'scopeLogs', records: 'logRecords', toRecord: toLogRecord }
  return { groups: request.parts('resourceLogs').map((bytes) => toResourceGroup(bytes, 'ResourceLogs', shape)) }
}

interface Shape<R> {
  types: string
  scopes: string
  records: string
  toRecord: (bytes: Uint8Array) => R
}

function toResourceGroup<R>(bytes: Uint8Array, type: string, shape: Shape<R>): ResourceGroup<R> {
  const group = read(`${shape.types}.${type}`, [bytes])
  return {
    schemaUrl: group.text('schemaUrl'),
    resource: attributed(read('resource.v1.Resource', group.parts('resource'))),
    scopes: group.parts(shape.scopes).map((scope) => toScopeGroup(scope, type.replace('Resource', 'Scope'), shape)),
  }
}

function toScopeGroup<R>(bytes: Uint8Array, type: string, shape: Shape<R>): ScopeGroup<R> {
  const group = read(`${shape.types}.${type}`, [bytes])
  const scope = read('common.v1.InstrumentationScope', group.parts('scope'))
  return {
    schemaUrl: group.text('schemaUrl'),
    scope: { ...attributed(scope), name: scope.text('name'), version: scope.text('version') },
    records: group.parts(shape.records).map(shape.toRecord),
  }
}

function toLogRecord(bytes: Uint8Array): LogRecord {
  const record = read('logs.v1.LogRecord', [bytes])
  return {
    ...attributed(record),
    timeNs: record.ns('timeUnixNano'),
    observedNs: record.ns('observedTimeUnixNano'),
    severity: record.number('severityNumber'),
    severityText: record.text('severityText'),
    get body() {
      return toValue(record.parts('body').at(-1) ?? new Uint8Array())
    },
    flags: record.number('flags'),
    traceId: record.bytes('traceId'),
    spanId: record.bytes('spanId'),
    eventName: record.text('eventName'),
  }
}

function toSpan(bytes: Uint8Array): Span {
  const span = read('trace.v1.Span', [bytes])
  const status = read('trace.v1.Status', span.parts('status'))
  return {
    ...attributed(span),
    traceId: span.bytes('traceId'),
    spanId: span.bytes('spanId'),
    parentSpanId: span.bytes('parentSpanId'),
    traceState: span.text('traceState'),
    name: span.text('name'),
    kind: span.number('kind'),
    startNs: span.ns('startTimeUnixNano'),
    endNs: span.ns('endTimeUnixNano'),
    flags: span.number('flags'),
    status: { code: status.number('code'), message: status.text('message') },
    eventCount: span.parts('events').length,
    events: (countMax) => span.parts('events').slice(0, countMax).map(toEvent),
    droppedEvents: span.number('droppedEventsCount'),
    linkCount: span.parts('links').length,
    links: (countMax) => span.parts('links').slice(0, countMax).map(toLink),
    droppedLinks: span.number('droppedLinksCount'),
  }
}

function toEvent(bytes: Uint8Array): SpanEvent {
  const event = read('trace.v1.Span.Event', [bytes])
  return { ...attributed(event), timeNs: event.ns('timeUnixNano'), name: event.text('name') }
}

function toLink(bytes: Uint8Array): SpanLink {
  const link = read('trace.v1.Span.Link', [bytes])
  return {
    ...attributed(link),
    traceId: link.bytes('traceId'),
    spanId: link.bytes('spanId'),
    traceState: link.text('traceState'),
    flags: link.number('flags'),
  }
}

function attributed(message: Shell): Attributed {
  return {
    droppedAttributes: message.number('droppedAttributesCount'),
    attributeCount: message.parts('attributes').length,
    attributes: (countMax) => message.parts('attributes').slice(0, countMax).map(toKeyValue),
  }
}

function toKeyValue(bytes: Uint8Array): KeyValue {
  const entry = read('common.v1.KeyValue', [bytes])
  const key = entry.text('key')
  return {
    key,
    get value() {
      return toValue(entry.parts('value').at(-1) ?? new Uint8Array())
    },
  }
}

/** Only the reader knows which member came last, so its fields are read one by one. */
function toValue(bytes: Uint8Array): Value {
  const reader = new StrictReader(Uint8Array.from(bytes))
  let value: Value = { kind: 'none' }
  try {
    while (reader.pos < reader.len) {
      const tag = reader.tag()
      value = readMember(reader, tag) ?? value
    }
  } catch (cause) {
    throw new RefusedByReference(`Cannot read common.v1.AnyValue: ${String(cause)}`, { cause })
  }
  return value
}

function readMember(reader: protobuf.Reader, tag: number): Value | undefined {
  const member = messageType('common.v1.AnyValue').fieldsById[tag >>> 3]
  const wireType = tag & 7
  const expected = member && { bool: 0, int64: 0, double: 1 }[member.type]
  if (member === undefined || member.name === 'stringValueStrindex' || wireType !== (expected ?? 2)) {
    reader.skipType(wireType, 0, tag >>> 3)
    return undefined
  }
  switch (member.name) {
    case 'stringValue':
      return { kind: 'string', text: reader.string() }
    case 'boolValue':
      // Protobufjs' own bool looks at bits beyond the 64th, too.
      return { kind: 'bool', value: toBigInt(reader.int64()) !== 0n }
    case 'intValue':
      return { kind: 'int', value: BigInt.asIntN(64, toBigInt(reader.int64())) }
    case 'doubleValue':
      return { kind: 'double', value: reader.double() }
    case 'bytesValue':
      return { kind: 'bytes', bytes: reader.bytes() }
    case 'arrayValue': {
      const list = reader.bytes()
      return {
        kind: 'list',
        get items() {
          return read('common.v1.ArrayValue', [list]).parts('values').map(toValue)
        },
      }
    }
    default: {
      const map = reader.bytes()
      return {
        kind: 'map',
        get entries() {
          return read('common.v1.KeyValueList', [map]).parts('values').map(toKeyValue)
        },
      }
    }
  }
}
