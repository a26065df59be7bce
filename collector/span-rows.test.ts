import { expect, test } from 'vitest'
import type { Span } from './otlp/traces.ts'
import { acceptedWindow, describeRejections, repeatedBytes, toSpanRows } from './span-rows.ts'

const nowMs = Date.UTC(2026, 10, 20)
const nowNs = BigInt(nowMs) * 1_000_000n
const dayNs = 86_400_000_000_000n
const window = acceptedWindow({ nowMs, retentionDays: 30 })

const good: Span = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentSpanId: '',
  traceState: '',
  flags: 257,
  name: 'GET /',
  kind: 2,
  startNs: nowNs,
  endNs: nowNs + 5n,
  attributes: new Map(),
  droppedAttributes: 0,
  events: [],
  droppedEvents: 0,
  links: [],
  droppedLinks: 0,
  statusCode: 2,
  statusMessage: '',
}

function rowsOf(spans: Span[], resource = new Map([['service.name', 'shop']])) {
  return toSpanRows([{ resource, scopes: [{ name: 'lib', version: '1', spans }] }], window)
}

test('a span becomes the row that the clickhouseexporter writes', () => {
  expect(rowsOf([good]).rows).toMatchObject([
    {
      Timestamp: '1795132800.000000000',
      ServiceName: 'shop',
      ResourceAttributes: { 'service.name': 'shop' },
      ScopeName: 'lib',
      SpanKind: 'Server',
      StatusCode: 'Error',
      Duration: 5,
      Flags: 257,
    },
  ])
})

test.each([
  ['missing', new Map()],
  ['empty', new Map([['service.name', '']])],
])('a service whose name is %s is unknown_service', (_how, resource) =>
  expect(rowsOf([good], resource).rows[0]?.ServiceName).toBe('unknown_service'),
)

test('kinds and codes of a later protocol are unspecified', () => {
  expect(rowsOf([{ ...good, kind: 6, statusCode: 3 }]).rows).toMatchObject([
    { SpanKind: 'Unspecified', StatusCode: 'Unset' },
  ])
})

test('a parent of zeros is none', () => {
  expect(rowsOf([{ ...good, parentSpanId: '0000000000000000' }]).rows[0]?.ParentSpanId).toBe('')
})

test('a link to nothing counts as dropped', () => {
  const link = { traceId: good.traceId, spanId: good.spanId, traceState: '', attributes: new Map() }
  const { rows } = rowsOf([{ ...good, links: [link, { ...link, spanId: '' }], droppedLinks: 1 }])
  expect(rows).toMatchObject([{ 'Links.SpanId': [good.spanId], DroppedLinks: 2 }])
})

test.each<[string, Partial<Span>, string, string]>([
  ['a short trace id', { traceId: 'ab' }, 'trace_id', 'trace_id "ab" must be 16 bytes'],
  ['a trace id of zeros', { traceId: '0'.repeat(32) }, 'trace_id', 'not all zero'],
  ['a trace id that is no hex', { traceId: 'x'.repeat(32) }, 'trace_id', 'must be 16 bytes'],
  ['a span id of zeros', { spanId: '0'.repeat(16) }, 'span_id', 'must be 8 bytes'],
  ['a parent of 9 bytes', { parentSpanId: 'ab'.repeat(9) }, 'parent_span_id', 'must be 8 bytes or empty'],
  ['no start', { startNs: 0n }, 'start_time', 'start_time_unix_nano is 0'],
  ['no end', { endNs: 0n }, 'end_time', 'end_time_unix_nano 0 is before start_time_unix_nano'],
  ['an old start', { startNs: nowNs - 31n * dayNs }, 'outside_window', 'is before 2026-10-21T00:00:00.000Z'],
  ['an end to come', { endNs: nowNs + 2n * dayNs }, 'outside_window', 'is after 2026-11-21T00:00:00.000Z'],
  [
    'an event after 2262',
    { events: [{ timeNs: 2n ** 63n, name: '', attributes: new Map() }] },
    'event_time',
    'events.time_unix_nano 9223372036854775808 is beyond',
  ],
])('%s is rejected with field and value, the good span beside it is not', (_what, change, reason, message) => {
  const { rows, rejections } = rowsOf([{ ...good, ...change }, good])
  expect(rows).toHaveLength(1)
  expect(rejections).toEqual([{ reason, message: expect.stringContaining(message) }])
})

test('rejections are told by reason, with count and first example', () => {
  const { rejections } = rowsOf([{ ...good, spanId: 'a' }, { ...good, spanId: 'b' }, { ...good, startNs: 0n }, good])
  expect(describeRejections(rejections, 4)).toBe(
    'Rejected: span_id "a" must be 8 bytes that are not all zero (2 of 4 spans); start_time_unix_nano is 0 (1 of 4 spans)',
  )
})

test('what each row repeats of its resource is counted', () => {
  const resource = new Map([['a', 'x'.repeat(1_000)]])
  const bytes = repeatedBytes([{ resource, scopes: [{ name: 'n', version: 'v', spans: [good, good, good] }] }])
  expect(bytes).toBe(3 * (1_000 + '{"a":""}'.length + 2))
})
