import type { StoredSpan } from '@headwater/store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { resourceSpansOf, unixNano } from './otlp.ts'
import { summaryOf } from './summary.ts'

const span = (over: Partial<StoredSpan>): StoredSpan => ({
  traceId: 'a'.repeat(32),
  spanId: '1'.repeat(16),
  parentSpanId: '',
  traceState: '',
  name: 'GET /',
  kind: 'Server',
  serviceName: 'shop',
  startTime: '1970-01-01T00:00:00.000000001Z',
  durationNs: 5,
  statusCode: 'Unset',
  statusMessage: '',
  spanAttributes: {},
  resourceAttributes: { 'service.name': 'shop' },
  scopeName: 'a',
  scopeVersion: '',
  events: [],
  links: [],
  flowId: 'a'.repeat(32),
  ...over,
})

test('nanoseconds stay exact', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e9 }), fc.integer({ min: 0, max: 999_999_999 }), (seconds, ns) => {
      const time = new Date(seconds * 1_000).toISOString().replace(/\.\d+Z/, `.${String(ns).padStart(9, '0')}Z`)
      expect(unixNano(time)).toBe(BigInt(seconds) * 1_000_000_000n + BigInt(ns))
    }),
  )
})

test('spans of one resource and scope stand together', () => {
  const spans = [span({}), span({ resourceAttributes: { 'service.name': 'b' } }), span({ scopeName: 'c' }), span({})]
  expect(resourceSpansOf(spans).map(({ scopeSpans }) => scopeSpans.map((each) => each.spans.length))).toEqual([
    [2, 1],
    [1],
  ])
})

test('each kind of attribute has the one field of its type', () => {
  const spanAttributes = { a: 'true', b: '-7', c: '0.5', d: 'x', e: '9007199254740993' }
  expect(resourceSpansOf([span({ spanAttributes })])[0]?.scopeSpans[0]?.spans[0]?.attributes).toEqual([
    { key: 'a', value: { boolValue: true } },
    { key: 'b', value: { intValue: '-7' } },
    { key: 'c', value: { doubleValue: 0.5 } },
    { key: 'd', value: { stringValue: 'x' } },
    { key: 'e', value: { stringValue: '9007199254740993' } },
  ])
})

test('a link that leads nowhere does not cost the trace', () => {
  const link = { traceId: 'b'.repeat(32), spanId: '2'.repeat(16), traceState: '', attributes: {} }
  const links = [{ ...link, spanId: '' }, { ...link, traceId: '0'.repeat(32) }, link]
  expect(resourceSpansOf([span({ links })])[0]?.scopeSpans[0]?.spans[0]?.links).toEqual([
    { traceId: link.traceId, spanId: link.spanId, attributes: [] },
  ])
})

test('a summary has the span without a parent as its root, and counts those whose parents are missing', () => {
  const spans = [
    span({ spanId: '2'.repeat(16), parentSpanId: 'f'.repeat(16), name: 'late parent', statusCode: 'Error' }),
    span({ name: 'root', startTime: '1970-01-01T00:00:00.000000003Z', durationNs: 90 }),
  ]
  expect(summaryOf('t', spans)).toEqual({
    traceId: 't',
    rootServiceName: 'shop',
    rootOperationName: 'root',
    minStartTimeUnixNano: '1',
    maxEndTimeUnixNano: '93',
    spanCount: 2,
    errorSpanCount: 1,
    orphanSpanCount: 1,
    services: [{ name: 'shop', spanCount: 2, errorSpanCount: 1 }],
  })
})
