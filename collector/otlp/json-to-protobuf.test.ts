import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nestedTooDeep, nestingMax } from './any-value-text.ts'
import { jsonToProtobuf, type KeptSignal } from './json-to-protobuf.ts'
import type { Row } from './reference/expected-rows.ts'
import { anyTime, createIntake } from './reference/judge.ts'
import type { Json } from './reference/random-request.ts'
import { readNative } from './reference/read-native.ts'
import { TooLarge } from './too-large.ts'

const limits = { objectsMax: 10_000 }

function taken(signal: KeptSignal, body: string) {
  const intake = createIntake(signal)
  const { rejections } = intake.walk(jsonToProtobuf(signal, Buffer.from(body), limits), anyTime)
  return { rows: readNative(intake.seal()), rejections }
}

const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
const times = { startTimeUnixNano: 1, endTimeUnixNano: 2 }

function requestOf(span: object): string {
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...ids, ...times, ...span }] }] }] })
}

function rowOf(span: { [field: string]: Json }): Row | undefined {
  return taken('traces', requestOf(span)).rows[0]
}

test('JSON may spell enumerations by name, ids in capitals and 64-bit integers as numbers or text', () => {
  const status = { code: 'STATUS_CODE_ERROR' }
  const traceId = ids.traceId.toUpperCase()
  expect(rowOf({ traceId, kind: 'SPAN_KIND_CLIENT', status, endTimeUnixNano: '9223372036854775807' })).toMatchObject({
    TraceId: ids.traceId,
    SpanKind: 'Client',
    StatusCode: 'Error',
    Timestamp: '1',
    Duration: '9223372036854775806',
  })
})

test('a 64-bit number in JSON keeps its last digit', () => {
  const body = requestOf({ endTimeUnixNano: 'end' }).replace('"end"', '1763640000000000001')
  expect(taken('traces', body).rows[0]).toMatchObject({ Duration: '1763640000000000000' })
})

test('null and unknown fields of JSON count as not sent', () => {
  expect(rowOf({ name: null, kind: null, events: null, status: null, new_field: [{}] })).toMatchObject({
    SpanName: '',
    SpanKind: 'Unspecified',
    'Events.Name': [],
    StatusCode: 'Unset',
  })
})

test('doubles of JSON may be text', () => {
  const values = ['NaN', 'Infinity', '-Infinity', '1.5', 2]
  const attributes = values.map((doubleValue, index) => ({ key: String(index), value: { doubleValue } }))
  expect(rowOf({ attributes })?.['SpanAttributes']).toEqual({
    0: 'NaN',
    1: 'Infinity',
    2: '-Infinity',
    3: '1.5',
    4: '2',
  })
})

test('severities of JSON are numbers or names', () => {
  const logRecords = [9, '13', 'SEVERITY_NUMBER_ERROR2', 'SEVERITY_NUMBER_FATAL4', 'SEVERITY_NUMBER_UNSPECIFIED'].map(
    (severityNumber) => ({ timeUnixNano: 1, severityNumber }),
  )
  const { rows } = taken('logs', JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }))
  expect(rows.map((row) => row['SeverityNumber'])).toEqual([9, 13, 18, 24, 0])
})

test('half a surrogate pair is repaired', () => {
  expect(rowOf({ name: 'a\uD800b' })?.['SpanName']).toBe('a\uFFFDb')
})

test('of a key that comes twice the last value counts', () => {
  const attributes = ['first', 'last'].map((stringValue) => ({ key: 'a', value: { stringValue } }))
  expect(rowOf({ attributes })?.['SpanAttributes']).toEqual({ a: 'last' })
})

test.each<[string, object, string]>([
  ['trace id', { traceId: 'x'.repeat(32) }, 'trace_id'],
  ['trace id of odd length', { traceId: 'abc' }, 'trace_id'],
  ['trace id of too few digits', { traceId: 'abcd' }, 'trace_id'],
  ['span id as long as the bytes of one', { spanId: 'no hex!!' }, 'span_id'],
  ['span id that ends up as long as the bytes of one', { spanId: 'no hex!' }, 'span_id'],
  ['parent', { parentSpanId: 'none' }, 'parent_span_id'],
  ['parent of a zero byte', { parentSpanId: '\u0000' }, 'parent_span_id'],
])('a span whose %s is no id is rejected alone', (_what, span, reason) => {
  const spans = [
    { ...ids, ...times },
    { ...ids, ...times, ...span },
  ]
  const { rows, rejections } = taken('traces', JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }))
  expect(rows).toHaveLength(1)
  expect(Array.from(rejections.counts)).toEqual([[reason, 1]])
})

test('a link whose id is no hex counts as dropped', () => {
  expect(rowOf({ links: [ids, { ...ids, spanId: 'z' }] })).toMatchObject({
    'Links.SpanId': [ids.spanId],
    DroppedLinks: 1,
  })
})

test('values nested too deep end in a note, however deep they are', () => {
  for (const depth of [nestingMax + 1, 5_000]) {
    const open = '{"kvlistValue":{"values":[{"key":"k","value":'
    const value = `${open.repeat(depth)}{}${'}]}}'.repeat(depth)}`
    const body = requestOf({ attributes: [{ key: 'deep', value: '?' }] }).replace('"?"', value)
    const row = readRow(body, 100_000)
    const expected = `${'{"k":'.repeat(nestingMax)}"${nestedTooDeep}"${'}'.repeat(nestingMax)}`
    expect(row).toMatchObject({ SpanAttributes: { deep: expected } })
  }
})

function readRow(body: string, objectsMax: number): Row | undefined {
  const intake = createIntake('traces')
  intake.walk(jsonToProtobuf('traces', Buffer.from(body), { objectsMax }), anyTime)
  return readNative(intake.seal())[0]
}

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
  ['[1234567890123456789'.padEnd(9_000, '['), ''],
])('JSON that is no request is refused, naming the field: %.60s', (body, message) => {
  expect(() => taken('traces', body)).toThrow(message)
})

test('more objects than may be are refused before they are made, unless they are in a text', () => {
  const empty = `{"resourceSpans":[${'{},'.repeat(10_000)}{}]}`
  expect(() => taken('traces', empty)).toThrow(TooLarge)
  expect(rowOf({ name: '{["\\"'.repeat(10_000) })).toBeDefined()
})

function outcomeOf(run: () => unknown): string {
  try {
    run()
    return 'taken'
  } catch (error) {
    return error instanceof Error ? 'refused' : `thrown: ${String(error)}`
  }
}

test('any text is taken or refused, never more', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), fc.constantFrom<KeptSignal>('traces', 'logs'), (body, signal) => {
      expect(['taken', 'refused']).toContain(outcomeOf(() => jsonToProtobuf(signal, Buffer.from(body), limits)))
    }),
  )
})
