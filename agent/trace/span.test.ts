// https://opentelemetry.io/docs/specs/otel/trace/api and /sdk, as far as they speak of what is done with a span.

import {
  type Attributes,
  type Exception,
  type HrTime,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  type TimeInput,
  TraceFlags,
  type TraceState,
  createTraceState,
  diag,
  trace,
} from '@opentelemetry/api'
import * as fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { startTracing } from '../test-tracing.ts'
import type { ReceivedSpan } from '../testing.ts'

/** What a collector gets of a span with which `work` is done. */
function sentOf(work: (span: Span) => unknown, env: Record<string, string> = {}): ReceivedSpan {
  const { tracer, sent } = startTracing(env)
  const span = tracer.startSpan('work')
  work(span)
  span.end()
  const [only] = sent()
  if (only === undefined) throw new Error('Nothing was sent')
  return only
}

/** Attributes of the user's, without those that the flow gives. */
function attributesOf({ attributes }: Pick<ReceivedSpan, 'attributes'>): Record<string, unknown> {
  const { 'flow.id': _id, 'flow.name': _name, ...rest } = attributes
  return rest
}

const link: Link = {
  context: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', traceFlags: TraceFlags.NONE },
}

test('attributes may be texts, numbers, truth values, bytes, nothing, and lists and maps of these', () => {
  const attributes = {
    text: 'жизнь',
    empty: '',
    int: 42,
    negative: -7,
    zero: 0,
    double: 0.5,
    yes: true,
    no: false,
    nothing: null,
    bytes: Buffer.from([0, 255]),
    texts: ['a', 'b'],
    emptyList: [],
    mixed: ['a', 1, null, true],
    map: { nested: { deep: [1, { deeper: 'x' }] }, empty: {} },
  }
  expect(attributesOf(sentOf((span) => span.setAttributes(attributes)))).toEqual(attributes)
})

test('a map or a list lies as its owner had it when it was set, bytes too', () => {
  const [list, map, bytes] = [['a'], { key: 'a' }, Buffer.from('a')]
  const sent = sentOf((span) => {
    span.setAttributes({ list, map, bytes })
    list.push('b')
    map.key = 'b'
    bytes.write('b')
  })
  expect(attributesOf(sent)).toEqual({ list: ['a'], map: { key: 'a' }, bytes: Buffer.from('a') })
})

test('the last value of a key counts, and it keeps its place', () => {
  const sent = sentOf((span) => span.setAttribute('a', 1).setAttributes({ b: 1, a: 2 }).setAttribute('b', 'two'))
  expect(Object.entries(attributesOf(sent))).toEqual([
    ['a', 2],
    ['b', 'two'],
  ])
})

test('what is no attribute is left out: no key, no value, functions, symbols, and instances of classes', () => {
  const odd: Attributes = {
    '': 1,
    missing: undefined,
    call: () => 1,
    symbol: Symbol('s'),
    set: new Set(),
    date: new Date(),
  }
  const sent = sentOf((span) => {
    span.setAttributes(odd)
    span.setAttribute(undefined as unknown as string, 1)
    span.setAttribute(5 as unknown as string, 1)
    span.setAttribute('kept', 1)
  })
  expect(attributesOf(sent)).toEqual({ kept: 1 })
  expect(sent.dropped.attributes).toBe(0)
})

test('over the limit new attributes are dropped and counted, and known ones still change', () => {
  const env = { OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '3', OTEL_ATTRIBUTE_COUNT_LIMIT: '1' }
  const sent = sentOf((span) => span.setAttributes({ a: 1, b: 2, c: 3, d: 4 }).setAttribute('a', 5), env)
  expect(attributesOf(sent)).toEqual({ a: 5, b: 2, c: 3 })
  expect(sent.dropped.attributes).toBe(1)
})

test('however many attributes a span has, it says to which flow it belongs', () => {
  const { tracer, sent } = startTracing()
  const full = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`key ${index}`, index]))
  tracer.startSpan('work', { attributes: full }).setAttributes(full).end()
  const [span] = sent()
  expect(span?.attributes).toMatchObject({ 'flow.id': span?.traceId, 'flow.name': 'work' })
  expect(Object.keys(attributesOf(span as ReceivedSpan))).toHaveLength(128)
})

test.each([
  ['OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'ab', 'ab'],
  ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'ab', 'abcd'],
])('%s cuts texts and bytes, in lists and maps as well, and nothing else', (name, ofSpan, ofEvent) => {
  const values = { text: 'abcd', list: ['abcd', 12_345], map: { key: 'abcd' }, bytes: Buffer.from('abcd'), n: 12_345 }
  const cut = (text: string) => ({
    text,
    list: [text, 12_345],
    map: { key: text },
    bytes: Buffer.from(text),
    n: 12_345,
  })
  const sent = sentOf((span) => span.setAttributes(values).addEvent('event', values), { [name]: '2' })
  expect(attributesOf(sent)).toEqual(cut(ofSpan))
  expect(sent.events[0]?.attributes).toEqual(cut(ofEvent))
})

test('a character outside of the basic plane is not cut in two', () => {
  const env = { OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '3' }
  expect(attributesOf(sentOf((span) => span.setAttribute('a', 'ab😀'), env))).toEqual({ a: 'ab' })
  expect(attributesOf(sentOf((span) => span.setAttribute('a', 'a😀b'), env))).toEqual({ a: 'a😀' })
})

test('a value that contains itself, or is a whole world, costs little', () => {
  const world: Record<string, unknown> = {}
  for (let index = 0; index < 64; index += 1) world[`door ${index}`] = world
  const list = Array.from({ length: 1_000_000 }, () => 'x')
  const sent = sentOf((span) => span.setAttribute('world', world).setAttribute('list', list).setAttribute('kept', 1))
  expect(sent.attributes).toMatchObject({ kept: 1 })
})

test('events keep their order, their attributes and their time', () => {
  const at: HrTime = [1_700_000_000, 123_456_789]
  const sent = sentOf((span) =>
    span
      .addEvent('first')
      .addEvent('second', { a: 1 })
      .addEvent('third', at)
      .addEvent('fourth', { b: 2 }, at)
      .addEvent('fifth', new Date(1_700_000_000_001)),
  )
  expect(sent.events.map(({ name, attributes }) => [name, attributes])).toEqual([
    ['first', {}],
    ['second', { a: 1 }],
    ['third', {}],
    ['fourth', { b: 2 }],
    ['fifth', {}],
  ])
  expect(sent.events[2]?.timeNs).toBe(1_700_000_000_123_456_789n)
  expect(sent.events[3]?.timeNs).toBe(1_700_000_000_123_456_789n)
  expect(sent.events[4]?.timeNs).toBe(1_700_000_000_001_000_000n)
  for (const { timeNs } of sent.events.slice(0, 2)) {
    expect(timeNs).toBeGreaterThanOrEqual(sent.startNs)
    expect(timeNs).toBeLessThanOrEqual(sent.endNs)
  }
})

test('over their limits the oldest events and links go, and are counted', () => {
  const env = { OTEL_SPAN_EVENT_COUNT_LIMIT: '2', OTEL_SPAN_LINK_COUNT_LIMIT: '1' }
  const sent = sentOf((span) => {
    for (const name of ['a', 'b', 'c', 'd']) span.addEvent(name)
    const other = { ...link.context, spanId: 'ffffffffffffffff' }
    span.addLinks([link, link]).addLink({ context: other })
  }, env)
  expect(sent.events.map(({ name }) => name)).toEqual(['c', 'd'])
  expect(sent.links.map(({ spanId }) => spanId)).toEqual(['ffffffffffffffff'])
  expect(sent.dropped).toMatchObject({ events: 2, links: 2 })
})

test('what a span has no room for is told to who listens, once a span', () => {
  const warnings: string[] = []
  const logger = { error: () => undefined, info: () => undefined, debug: () => undefined, verbose: () => undefined }
  diag.setLogger({ ...logger, warn: (message) => warnings.push(message) }, { suppressOverrideMessage: true })
  onTestFinished(() => diag.disable())
  sentOf(
    (span) => {
      for (const name of ['a', 'b', 'c']) span.addEvent(name)
    },
    { OTEL_SPAN_EVENT_COUNT_LIMIT: '1' },
  )
  sentOf((span) => span.addEvent('a'))
  expect(warnings).toEqual(['The span "work" has no room for 2 of its attributes, events and links'])
})

test('a limit of 0 keeps none', () => {
  const env = {
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '0',
    OTEL_SPAN_EVENT_COUNT_LIMIT: '0',
    OTEL_SPAN_LINK_COUNT_LIMIT: '0',
  }
  const sent = sentOf((span) => span.setAttribute('a', 1).addEvent('b').addLink(link), env)
  expect(attributesOf(sent)).toEqual({})
  expect(sent).toMatchObject({ events: [], links: [], dropped: { attributes: 1, events: 1, links: 1 } })
})

test('attributes of events and links have limits of their own', () => {
  const env = { OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: '1', OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: '2' }
  const attributes = { a: 1, b: 2, c: 3 }
  const sent = sentOf(
    (span) => span.addEvent('event', attributes).addLink({ ...link, attributes, droppedAttributesCount: 4 }),
    env,
  )
  expect(sent.events).toMatchObject([{ attributes: { a: 1 }, droppedAttributes: 2 }])
  expect(sent.links).toMatchObject([{ attributes: { a: 1, b: 2 }, droppedAttributes: 5 }])
})

test('a link says which span it means, with its tracestate and its flags', () => {
  const traceState = createTraceState('vendor=1')
  const remote = { ...link.context, traceFlags: TraceFlags.SAMPLED, isRemote: true, traceState }
  const sent = sentOf((span) => span.addLink({ context: remote, attributes: { why: 'retry' } }))
  const { traceId, spanId } = link.context
  expect(sent.links).toEqual([
    { traceId, spanId, traceState: 'vendor=1', flags: 0x301, attributes: { why: 'retry' }, droppedAttributes: 0 },
  ])
})

test('a link that points nowhere is kept for what it bears', () => {
  const nowhere = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: TraceFlags.NONE }
  const sent = sentOf((span) => span.addLink({ context: nowhere, attributes: { a: 1 } }))
  expect(sent.links).toMatchObject([{ attributes: { a: 1 } }])
})

test.each<[string, [code: SpanStatusCode, message?: string][], code: number, message: string]>([
  ['nothing said is unset', [], 0, ''],
  ['an error has a message', [[SpanStatusCode.ERROR, 'no paper']], 2, 'no paper'],
  ['OK has none', [[SpanStatusCode.OK, 'no paper']], 1, ''],
  ['unset changes nothing', [[SpanStatusCode.ERROR, 'no paper'], [SpanStatusCode.UNSET]], 2, 'no paper'],
  [
    'the last error counts',
    [
      [SpanStatusCode.ERROR, 'first'],
      [SpanStatusCode.ERROR, 'second'],
    ],
    2,
    'second',
  ],
  ['OK goes over an error', [[SpanStatusCode.ERROR, 'no paper'], [SpanStatusCode.OK]], 1, ''],
  ['OK is final', [[SpanStatusCode.OK], [SpanStatusCode.ERROR, 'no paper'], [SpanStatusCode.UNSET]], 1, ''],
  ['what is no status changes nothing', [[SpanStatusCode.ERROR, 'no paper'], [7 as never]], 2, 'no paper'],
])('status: %s', (_what, calls, code, message) => {
  const sent = sentOf((span) => {
    for (const [status, text] of calls) {
      span.setStatus(text === undefined ? { code: status } : { code: status, message: text })
    }
  })
  expect(sent).toMatchObject({ statusCode: code, statusMessage: message })
})

test.each<[string, Exception, Attributes]>([
  [
    'an error',
    Object.assign(new TypeError('no paper'), { stack: 'TypeError: no paper\n    at here' }),
    {
      'exception.type': 'TypeError',
      'exception.message': 'no paper',
      'exception.stacktrace': 'TypeError: no paper\n    at here',
    },
  ],
  ['a text', 'no paper', { 'exception.message': 'no paper' }],
  [
    'an error with a code',
    { code: 'ENOENT', name: 'Error', message: 'gone' },
    { 'exception.type': 'ENOENT', 'exception.message': 'gone' },
  ],
  ['an error with a number for a code', { code: 12 }, { 'exception.type': '12' }],
  ['a name alone', { name: 'OutOfPaper' }, { 'exception.type': 'OutOfPaper' }],
])('recordException takes %s', (_what, exception, attributes) => {
  const sent = sentOf((span) => span.recordException(exception, [1_700_000_000, 1]))
  expect(sent.events).toMatchObject([{ name: 'exception', attributes, timeNs: 1_700_000_000_000_000_001n }])
  expect(Object.keys(sent.events[0]?.attributes ?? {})).toEqual(Object.keys(attributes))
})

test('what says nothing about itself is no exception', () => {
  const sent = sentOf((span) => {
    for (const nothing of [{}, null, undefined, '', 5]) span.recordException(nothing as Exception)
  })
  expect(sent.events).toEqual([])
})

const ms = 1_700_000_000_123
test.each<[string, TimeInput, bigint]>([
  ['milliseconds since 1970', ms, 1_700_000_000_123_000_000n],
  ['a date', new Date(ms), 1_700_000_000_123_000_000n],
  ['seconds and nanoseconds', [1_700_000_000, 123_456_789], 1_700_000_000_123_456_789n],
  ['the first moment', [0, 1], 1n],
  ['the last nanosecond of a second', [1_700_000_000, 999_999_999], 1_700_000_000_999_999_999n],
])('a span begins and ends when its caller says, by %s', (_form, time, ns) => {
  const { tracer, sent } = startTracing()
  tracer.startSpan('work', { startTime: time }).end(time)
  expect(sent()).toMatchObject([{ startNs: ns, endNs: ns }])
})

test('performance.now() is a moment of this process', () => {
  const { tracer, sent } = startTracing()
  const before = BigInt(Date.now() - 1_000) * 1_000_000n
  tracer.startSpan('work', { startTime: performance.now() }).end(performance.now())
  const [span] = sent()
  const after = BigInt(Date.now() + 1_000) * 1_000_000n
  expect(span?.startNs).toBeGreaterThan(before)
  expect(span?.endNs).toBeLessThan(after)
  expect(span?.endNs).toBeGreaterThanOrEqual(span?.startNs ?? 0n)
})

test.each<[string, unknown]>([
  ['no number', Number.NaN],
  ['eternity', Number.POSITIVE_INFINITY],
  ['no date', new Date('never')],
  ['no seconds', [Number.NaN, 0]],
  ['a moment before 1970', [-1, 0]],
  ['nothing', null],
])('%s instead of a time means now', (_what, time) => {
  const { tracer, sent } = startTracing()
  const before = BigInt(Date.now() - 1_000) * 1_000_000n
  const span = tracer.startSpan('work', { startTime: time as TimeInput })
  span.addEvent('event', {}, time as TimeInput)
  span.end(time as TimeInput)
  const after = BigInt(Date.now() + 1_000) * 1_000_000n
  const [only] = sent()
  for (const ns of [only?.startNs, only?.endNs, only?.events[0]?.timeNs]) {
    expect(ns).toBeGreaterThan(before)
    expect(ns).toBeLessThan(after)
  }
})

test('a span does not end before it begins', () => {
  const { tracer, sent } = startTracing()
  tracer.startSpan('work', { startTime: [1_700_000_000, 5] }).end([1_700_000_000, 4])
  tracer.startSpan('work', { startTime: new Date(Date.now() + 60_000) }).end()
  for (const { startNs, endNs } of sent()) expect(endNs).toBe(startNs)
})

test('a span ends once, and nothing changes it afterwards', () => {
  const { tracer, sent } = startTracing()
  const span = tracer.startSpan('work')
  const before = { ...span.spanContext() }
  expect(span.isRecording()).toBe(true)
  span.end([4_000_000_000, 0])
  span.end([4_000_000_001, 0])
  span.setAttribute('a', 1).setAttributes({ b: 2 }).addEvent('event').addLink(link).addLinks([link])
  span.setStatus({ code: SpanStatusCode.ERROR }).updateName('other').recordException(new Error('late'))
  expect(span.isRecording()).toBe(false)
  expect(span.spanContext()).toEqual(before)
  const [only, ...rest] = sent()
  expect(rest).toEqual([])
  expect(only).toMatchObject({ name: 'work', endNs: 4_000_000_000_000_000_000n, events: [], links: [], statusCode: 0 })
  expect(attributesOf(only as ReceivedSpan)).toEqual({})
})

test('a span has the name that it was given last', () => {
  expect(sentOf((span) => span.updateName('GET').updateName('GET /orders/:id')).name).toBe('GET /orders/:id')
})

test('each method that may be followed by another returns the span', () => {
  sentOf((span) => {
    for (const returned of [
      span.setAttribute('a', 1),
      span.setAttributes({}),
      span.addEvent('event'),
      span.addLink(link),
      span.addLinks([]),
      span.setStatus({ code: SpanStatusCode.OK }),
      span.updateName('other'),
    ]) {
      expect(returned).toBe(span)
    }
  })
})

test('instrumentations that look into the span find what they find in the SDK’s', () => {
  const { tracer } = startTracing()
  const parent = tracer.startSpan('parent')
  const span = tracer.startSpan('work', { startTime: [1_700_000_000, 5] }, trace.setSpan(ROOT_CONTEXT, parent))
  span.setAttribute('a', 1)
  expect(span).toMatchObject({
    name: 'work',
    kind: 0,
    attributes: { a: 1 },
    ended: false,
    startTime: [1_700_000_000, 5],
    parentSpanContext: parent.spanContext(),
    instrumentationScope: { name: 'test' },
    status: { code: 0 },
  })
})

test('whatever is done with a span, nothing is thrown, and it arrives', () => {
  const { tracer, sent } = startTracing()
  const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true })
  let ended = 0
  fc.assert(
    fc.property(anything, anything, anything, (first, second, third) => {
      const span = tracer.startSpan('work')
      span.setAttribute(first as string, second).setAttributes(second as Attributes)
      span.setAttribute('key', { first, second, third })
      span.addEvent(first as string, second as Attributes, third as TimeInput)
      span.addEvent('event', first as TimeInput, second as TimeInput)
      span.addLinks([first as Link]).addLinks(first as Link[])
      span.addLink({ context: first as typeof link.context, attributes: second as Attributes })
      const context = { ...link.context, traceFlags: second as number, traceState: third as TraceState }
      span.addLink({ context, droppedAttributesCount: first as number })
      span.setStatus(first as never).setStatus({ code: second as never, message: third as string })
      span.recordException(first as Exception, second as TimeInput)
      span.recordException({ name: first, message: second, stack: third, code: first } as Exception)
      span.updateName(first as string)
      span.end(first as TimeInput)
      ended += 1
    }),
  )
  expect(sent()).toHaveLength(ended)
})
