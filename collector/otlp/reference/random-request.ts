// Requests of all that OTLP can say, in its JSON; and the same requests in protobuf.

import * as fc from 'fast-check'
import type { KeptSignal } from '../json-to-protobuf.ts'
import { exportLogsRequest, exportTraceRequest } from './schema.ts'

/** A request written as OTLP's JSON; ids are hex and bytes base64. */
export type Json = string | number | boolean | null | Json[] | { [field: string]: Json }

const ids = new Set(['traceId', 'spanId', 'parentSpanId'])

/** The protobuf of a request; protobufjs reads base64 where OTLP's JSON has hex. */
export function protobufOf(signal: KeptSignal, request: Json): Buffer {
  const type = signal === 'traces' ? exportTraceRequest : exportLogsRequest
  const message = type.fromObject(withBase64Ids(request) as Record<string, unknown>)
  return Buffer.from(type.encode(message).finish())
}

function withBase64Ids(value: Json): Json {
  if (Array.isArray(value)) return value.map(withBase64Ids)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      ids.has(name) ? Buffer.from(item as string, 'hex').toString('base64') : withBase64Ids(item),
    ]),
  )
}

const dayNs = 86_400_000_000_000n

const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 120, maxLength: 300 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('GET /', '\u0000', 'card 4111 1111 1111 1111', 'https://u:p@host/?token=abc', 'PO-1'),
  },
)
const traceState = fc.oneof(
  text,
  fc.constantFrom('ot=th:8', 'a=b,ot=rv:1;th:c', 'ot=th:0', 'ot=th:ffffffffffffff', 'ot=th:123456789abcdef', 'ot=th:'),
  fc.string({ minLength: 130, maxLength: 200 }).map((tail) => `ot=th:4,v=${tail}`),
)
const uint32 = fc.oneof(fc.nat(3), fc.nat(0xffff_ffff))
const severityOrKind = fc.oneof(fc.nat(6), fc.nat(24), fc.constantFrom(-1, 255, 256, 2 ** 31 - 1))

function hex(bytes: number) {
  return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((digits) => Buffer.from(digits).toString('hex'))
}

/** Mostly an id, sometimes none or one of a wrong length. */
function id(bytes: number) {
  return fc.oneof(
    { weight: 12, arbitrary: hex(bytes) },
    { weight: 1, arbitrary: fc.constant('') },
    fc.constant('0'.repeat(2 * bytes)),
    hex(bytes - 1),
  )
}

const knownKeys = [
  'service.name',
  'service.namespace',
  'service.version',
  'service.instance.id',
  'host.name',
  'deployment.environment',
  'deployment.environment.name',
  'flow.id',
  'flow.name',
  'user.id',
  'enduser.id',
  'service.peer.name',
  'peer.service',
  'server.address',
  'server.port',
  'net.peer.name',
  'net.peer.port',
  'password',
]
const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...knownKeys) },
  { weight: 3, arbitrary: text },
  fc.constant('__proto__'),
)
const interesting = fc.constantFrom(
  '',
  'a/b%c@d',
  '0'.repeat(32),
  'abcdef0123456789'.repeat(2),
  'ABCDEF0123456789'.repeat(2),
)
const { attributes, value } = fc.letrec<{ value: Json; attributes: Json[] }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant({}),
    fc.record({ stringValue: text }),
    fc.record({ stringValue: interesting }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) }),
    fc.record({ intValue: fc.integer().map(String) }),
    fc.record({ doubleValue: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
    fc.record({ doubleValue: fc.constantFrom('NaN', 'Infinity', '-Infinity') }),
    fc.record({ bytesValue: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')) }),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie('value'), { maxLength: 3 }) }) }),
    fc.record({ kvlistValue: fc.record({ values: tie('attributes') }) }),
  ),
  attributes: fc.array(fc.record({ key, value: tie('value') }), { maxLength: 5 }) as fc.Arbitrary<Json[]>,
}))
const attributed = { attributes, droppedAttributesCount: uint32 }

/** Moments around now, in nanoseconds; a few are none or far away. */
function time(nowNs: bigint) {
  return fc.oneof(
    { weight: 30, arbitrary: fc.bigInt({ min: nowNs - dayNs, max: nowNs }).map(String) },
    { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String) },
    fc.constantFrom('0', String(2n ** 63n)),
  )
}

/** From the beginning of a span to its end; some end before. */
function times(nowNs: bigint) {
  return fc
    .tuple(time(nowNs), fc.oneof({ weight: 20, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 40n }) }, fc.constant(-1n)))
    .map(([start, tookNs]) => ({
      startTimeUnixNano: start,
      endTimeUnixNano: String(BigInt.asUintN(64, BigInt(start) + tookNs)),
    }))
}

function span(nowNs: bigint) {
  const eventTime = fc.oneof(
    { weight: 20, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }) },
    fc.constant(2n ** 63n),
  )
  const fields = fc.record({
    ...attributed,
    traceId: id(16),
    spanId: id(8),
    parentSpanId: fc.oneof(id(8), fc.constant('')),
    traceState,
    flags: uint32,
    name: text,
    kind: severityOrKind,
    events: fc.array(fc.record({ ...attributed, timeUnixNano: eventTime.map(String), name: text }), { maxLength: 3 }),
    droppedEventsCount: uint32,
    links: fc.array(fc.record({ ...attributed, traceId: id(16), spanId: id(8), traceState, flags: uint32 }), {
      maxLength: 3,
    }),
    droppedLinksCount: uint32,
    status: fc.record({ code: severityOrKind, message: text }),
  })
  return fc.tuple(fields, times(nowNs)).map(([rest, when]) => ({ ...rest, ...when }))
}

function logRecord(nowNs: bigint) {
  return fc.record({
    ...attributed,
    timeUnixNano: time(nowNs),
    observedTimeUnixNano: time(nowNs),
    severityNumber: severityOrKind,
    severityText: text,
    body: value,
    flags: uint32,
    traceId: id(16),
    spanId: id(8),
    eventName: text,
  })
}

const scope = fc.record({ ...attributed, name: text, version: text })

/** Requests of a signal, around a moment. */
export function randomRequest(signal: KeptSignal, nowNs: bigint): fc.Arbitrary<Json> {
  const schemaUrl = fc.oneof(fc.constant(''), fc.constant('https://opentelemetry.io/schemas/1.40.0'), text)
  const resource = fc.record({ ...attributed })
  const arrays = { maxLength: 3 }
  if (signal === 'traces') {
    const scopeSpans = fc.record({ scope, schemaUrl, spans: fc.array(span(nowNs), arrays) })
    const resourceSpans = fc.record({ resource, schemaUrl, scopeSpans: fc.array(scopeSpans, { maxLength: 2 }) })
    return fc.record({ resourceSpans: fc.array(resourceSpans, { maxLength: 2 }) }) as fc.Arbitrary<Json>
  }
  const scopeLogs = fc.record({ scope, schemaUrl, logRecords: fc.array(logRecord(nowNs), arrays) })
  const resourceLogs = fc.record({ resource, schemaUrl, scopeLogs: fc.array(scopeLogs, { maxLength: 2 }) })
  return fc.record({ resourceLogs: fc.array(resourceLogs, { maxLength: 2 }) }) as fc.Arbitrary<Json>
}
