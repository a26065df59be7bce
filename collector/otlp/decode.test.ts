import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { toSpanRows } from '../span-rows.ts'
import { attributeText } from './attribute-text.ts'
import { countRecords } from './count-records.ts'
import { decodedBytes } from './decoded-bytes.ts'
import { decodeJson } from './decode-json.ts'
import { decodeProtobuf } from './decode-protobuf.ts'
import { exportTraceRequest } from './schema.ts'
import { nestedTooDeep, nestingMax, spanKinds, statusCodes } from './traces.ts'

const everything = { fromNs: 0n, toNs: 2n ** 63n }

/** A request written as OTLP's JSON; ids are hex and bytes base64. */
type Json = string | number | boolean | null | Json[] | { [field: string]: Json }

function fromJson(request: Json) {
  return decodeJson(Buffer.from(JSON.stringify(request)))
}

const ids = new Set(['traceId', 'spanId', 'parentSpanId'])

/** The same request in protobuf: protobufjs reads base64 where OTLP's JSON has hex. */
function fromProtobuf(request: Json) {
  const message = exportTraceRequest.fromObject(withBase64Ids(request) as Record<string, unknown>)
  return decodeProtobuf(exportTraceRequest.encode(message).finish())
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

const text = fc.string({ unit: 'binary' })
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((id) => Buffer.from(id).toString('hex'))
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String)
const uint32 = fc.nat(0xffff_ffff)
const { attributes } = fc.letrec<{ value: Json; attributes: Json[] }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant({}),
    fc.record({ stringValue: text }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) }),
    fc.record({ doubleValue: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
    fc.record({ bytesValue: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')) }),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie('value'), { maxLength: 3 }) }) }),
    fc.record({ kvlistValue: fc.record({ values: tie('attributes') }) }),
  ),
  attributes: fc.array(fc.record({ key: fc.oneof(text, fc.constant('__proto__')), value: tie('value') }), {
    maxLength: 4,
  }) as fc.Arbitrary<Json[]>,
}))
const span = fc.record({
  traceId: hex(16),
  spanId: hex(8),
  parentSpanId: fc.oneof(hex(8), fc.constant('')),
  traceState: text,
  flags: uint32,
  name: text,
  kind: fc.nat(spanKinds.length),
  startTimeUnixNano: uint64,
  endTimeUnixNano: uint64,
  attributes,
  droppedAttributesCount: uint32,
  events: fc.array(fc.record({ timeUnixNano: uint64, name: text, attributes }), { maxLength: 3 }),
  droppedEventsCount: uint32,
  links: fc.array(fc.record({ traceId: hex(16), spanId: hex(8), traceState: text, attributes }), { maxLength: 3 }),
  droppedLinksCount: uint32,
  status: fc.record({ code: fc.nat(statusCodes.length), message: text }),
})
const request = fc.record({
  resourceSpans: fc.array(
    fc.record({
      resource: fc.record({ attributes }),
      scopeSpans: fc.array(
        fc.record({
          scope: fc.record({ name: text, version: text }),
          spans: fc.array(span, { maxLength: 3 }),
        }),
        { maxLength: 2 },
      ),
    }),
    { maxLength: 2 },
  ),
})

test('a request reaches the same rows and rejections by protobuf and by JSON', () => {
  fc.assert(
    fc.property(request, (sent) => {
      const json = toSpanRows(fromJson(sent), everything)
      expect(json).toEqual(toSpanRows(fromProtobuf(sent), everything))
    }),
    { numRuns: 500 },
  )
})

function outcomeOf(run: () => unknown): string {
  try {
    run()
    return 'returned'
  } catch (error) {
    return error instanceof Error ? 'refused' : `thrown: ${String(error)}`
  }
}

test('any bytes are decoded or refused, never more', () => {
  const valid = fc.gen().map((g) => {
    const message = exportTraceRequest.fromObject(withBase64Ids(g(() => request)) as object)
    const bytes = Buffer.from(exportTraceRequest.encode(message).finish())
    for (let flips = g(fc.nat, 4); flips > 0; flips -= 1) bytes[g(fc.nat, Math.max(bytes.length, 1))] = g(fc.nat, 255)
    return bytes.subarray(0, g(fc.nat, bytes.length))
  })
  fc.assert(
    fc.property(fc.oneof(valid, fc.uint8Array()), (body) => {
      for (const run of [
        () => decodeProtobuf(body),
        () => decodeJson(body),
        () => decodedBytes('protobuf', body),
        () => countRecords('metrics', 'protobuf', body),
      ]) {
        expect(['returned', 'refused']).toContain(outcomeOf(run))
      }
    }),
    { numRuns: 1_000 },
  )
})

function onlySpan(fields: Json) {
  return fromJson({ resourceSpans: [{ scopeSpans: [{ spans: [fields] }] }] })[0]?.scopes[0]?.spans[0]
}

test('JSON may spell enumerations by name, ids in capitals and 64-bit integers as numbers or text', () => {
  const times = { startTimeUnixNano: 5, endTimeUnixNano: '18446744073709551615' }
  const status = { code: 'STATUS_CODE_ERROR' }
  expect(onlySpan({ traceId: 'ABCD', kind: 'SPAN_KIND_CLIENT', status, ...times })).toMatchObject({
    traceId: 'abcd',
    kind: 3,
    statusCode: 2,
    startNs: 5n,
    endNs: 18_446_744_073_709_551_615n,
  })
})

test('a 64-bit number in JSON keeps its last digit', () => {
  const body = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano": 1763640000000000001}]}]}]}'
  expect(decodeJson(Buffer.from(body))[0]?.scopes[0]?.spans[0]?.startNs).toBe(1_763_640_000_000_000_001n)
})

test('null and unknown fields of JSON count as not sent', () => {
  expect(onlySpan({ name: null, kind: null, events: null, status: null, new_field: [{}] })).toMatchObject({
    name: '',
    kind: 0,
    events: [],
  })
})

test('doubles of JSON may be text', () => {
  const values = ['NaN', 'Infinity', '-Infinity', '1.5', 2]
  const sent = values.map((doubleValue, index) => ({ key: String(index), value: { doubleValue } }))
  const read = Array.from(onlySpan({ attributes: sent })?.attributes.values() ?? [])
  expect(read).toEqual([Number.NaN, Infinity, -Infinity, 1.5, 2])
})

test.each([
  ['[]', 'The body is [], expected an object'],
  ['{"resourceSpans":{}}', 'resourceSpans is {}, expected a list'],
  [
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{},{"name":5}]}]}]}',
    'resourceSpans[0].scopeSpans[0].spans[1].name is 5, expected text',
  ],
  [
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SERVER"}]}]}]}',
    'spans[0].kind is "SERVER", expected a number or one of SPAN_KIND_UNSPECIFIED',
  ],
  [
    '{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":-1}]}]}]}',
    'startTimeUnixNano is -1, expected an integer from 0 to 18446744073709551615',
  ],
  ['{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"intValue":"x"}}]}}]}', 'value.intValue is "x"'],
  ['{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"bytesValue":"€"}}]}}]}', 'expected base64'],
  ['{', 'JSON'],
  ['[1234567890123456789'.padEnd(200_000, '['), ''],
])('JSON that is no request is refused, naming the field: %.60s', (body, message) => {
  expect(() => decodeJson(Buffer.from(body))).toThrow(message)
})

test('strings with invalid UTF-8 are repaired in all messages, and the rest is kept', () => {
  const message = exportTraceRequest.fromObject({
    resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'a~b', events: [{ name: '~'.repeat(100) }] }] }] }],
  })
  const bytes = Buffer.from(exportTraceRequest.encode(message).finish()).map((byte) => (byte === 0x7e ? 0xff : byte))
  expect(decodeProtobuf(bytes)[0]?.scopes[0]?.spans[0]).toMatchObject({
    name: 'a\uFFFDb',
    events: [{ name: '\uFFFD'.repeat(100) }],
  })
  expect(onlySpan({ name: 'a\uD800b' })?.name).toBe('a\uFFFDb')
})

test('values nested too deep end in a note, by both ways', () => {
  let value: Json = { stringValue: 'core' }
  for (let depth = 0; depth <= nestingMax; depth += 1) value = { kvlistValue: { values: [{ key: 'k', value }] } }
  const sent = { resourceSpans: [{ resource: { attributes: [{ key: 'deep', value }] } }] }
  const expected = `${'{"k":'.repeat(nestingMax)}"${nestedTooDeep}"${'}'.repeat(nestingMax)}`
  for (const decoded of [fromJson(sent), fromProtobuf(sent)]) {
    expect(attributeText(decoded[0]?.resource.get('deep'))).toBe(expected)
  }
})

test('of a key that comes twice the last value counts', () => {
  const sent = [
    { key: 'a', value: { stringValue: 'first' } },
    { key: 'a', value: { stringValue: 'last' } },
  ]
  expect(onlySpan({ attributes: sent })?.attributes).toEqual(new Map([['a', 'last']]))
})
