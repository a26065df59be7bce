// https://opentelemetry.io/docs/specs/otel/trace/api and /sdk, as far as they speak of tracers and of how spans begin.

import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  context,
  createTraceState,
  propagation,
  trace,
} from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import { defaultTrust } from '@headwater/vocabulary'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { flowIdOf, newHop, withHop } from '../flow/hop.ts'
import { flowPropagator } from '../propagation/flow-propagator.ts'
import { startTracing } from '../test-tracing.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const otherFlowId = 'c0ffee00c0ffee00c0ffee00c0ffee00'

function inRemote(flags: number = TraceFlags.SAMPLED, state?: string): Context {
  const traceState = state === undefined ? {} : { traceState: createTraceState(state) }
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags, isRemote: true, ...traceState })
}

test('a tracer is told apart by its name, its version and its schema, which its spans bear', () => {
  const { provider, sent } = startTracing()
  const pg = provider.getTracer('pg', '1.0.0', { schemaUrl: 'https://opentelemetry.io/schemas/1.44.0' })
  expect(provider.getTracer('pg', '1.0.0', { schemaUrl: 'https://opentelemetry.io/schemas/1.44.0' })).toBe(pg)
  expect(provider.getTracer('pg', '1.0.0')).not.toBe(pg)
  expect(provider.getTracer('pg')).not.toBe(provider.getTracer('pg', '1.0.0'))
  pg.startSpan('query').end()
  provider.getTracer('redis').startSpan('get').end()
  expect(sent().map(({ name, scope }) => [name, scope])).toEqual([
    ['query', 'pg'],
    ['get', 'redis'],
  ])
})

test.each([[''], [undefined], [null], [5], [{}]])('a tracer of the impossible name %s works', (name) => {
  const { provider, sent } = startTracing()
  provider
    .getTracer(name as string, name as string, { schemaUrl: name as string })
    .startSpan('work')
    .end()
  expect(sent()).toMatchObject([{ name: 'work', scope: '' }])
})

test('a service that asks for ever new tracers gets them, and no more than so many are kept', () => {
  const { provider } = startTracing()
  const first = provider.getTracer('tracer 0')
  for (let index = 1; index < 2_000; index += 1) provider.getTracer(`tracer ${index}`)
  expect(provider.getTracer('tracer 0')).toBe(first)
  expect(provider.getTracer('tracer 1999')).not.toBe(provider.getTracer('tracer 1999'))
})

test('a span has the kind that it is given, and is internal without one', () => {
  const { tracer, sent } = startTracing()
  const kinds = ['INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const
  for (const kind of kinds) tracer.startSpan(kind, { kind: SpanKind[kind] }).end()
  tracer.startSpan('none').end()
  tracer.startSpan('impossible', { kind: 17 as never }).end()
  expect(sent().map(({ kind }) => kind)).toEqual([...kinds, 'INTERNAL', 'INTERNAL'])
})

test('a span without parent begins a trace, with random IDs of its own', () => {
  const { tracer, sent } = startTracing()
  const spans = Array.from({ length: 2_000 }, () => tracer.startSpan('work'))
  for (const span of spans) span.end()
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(spans.length)
  expect(new Set(spans.map((span) => span.spanContext().spanId)).size).toBe(spans.length)
  for (const { traceId: id, spanId: own } of spans.map((span) => span.spanContext())) {
    expect(id).toMatch(/^[0-9a-f]{32}$/)
    expect(own).toMatch(/^[0-9a-f]{16}$/)
  }
  expect(sent().every(({ parentSpanId }) => parentSpanId === undefined)).toBe(true)
})

test('the parent is the span of the active context, or of the context that is given', () => {
  const { tracer, sent } = startTracing()
  const [active, given] = [tracer.startSpan('active'), tracer.startSpan('given')]
  context.with(trace.setSpan(context.active(), active), () => {
    tracer.startSpan('of the active').end()
    tracer.startSpan('of the given', {}, trace.setSpan(context.active(), given)).end()
    tracer.startSpan('of nobody', {}, ROOT_CONTEXT).end()
  })
  expect(sent().map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([
    ['of the active', active.spanContext().spanId],
    ['of the given', given.spanContext().spanId],
    ['of nobody', undefined],
  ])
})

test('a root span begins a new trace wherever it is started; its flow goes on', () => {
  const { tracer, sent } = startTracing()
  const parent = tracer.startSpan('parent')
  tracer.startSpan('root', { root: true }, trace.setSpan(ROOT_CONTEXT, parent)).end()
  const [root] = sent()
  expect(root).toMatchObject({ parentSpanId: undefined, attributes: { 'flow.id': parent.spanContext().traceId } })
  expect(root?.traceId).not.toBe(parent.spanContext().traceId)
})

test('a remote parent is gone on from, and the child is not remote', () => {
  const { tracer, sent } = startTracing()
  const child = tracer.startSpan('child', {}, inRemote())
  child.end()
  expect(child.spanContext()).toMatchObject({ traceId, traceFlags: TraceFlags.SAMPLED })
  expect(child.spanContext().isRemote ?? false).toBe(false)
  expect(sent()).toMatchObject([{ traceId, parentSpanId: spanId, attributes: { 'flow.id': traceId } }])
})

test.each([
  ['all-zero trace ID', { traceId: '0'.repeat(32), spanId }],
  ['all-zero span ID', { traceId, spanId: '0'.repeat(16) }],
  ['trace ID that is too short', { traceId: traceId.slice(1), spanId }],
  ['trace ID that is not hexadecimal', { traceId: `x${traceId.slice(1)}`, spanId }],
  ['empty IDs', { traceId: '', spanId: '' }],
])('a parent with %s is none', (_what, ids) => {
  const { tracer, sent } = startTracing()
  tracer.startSpan('work', {}, trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: TraceFlags.SAMPLED })).end()
  const [span] = sent()
  expect(span?.parentSpanId).toBeUndefined()
  expect(span?.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/)
  expect(span?.traceId).not.toBe(ids.traceId)
})

test('IDs in capitals, as other propagators hand them over, mean the same', () => {
  const { tracer, sent } = startTracing()
  const parent = { traceId: traceId.toUpperCase(), spanId: spanId.toUpperCase(), traceFlags: TraceFlags.SAMPLED }
  tracer.startSpan('work', {}, trace.setSpanContext(ROOT_CONTEXT, parent)).end()
  expect(sent()).toMatchObject([{ traceId, parentSpanId: spanId, attributes: { 'flow.id': traceId } }])
})

test('the random flag says that the last 56 bits of the trace’s ID are random, and is passed on as it came', () => {
  const { tracer } = startTracing()
  const random = 2
  expect(tracer.startSpan('root').spanContext().traceFlags).toBe(TraceFlags.SAMPLED | random)
  expect(tracer.startSpan('child', {}, inRemote(TraceFlags.SAMPLED)).spanContext().traceFlags).toBe(TraceFlags.SAMPLED)
  expect(tracer.startSpan('child', {}, inRemote(TraceFlags.SAMPLED | random)).spanContext().traceFlags).toBe(
    TraceFlags.SAMPLED | random,
  )
  expect(tracer.startSpan('unsampled', {}, inRemote(random)).spanContext().traceFlags).toBe(random)
})

test('tracestate passes on unchanged', () => {
  const { tracer, sent } = startTracing()
  const state = 'vendor=t61rcWkgMzE,ot=p:8;r:62,t61@fw=00f067aa0ba902b7'
  const child = tracer.startSpan('child', {}, inRemote(TraceFlags.SAMPLED, state))
  child.end()
  tracer.startSpan('grandchild', {}, trace.setSpan(ROOT_CONTEXT, child)).end()
  expect(sent().map(({ traceState }) => traceState)).toEqual([state, state])
})

test('a span bears the attributes and links that it starts with, in their order', () => {
  const { tracer, sent } = startTracing()
  const other = { traceId: otherFlowId, spanId, traceFlags: TraceFlags.NONE }
  const links = [{ context: other, attributes: { n: 1 } }, { context: { ...other, traceId } }]
  tracer.startSpan('work', { attributes: { a: 1, b: 'two' }, links }).end()
  expect(sent()).toMatchObject([
    {
      attributes: { a: 1, b: 'two' },
      links: [
        { traceId: otherFlowId, spanId },
        { traceId, spanId },
      ],
    },
  ])
})

test('starting a span does not make it active', () => {
  const { tracer } = startTracing()
  tracer.startSpan('work')
  expect(trace.getActiveSpan()).toBeUndefined()
})

test.each<[string, (tracer: Tracer, parent: Context, work: (span: Span) => string) => string]>([
  ['name, work', (tracer, parent, work) => context.with(parent, () => tracer.startActiveSpan('s', work))],
  ['name, options, work', (tracer, parent, work) => context.with(parent, () => tracer.startActiveSpan('s', {}, work))],
  ['name, options, context, work', (tracer, parent, work) => tracer.startActiveSpan('s', {}, parent, work)],
  [
    'name, no options, context, work',
    (tracer, parent, work) => tracer.startActiveSpan('s', undefined as unknown as SpanOptions, parent, work),
  ],
  [
    'name, options, no context, work',
    (tracer, parent, work) =>
      context.with(parent, () => tracer.startActiveSpan('s', {}, undefined as unknown as Context, work)),
  ],
])('startActiveSpan(%s) runs work with the span active, and leaves its end to it', (_form, run) => {
  const { tracer, sent } = startTracing()
  const parent = inRemote().setValue(Symbol.for('kept'), 'kept')
  const result = run(tracer, parent, (span) => {
    expect(trace.getActiveSpan()).toBe(span)
    expect(context.active().getValue(Symbol.for('kept'))).toBe('kept')
    expect(sent()).toEqual([])
    span.end()
    return 'result'
  })
  expect(result).toBe('result')
  expect(trace.getActiveSpan()).toBeUndefined()
  expect(sent()).toMatchObject([{ name: 's', traceId, parentSpanId: spanId }])
})

test('what work throws comes out of startActiveSpan, and the context is as before', () => {
  const { tracer } = startTracing()
  const fail = () =>
    tracer.startActiveSpan('work', () => {
      throw new Error('no paper')
    })
  expect(fail).toThrow('no paper')
  expect(trace.getActiveSpan()).toBeUndefined()
})

test('an active span stays active behind await and timers', async () => {
  const { tracer } = startTracing()
  await tracer.startActiveSpan('work', async (span) => {
    await Promise.resolve()
    expect(trace.getActiveSpan()).toBe(span)
    await new Promise((resolve) => setImmediate(resolve))
    expect(trace.getActiveSpan()).toBe(span)
  })
})

test('a span that has ended may still be a parent, and its end touches no child', () => {
  const { tracer, sent } = startTracing()
  const parent = tracer.startSpan('parent')
  const inParent = trace.setSpan(ROOT_CONTEXT, parent)
  const child = tracer.startSpan('child', {}, inParent)
  parent.end()
  expect(child.isRecording()).toBe(true)
  const late = tracer.startSpan('late', {}, inParent)
  late.end()
  child.end()
  const { spanId: parentSpanId } = parent.spanContext()
  expect(sent()).toMatchObject([{ name: 'parent' }, { name: 'late', parentSpanId }, { name: 'child', parentSpanId }])
})

test('in a suppressed context there are no spans', () => {
  const { tracer, sent } = startTracing()
  const span = tracer.startSpan('work', {}, suppressTracing(inRemote()))
  span.end()
  expect(span.isRecording()).toBe(false)
  expect(trace.isSpanContextValid(span.spanContext())).toBe(false)
  expect(sent()).toEqual([])
})

test('a span of an unsampled trace records nothing, and carries trace and flow on', () => {
  const { tracer, sent } = startTracing()
  const parent = withHop(inRemote(TraceFlags.NONE, 'vendor=1'), newHop({ id: otherFlowId, name: 'buying' }))
  const span = tracer.startSpan('work', { attributes: { a: 1 } }, parent)
  span.setAttribute('b', 2).addEvent('event').setStatus({ code: SpanStatusCode.ERROR }).updateName('other')
  span.recordException(new Error('no paper'))
  expect(span.isRecording()).toBe(false)
  expect(span.spanContext()).toMatchObject({ traceId, traceFlags: TraceFlags.NONE })
  expect(span.spanContext().spanId).not.toBe(spanId)

  const inSpan = trace.setSpan(parent, span)
  const headers: Record<string, string> = {}
  const options = { trust: defaultTrust, sharedKey: undefined, serviceName: 'shop' }
  flowPropagator({ ...options, carriesTraceContext: true, carriesBaggage: true }).send(
    propagation.setBaggage(inSpan, propagation.createBaggage({ tenant: { value: 't1' } })),
    { host: 'stock' },
    (name, value) => (headers[name] = value),
  )
  expect(headers).toEqual({
    traceparent: `00-${traceId}-${span.spanContext().spanId}-00`,
    tracestate: 'vendor=1',
    'x-flow-id': otherFlowId,
    baggage: `tenant=t1,flow.id=${otherFlowId},flow.name=buying,service.name=shop`,
  })
  const child = tracer.startSpan('child', {}, inSpan)
  expect(flowIdOf(trace.setSpan(ROOT_CONTEXT, child))).toBe(otherFlowId)
  child.end()
  span.end()
  expect(sent()).toEqual([])
})

test('whatever a caller hands over, a span comes of it and nothing is thrown', () => {
  const { provider, sent } = startTracing()
  const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true })
  let ended = 0
  fc.assert(
    fc.property(anything, anything, anything, anything, (name, options, version, member) => {
      const tracer = provider.getTracer(name as string, version as string, options as object)
      const given = { kind: member, attributes: options, links: member, startTime: version, root: name } as SpanOptions
      for (const each of [options as SpanOptions, given, { ...given, links: [member, { context: member }] } as never]) {
        tracer.startSpan(name as string, each).end()
        tracer.startActiveSpan(name as string, each, (span) => span.end())
        ended += 2
      }
    }),
  )
  expect(sent()).toHaveLength(ended)
})
