// Which spans make rows, and which are told to their senders as rejected.

import { SpanBlock } from '@headwater/store'
import { expect, test } from 'vitest'
import { createRedaction } from '../redaction/redaction.ts'
import { defaultRules } from '../redaction/rules.ts'
import { acceptedWindow } from './accepted-window.ts'
import { exportTraceRequest } from './reference/schema.ts'
import { SpanWalker } from './span-walker.ts'

const nowMs = Date.UTC(2026, 10, 20)
const nowNs = BigInt(nowMs) * 1_000_000n
const dayNs = 86_400_000_000_000n
const window = acceptedWindow({ nowMs, retentionDays: 30 })
const redaction = createRedaction(defaultRules, { hashKey: undefined })
const limits = { recordsMax: 1_000, columnBytesMax: 1 << 30, repeatedBytesMax: 1_000_000 }

const hex = (digits: string): Buffer => Buffer.from(digits, 'hex')
const good = {
  traceId: hex('0af7651916cd43dd8448eb211c80319c'),
  spanId: hex('b7ad6b7169203331'),
  name: 'GET /',
  startTimeUnixNano: String(nowNs),
  endTimeUnixNano: String(nowNs + 5n),
}

type Span = Partial<Record<string, unknown>>

function walk(spans: readonly Span[], attributes: readonly object[] = []) {
  const block = new SpanBlock()
  const request = { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] }
  const body = exportTraceRequest.encode(exportTraceRequest.fromObject(request)).finish()
  const { records, rejections } = new SpanWalker(block, redaction, limits).walk(body, window)
  return { rows: block.block.rows, records, rejections }
}

test.each<[string, Span, string, string]>([
  ['a short trace id', { traceId: hex('ab') }, 'trace_id', 'trace_id "ab" must be 16 bytes'],
  ['a trace id of zeros', { traceId: Buffer.alloc(16) }, 'trace_id', 'not all zero'],
  ['a span id of zeros', { spanId: Buffer.alloc(8) }, 'span_id', 'must be 8 bytes'],
  ['no span id', { spanId: Buffer.alloc(0) }, 'span_id', 'span_id "" must be 8 bytes'],
  ['a parent of 9 bytes', { parentSpanId: Buffer.alloc(9, 1) }, 'parent_span_id', 'must be 8 bytes or empty'],
  ['no start', { startTimeUnixNano: '0' }, 'start_time', 'start_time_unix_nano is 0'],
  ['no end', { endTimeUnixNano: '0' }, 'end_time', 'end_time_unix_nano 0 is before start_time_unix_nano'],
  ['an end a nanosecond early', { endTimeUnixNano: String(nowNs - 1n) }, 'end_time', 'is before start_time_unix_nano'],
  [
    'an old start',
    { startTimeUnixNano: String(nowNs - 30n * dayNs - 1n) },
    'outside_window',
    'is before 2026-10-21T00:00:00.000Z',
  ],
  [
    'an end to come',
    { endTimeUnixNano: String(nowNs + dayNs + 1n) },
    'outside_window',
    'is after 2026-11-21T00:00:00.000Z',
  ],
  [
    'an event after 2262',
    { events: [{ timeUnixNano: String(2n ** 63n) }] },
    'event_time',
    'events.time_unix_nano 9223372036854775808 is beyond 9223372036854775807',
  ],
])('%s is rejected with field and value, the good span beside it is not', (_what, change, reason, message) => {
  const { rows, records, rejections } = walk([{ ...good, ...change }, good])
  expect({ rows, records, counts: [...rejections.counts] }).toEqual({ rows: 1, records: 2, counts: [[reason, 1]] })
  expect(rejections.describe(records, 'spans')).toContain(message)
})

test.each<[string, Span]>([
  ['the first nanosecond of the window', { startTimeUnixNano: String(nowNs - 30n * dayNs) }],
  ['the last nanosecond of the window', { endTimeUnixNano: String(nowNs + dayNs) }],
  ['a parent of zeros', { parentSpanId: Buffer.alloc(8) }],
  ['no duration', { endTimeUnixNano: String(nowNs) }],
])('%s is good', (_what, change) => {
  expect(walk([{ ...good, ...change }])).toMatchObject({ rows: 1, records: 1 })
})

test('rejections are told by reason, with count and first example', () => {
  const { records, rejections } = walk([
    { ...good, spanId: hex('aa') },
    { ...good, spanId: hex('bb') },
    { ...good, startTimeUnixNano: '0' },
    good,
  ])
  expect(rejections.describe(records, 'spans')).toBe(
    'Rejected: span_id "aa" must be 8 bytes that are not all zero (2 of 4 spans); start_time_unix_nano is 0 (1 of 4 spans)',
  )
})

test('more spans than one request may have are refused, and nothing is left of them', () => {
  expect(() => walk(Array.from({ length: 1_001 }, () => good))).toThrow('The body has more than 1000 spans')
})

test('a resource that would be repeated into megabytes is refused', () => {
  const large = { key: 'a', value: { stringValue: 'x'.repeat(10_000) } }
  expect(() =>
    walk(
      Array.from({ length: 200 }, () => good),
      [large],
    ),
  ).toThrow('Resources repeated for all spans make')
})
