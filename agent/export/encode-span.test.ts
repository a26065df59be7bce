// What is written is what the official protos read, by a decoder that shares no code with ours.

import {
  type AttributeValue,
  type Attributes,
  type HrTime,
  type Link,
  ROOT_CONTEXT,
  SpanKind,
  type SpanOptions,
  type SpanStatus,
  SpanStatusCode,
  TraceFlags,
  createTraceState,
  trace,
} from '@opentelemetry/api'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSettings } from '../settings/settings.ts'
import { type AnyValue, type KeyValue, decodeProtobuf, hexOf, readProtobuf } from '../test-otlp.ts'
import { makeSampler } from '../trace/sampler.ts'
import type { RecordedSpan } from '../trace/span.ts'
import { FlowTracerProvider } from '../trace/tracer.ts'
import { encodeSpan, spanBytesMax } from './encode-span.ts'
import { MessageTooLarge } from './protobuf.ts'
import { requestBodies } from './request-body.ts'

const ended: RecordedSpan[] = []
const provider = new FlowTracerProvider({
  sampler: makeSampler('always_on', 1),
  limits: readSettings({}).limits,
  ended: (span) => ended.push(span),
})
const toBody = requestBodies({ 'service.name': 'test' })

/** A span as it has ended. */
function spanOf(name: string, options: SpanOptions = {}, parent = ROOT_CONTEXT): RecordedSpan {
  const { version, schemaUrl } = { version: '1.0.0', schemaUrl: 'https://opentelemetry.io/schemas/1.44.0' }
  provider.getTracer('test', version, { schemaUrl }).startSpan(name, options, parent).end()
  return ended.pop() as RecordedSpan
}

function decoded(span: RecordedSpan) {
  const bytes = Buffer.from(encodeSpan(span))
  const request = decodeProtobuf(toBody([{ scope: span.instrumentationScope, bytes, spans: 1 }]))
  const [scope] = request.resourceSpans[0]?.scopeSpans ?? []
  const [only] = scope?.spans ?? []
  if (only === undefined || scope === undefined) throw new Error('Nothing was decoded')
  return { ...only, scope }
}

type Tagged = readonly [kind: string, value?: unknown]

/** What a value is to become. */
function expectedOf(value: unknown): Tagged {
  switch (typeof value) {
    case 'string':
      return ['text', value.toWellFormed()]
    case 'boolean':
      return ['bool', value]
    case 'bigint':
      return value >= -(2n ** 63n) && value < 2n ** 63n ? ['int', String(value)] : ['text', String(value)]
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? ['int', String(value)] : ['double', value]
    case 'undefined':
    case 'function':
    case 'symbol':
      return ['nothing']
    case 'object':
      if (value === null) return ['nothing']
      if (value instanceof Uint8Array) return ['bytes', [...value]]
      if (Array.isArray(value)) return ['list', value.map(expectedOf)]
      return ['map', Object.entries(value).map(([key, each]) => [key.toWellFormed(), expectedOf(each)])]
  }
}

/** What a value has become. */
function foundIn(value: AnyValue = {}): Tagged {
  if (value.stringValue !== undefined) return ['text', value.stringValue]
  if (value.boolValue !== undefined) return ['bool', value.boolValue]
  if (value.intValue !== undefined) return ['int', value.intValue]
  if (value.doubleValue !== undefined) return ['double', value.doubleValue]
  if (value.bytesValue !== undefined) return ['bytes', value.bytesValue]
  if (value.arrayValue !== undefined) return ['list', (value.arrayValue.values ?? []).map(foundIn)]
  if (value.kvlistValue !== undefined) return ['map', pairsIn(value.kvlistValue.values)]
  return ['nothing']
}

function pairsIn(pairs: KeyValue[] = []): [key: string, value: Tagged][] {
  return pairs.map(({ key = '', value }) => [key, foundIn(value)])
}

function expectedPairs(attributes: Attributes): [key: string, value: Tagged][] {
  return Object.entries(attributes).map(([key, value]) => [key.toWellFormed(), expectedOf(value)])
}

/** Attributes without those that the flow gives. */
function ownPairs(pairs: KeyValue[] | undefined) {
  return pairsIn(pairs).filter(([key]) => key !== 'flow.id' && key !== 'flow.name')
}

const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme-composite', maxLength: 60 }),
  fc.string({ unit: 'binary', minLength: 40, maxLength: 200 }),
  fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 })).map((units) => String.fromCharCode(...units)),
)
const keys = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 80 })
const { tree: values } = fc.letrec<{ tree: AttributeValue; leaf: AttributeValue }>((tie) => ({
  leaf: fc.oneof(
    texts,
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.constantFrom(0, -0, Number.NaN, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53)),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
    fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, -1n),
    fc.constant(null),
    fc.uint8Array(),
  ) as fc.Arbitrary<AttributeValue>,
  tree: fc.oneof(
    { maxDepth: 6 },
    tie('leaf'),
    fc.array(tie('tree'), { maxLength: 6 }),
    fc.dictionary(keys, tie('tree'), { maxKeys: 6, noNullPrototype: true }),
  ),
}))
const attributes = fc.dictionary(keys, values, { maxKeys: 20, noNullPrototype: true })

const hexDigits = (count: number) =>
  fc
    .string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: count, maxLength: count })
    .filter((text) => /[1-9a-f]/.test(text))
const times = fc.tuple(fc.integer({ min: 0, max: 9_999_999_999 }), fc.integer({ min: 0, max: 999_999_999 }))
const contexts = fc.record({
  traceId: hexDigits(32),
  spanId: hexDigits(16),
  traceFlags: fc.integer({ min: 0, max: 3 }),
  isRemote: fc.boolean(),
  traceState: fc.constantFrom('vendor=1', 'a=1,b=2').map((state) => createTraceState(state)),
})
const statuses = fc.oneof(
  fc.constantFrom<SpanStatus>({ code: SpanStatusCode.UNSET }, { code: SpanStatusCode.OK }),
  texts.map((message): SpanStatus => ({ code: SpanStatusCode.ERROR, message })),
)

function nanosecondsOf([seconds, nanoseconds]: HrTime): string {
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds))
}

test('whatever stands in a span, the official protos read the same', () => {
  fc.assert(
    fc.property(
      fc.record({
        name: texts,
        kind: fc.integer({ min: 0, max: 4 }),
        parent: contexts,
        attributes,
        events: fc.array(fc.record({ name: texts, time: times, attributes }), { maxLength: 5 }),
        links: fc.array(fc.record({ context: contexts, attributes }), { maxLength: 5 }),
        status: statuses,
        times: fc.tuple(times, times),
      }),
      (given) => {
        const [first, second] = given.times
        const isInOrder = first[0] < second[0] || (first[0] === second[0] && first[1] <= second[1])
        const [start, end] = isInOrder ? [first, second] : [second, first]
        const kind = SpanKind[SpanKind[given.kind] as keyof typeof SpanKind]
        const span = provider
          .getTracer('test')
          .startSpan(
            given.name,
            { kind, attributes: given.attributes, links: given.links, startTime: start },
            trace.setSpanContext(ROOT_CONTEXT, given.parent),
          )
        for (const { name, time, attributes: each } of given.events) span.addEvent(name, each, time)
        span.setStatus(given.status)
        span.end(end)
        const found = decoded(ended.pop() as RecordedSpan)

        expect(hexOf(found.traceId)).toBe(given.parent.traceId)
        expect(hexOf(found.spanId)).toBe(span.spanContext().spanId)
        expect(hexOf(found.parentSpanId ?? '')).toBe(given.parent.spanId)
        expect(found.traceState).toBe(given.parent.traceState.serialize())
        expect(found.flags).toBe(TraceFlags.SAMPLED | (given.parent.traceFlags & 2) | flagsOf(given.parent.isRemote))
        expect([found.name ?? '', found.kind]).toEqual([given.name.toWellFormed(), given.kind + 1])
        expect(found.startTimeUnixNano ?? '0').toBe(nanosecondsOf(start))
        expect(found.endTimeUnixNano ?? '0').toBe(nanosecondsOf(end))
        expect(ownPairs(found.attributes)).toEqual(expectedPairs(given.attributes))
        expect(found.status?.code ?? 0).toBe(given.status.code)
        expect(found.status?.message ?? '').toBe(given.status.message?.toWellFormed() ?? '')
        expect(
          (found.events ?? []).map((event) => [event.name ?? '', event.timeUnixNano ?? '0', pairsIn(event.attributes)]),
        ).toEqual(
          given.events.map((event) => [
            event.name.toWellFormed(),
            nanosecondsOf(event.time),
            expectedPairs(event.attributes),
          ]),
        )
        expect(
          (found.links ?? []).map((link) => [
            hexOf(link.traceId),
            hexOf(link.spanId),
            link.traceState,
            link.flags,
            pairsIn(link.attributes),
          ]),
        ).toEqual(given.links.map(expectedLink))
        expect([found.droppedAttributesCount, found.droppedEventsCount, found.droppedLinksCount]).toEqual([
          undefined,
          undefined,
          undefined,
        ])
      },
    ),
    { numRuns: 200 },
  )
})

function expectedLink({ context, attributes: given = {} }: Link) {
  const { traceId, spanId, traceState, traceFlags, isRemote = false } = context
  return [traceId, spanId, traceState?.serialize(), traceFlags | flagsOf(isRemote), expectedPairs(given)]
}

/** Whether a context is remote is known, and it is or is not. */
function flagsOf(isRemote: boolean): number {
  return isRemote ? 0x300 : 0x100
}

test('a time in milliseconds is written to the microsecond', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e12, max: 9e12, noNaN: true }), (ms) => {
      const found = BigInt(decoded(spanOf('work', { startTime: ms })).startTimeUnixNano ?? 0)
      const expected = BigInt(Math.round(ms * 1e3)) * 1_000n
      expect(found - expected).toBeLessThanOrEqual(1_000n)
      expect(expected - found).toBeLessThanOrEqual(1_000n)
    }),
  )
})

test('hundreds of attributes, events and links arrive in their order, and what went before them is counted', () => {
  const span = provider.getTracer('test').startSpan('work')
  const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 0 }
  for (let index = 0; index < 300; index += 1) {
    span.setAttribute(`key ${index}`, index)
    span.addEvent(`event ${index}`)
    span.addLink({ context, attributes: { index } })
  }
  span.end()
  const found = decoded(ended.pop() as RecordedSpan)
  expect(ownPairs(found.attributes).at(-1)).toEqual(['key 127', ['int', '127']])
  expect(found.events?.map(({ name }) => name)).toEqual(Array.from({ length: 128 }, (_, at) => `event ${at + 172}`))
  expect(found.links?.at(0)?.attributes).toEqual([{ key: 'index', value: { intValue: '172' } }])
  expect([found.droppedAttributesCount, found.droppedEventsCount, found.droppedLinksCount]).toEqual([172, 172, 172])
})

test('who made the spans stands before them, with version and schema', () => {
  const { scope } = decoded(spanOf('work'))
  expect(scope).toMatchObject({
    scope: { name: 'test', version: '1.0.0' },
    schemaUrl: 'https://opentelemetry.io/schemas/1.44.0',
  })
})

test('a request holds the resource once, and each group below its scope', () => {
  const [first, second] = [spanOf('first'), spanOf('second')]
  const groups = [first, second, first].map((span) => ({
    scope: span.instrumentationScope,
    bytes: Buffer.concat([Buffer.from(encodeSpan(span)), Buffer.from(encodeSpan(second))]),
    spans: 2,
  }))
  const body = requestBodies({ 'service.name': 'shop', 'process.pid': 7, long: 'x'.repeat(5_000) })(groups)
  expect(decodeProtobuf(body).resourceSpans).toHaveLength(1)
  expect(readProtobuf(body).map(({ name, service, resource }) => [name, service, resource['process.pid']])).toEqual(
    ['first', 'second', 'second', 'second', 'first', 'second'].map((name) => [name, 'shop', 7]),
  )
})

test('of a span over 128 KiB texts, keys and bytes are cut to 256', () => {
  const [long, bytes] = ['ж'.repeat(100_000), new Uint8Array(100_000).fill(7)]
  const span = spanOf(long, { attributes: { text: long, nested: { list: [long] }, bytes, [long]: 1, short: 'kept' } })
  expect(encodeSpan(span).length).toBeLessThan(10_000)
  const found = decoded(span)
  const cut = 'ж'.repeat(256)
  expect(found.name).toBe(cut)
  expect(ownPairs(found.attributes)).toEqual([
    ['text', ['text', cut]],
    ['nested', ['map', [['list', ['list', [['text', cut]]]]]]],
    ['bytes', ['bytes', Array.from({ length: 256 }, () => 7)]],
    [cut, ['int', '1']],
    ['short', ['text', 'kept']],
  ])
})

/** What is written of it: nothing if it is too large. */
function sizeOf(span: RecordedSpan): number {
  try {
    return encodeSpan(span).length
  } catch (error) {
    if (error instanceof MessageTooLarge) return 0
    throw error
  }
}

test('a span is no larger than 128 KiB, or refused; the next one is as it should be', () => {
  const parts = fc.array(fc.integer({ min: 0, max: 70_000 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 128 }), (sizes, copies) => {
      const span = provider.getTracer('test').startSpan('work')
      for (let copy = 0; copy < copies; copy += 1) {
        const entries = sizes.map((size, index): [string, string] => [`key ${index}`, 'é'.repeat(size)])
        span.addEvent('event', Object.fromEntries(entries))
      }
      span.end()
      const large = ended.pop() as RecordedSpan
      expect(sizeOf(large)).toBeLessThanOrEqual(spanBytesMax)
      expect(decoded(spanOf('next')).name).toBe('next')
    }),
    { numRuns: 30 },
  )
  const span = provider.getTracer('test').startSpan('work')
  const full = Object.fromEntries(Array.from({ length: 128 }, (_, index) => [`key ${index}`, 'x'.repeat(256)]))
  for (let event = 0; event < 128; event += 1) span.addEvent('event', full)
  span.end()
  expect(() => encodeSpan(ended.pop() as RecordedSpan)).toThrow(MessageTooLarge)
})
