import type { StoredSpan } from '@headwater/store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jaegerTrace, microsecondsOf, tagOf } from './trace.ts'

const span = (over: Partial<StoredSpan>): StoredSpan => ({
  traceId: 'a'.repeat(32),
  spanId: '1'.repeat(16),
  parentSpanId: '',
  traceState: '',
  name: 'GET /',
  kind: 'Server',
  serviceName: 'shop',
  startTime: '2026-01-31T12:00:00.000001999Z',
  durationNs: 2_999,
  statusCode: 'Unset',
  statusMessage: '',
  spanAttributes: {},
  resourceAttributes: { 'service.name': 'shop', 'host.name': 'h1' },
  scopeName: '',
  scopeVersion: '',
  events: [],
  links: [],
  flowId: 'a'.repeat(32),
  ...over,
})

test('times are whole microseconds, as precise as they came', () => {
  expect(microsecondsOf('1970-01-01T00:00:01Z')).toBe(1_000_000)
  expect(microsecondsOf('2026-01-31T12:00:00.123456789Z')).toBe(Date.UTC(2026, 0, 31, 12) * 1_000 + 123_456)
  expect(jaegerTrace('t', [span({})]).spans[0]).toMatchObject({
    startTime: Date.UTC(2026, 0, 31, 12) * 1_000 + 1,
    duration: 2,
  })
})

test('each resource is one process, whose name is not among its tags', () => {
  const { spans, processes } = jaegerTrace('t', [
    span({}),
    span({ resourceAttributes: { 'service.name': 'shop', 'host.name': 'h2' } }),
    span({}),
  ])
  expect(spans.map(({ processID }) => processID)).toEqual(['p1', 'p2', 'p1'])
  expect(processes['p1']).toEqual({
    serviceName: 'shop',
    tags: [{ key: 'host.name', type: 'string', value: 'h1' }],
  })
})

test('a parent is CHILD_OF, links are FOLLOWS_FROM, but where OpenTracing says otherwise', () => {
  const link = { traceId: 'b'.repeat(32), spanId: '2'.repeat(16), traceState: '', attributes: {} }
  const linked = span({
    parentSpanId: '3'.repeat(16),
    links: [link, { ...link, attributes: { 'opentracing.ref_type': 'child_of' } }],
  })
  expect(jaegerTrace('t', [linked]).spans[0]?.references).toEqual([
    { refType: 'CHILD_OF', traceID: 'a'.repeat(32), spanID: '3'.repeat(16) },
    { refType: 'FOLLOWS_FROM', traceID: 'b'.repeat(32), spanID: '2'.repeat(16) },
    { refType: 'CHILD_OF', traceID: 'b'.repeat(32), spanID: '2'.repeat(16) },
  ])
})

test('what OpenTelemetry has as fields are tags, and events are logs', () => {
  const failed = span({
    spanAttributes: { 'http.response.status_code': '500' },
    scopeName: 'express',
    scopeVersion: '5.1',
    statusCode: 'Error',
    statusMessage: 'boom',
    traceState: 'ot=th:8',
    events: [{ name: 'exception', timestamp: '1970-01-01T00:00:00.5Z', attributes: { 'exception.escaped': 'true' } }],
  })
  const [shown] = jaegerTrace('t', [failed]).spans
  expect(shown?.tags).toEqual([
    { key: 'http.response.status_code', type: 'int64', value: 500 },
    { key: 'otel.scope.name', type: 'string', value: 'express' },
    { key: 'otel.scope.version', type: 'string', value: '5.1' },
    { key: 'span.kind', type: 'string', value: 'server' },
    { key: 'error', type: 'bool', value: true },
    { key: 'otel.status_code', type: 'string', value: 'ERROR' },
    { key: 'otel.status_description', type: 'string', value: 'boom' },
    { key: 'w3c.tracestate', type: 'string', value: 'ot=th:8' },
  ])
  expect(shown?.logs).toEqual([
    {
      timestamp: 500_000,
      fields: [
        { key: 'event', type: 'string', value: 'exception' },
        { key: 'exception.escaped', type: 'bool', value: true },
      ],
    },
  ])
})

test.each([
  ['true', 'bool', true],
  ['-7', 'int64', -7],
  ['0.25', 'float64', 0.25],
  ['1e+21', 'float64', 1e21],
  ['007', 'string', '007'],
  ['', 'string', ''],
  ['NaN', 'string', 'NaN'],
  ['9223372036854775807', 'string', '9223372036854775807'],
])('%j is %s', (text, type, value) => {
  expect(tagOf('k', text)).toEqual({ key: 'k', type, value })
})

test('a typed tag is never another text than the stored one', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.bigInt().map(String),
    fc.integer().map((whole) => String(whole / 1_024)),
    fc.constantFrom('-0', '+1', ' 1', '1.0', 'Infinity', '1e3', '0x10', 'null'),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const { value } = tagOf('k', text)
      expect(String(value)).toBe(text)
      expect(JSON.parse(JSON.stringify({ value }))).toEqual({ value })
    }),
  )
})

test('warnings stand with the trace and with its first span, since not all clients show both', () => {
  const { spans, warnings } = jaegerTrace('t', [span({}), span({})], ['cut'])
  expect([warnings, ...spans.map((each) => each.warnings)]).toEqual([['cut'], ['cut'], null])
  expect(jaegerTrace('t', [span({})]).warnings).toBeNull()
})
