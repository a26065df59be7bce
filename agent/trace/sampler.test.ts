// https://opentelemetry.io/docs/specs/otel/trace/sdk/#built-in-samplers and
// https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling

import { type Context, ROOT_CONTEXT, type Span, TraceFlags, createTraceState, trace } from '@opentelemetry/api'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { newHop, withHop } from '../flow/hop.ts'
import { startTracing } from '../test-tracing.ts'
import { samplerNames } from './sampler.ts'

const spanId = '00f067aa0ba902b7'
/** A trace whose random number is the smallest but `low`, and one whose number is the largest. */
const [lowId, highId] = ['a'.repeat(18) + '0'.repeat(13) + '1', 'a'.repeat(18) + 'f'.repeat(14)]
const hexDigits = (count: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: count, maxLength: count })

interface Parent {
  traceId?: string
  isSampled?: boolean
  isRemote?: boolean
  state?: string
}

function childOf({ traceId = lowId, isSampled: sampled = true, isRemote = true, state }: Parent): Context {
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE
  const traceState = state === undefined ? {} : { traceState: createTraceState(state) }
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote, ...traceState })
}

function sampling(name: string, ratio?: number) {
  const argument = ratio === undefined ? {} : { OTEL_TRACES_SAMPLER_ARG: String(ratio) }
  const { tracer } = startTracing({ OTEL_TRACES_SAMPLER: name, ...argument })
  return (parent: Context = ROOT_CONTEXT) => tracer.startSpan('work', {}, parent)
}

function isSampled(span: Span): boolean {
  const sampled = (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0
  expect(span.isRecording()).toBe(sampled)
  return sampled
}

/** What the span's tracestate says of sampling. */
function ot(span: Span): string | undefined {
  return span.spanContext().traceState?.get('ot')
}

test('the six samplers decide by the parent, by themselves, or by both', () => {
  const table = samplerNames.map((name) => {
    const start = sampling(name, 0)
    const parents = [true, false].flatMap((sampled) => [
      childOf({ isSampled: sampled, isRemote: true }),
      childOf({ isSampled: sampled, isRemote: false }),
    ])
    const decisions = [ROOT_CONTEXT, ...parents].map((parent) => (isSampled(start(parent)) ? 'yes' : 'no'))
    return [name, ...decisions].join(' ')
  })
  // Root; parent sampled, remote and local; parent unsampled, remote and local.
  expect(table).toEqual([
    'always_on yes yes yes yes yes',
    'always_off no no no no no',
    'traceidratio no no no no no',
    'parentbased_always_on yes yes yes no no',
    'parentbased_always_off no yes yes no no',
    'parentbased_traceidratio no yes yes no no',
  ])
})

test.each(['traceidratio', 'parentbased_traceidratio'])('%s of 1 keeps all, and of 0 nothing', (name) => {
  const [all, none] = [sampling(name, 1), sampling(name, 0)]
  fc.assert(
    fc.property(hexDigits(32), (id) => {
      const parent = withHop(ROOT_CONTEXT, newHop({ id }))
      expect(isSampled(all(parent))).toBe(true)
      expect(isSampled(none(parent))).toBe(false)
    }),
  )
})

test.each([0.001, 0.01, 0.1, 0.25, 1 / 3, 0.5, 0.9])('a ratio of %s keeps its share', (ratio) => {
  const start = sampling('traceidratio', ratio)
  const traces = 2_000
  let kept = 0
  for (let index = 0; index < traces; index += 1) {
    const random = ((BigInt(index) << 56n) / BigInt(traces)).toString(16).padStart(14, '0')
    if (isSampled(start(childOf({ traceId: `a${'0'.repeat(17)}${random}` })))) kept += 1
  }
  expect(Math.abs(kept - ratio * traces)).toBeLessThanOrEqual(1)
})

test('what a smaller ratio keeps a larger one keeps, too', () => {
  const ratios = [0.0001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.99, 1].map((ratio) => sampling('traceidratio', ratio))
  fc.assert(
    fc.property(
      hexDigits(32).filter((id) => /[1-9a-f]/.test(id)),
      (traceId) => {
        const decisions = ratios.map((start) => isSampled(start(childOf({ traceId }))))
        expect(decisions).toEqual(decisions.toSorted((a, b) => Number(a) - Number(b)))
      },
    ),
  )
})

test('a flow is kept whole or not at all, in whichever traces it goes on, and says by what it was decided', () => {
  const start = sampling('parentbased_traceidratio', 0.5)
  fc.assert(
    fc.property(hexDigits(32), (id) => {
      const spans = Array.from({ length: 5 }, () => start(withHop(ROOT_CONTEXT, newHop({ id }))))
      const keeps = Number.parseInt(id.at(-14) ?? '', 16) >= 8
      expect(spans.map(isSampled)).toEqual(spans.map(() => keeps))
      for (const span of spans) expect(ot(span)).toBe(`rv:${id.slice(-14)}${keeps ? ';th:8' : ''}`)
      expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(spans.length)
    }),
  )
})

// The table of "Converting floating-point probability to threshold value", with the recommended four digits.
test.each([
  [1, '0'],
  [1 / 2, '8'],
  [1 / 3, 'aaab'],
  [1 / 4, 'c'],
  [1 / 5, 'cccd'],
  [1 / 8, 'e'],
  [1 / 10, 'e666'],
  [1 / 16, 'f'],
  [1 / 100, 'fd70a'],
  [1 / 1_000, 'ffbe77'],
  [1 / 10_000, 'fff9724'],
  [1 / 100_000, 'ffff583a'],
  [1 / 1_000_000, 'ffffef39'],
  [2 ** -56, 'ffffffffffff'],
])('a ratio of %s is told as th:%s', (ratio, threshold) => {
  const kept = sampling('traceidratio', ratio)(childOf({ traceId: highId }))
  expect([isSampled(kept), ot(kept)]).toEqual([true, `th:${threshold}`])
})

test('the threshold is what a random number must reach', () => {
  const start = sampling('traceidratio', 0.5)
  expect(isSampled(start(childOf({ traceId: `a${'0'.repeat(17)}7fffffffffffff` })))).toBe(false)
  expect(isSampled(start(childOf({ traceId: `a${'0'.repeat(17)}80000000000000` })))).toBe(true)
})

test('an explicit random number goes before that of the trace’s ID, and passes on', () => {
  const start = sampling('traceidratio', 0.5)
  const [kept, dropped] = [
    start(childOf({ traceId: lowId, state: 'ot=rv:ffffffffffffff' })),
    start(childOf({ traceId: highId, state: 'ot=rv:00000000000000' })),
  ]
  expect([isSampled(kept), ot(kept)]).toEqual([true, 'rv:ffffffffffffff;th:8'])
  expect([isSampled(dropped), ot(dropped)]).toEqual([false, 'rv:00000000000000'])
})

test.each([['rv:fffffffffffff'], ['rv:fffffffffffffff'], ['rv:FFFFFFFFFFFFFF'], ['rv:xyz'], ['rv'], ['']])(
  'a random number that is none, %s, does not count',
  (member) => {
    const start = sampling('traceidratio', 0.5)
    expect(isSampled(start(childOf({ traceId: lowId, state: `ot=${member}` })))).toBe(false)
    expect(isSampled(start(childOf({ traceId: highId, state: `ot=${member}` })))).toBe(true)
  },
)

test('other members of tracestate, and other parts of OpenTelemetry’s own, stay', () => {
  const start = sampling('traceidratio', 0.5)
  const kept = start(childOf({ traceId: highId, state: 'vendor=1,ot=p:8;th:c;r:62' }))
  expect(kept.spanContext().traceState?.serialize()).toBe('ot=p:8;th:8;r:62,vendor=1')
  const dropped = start(childOf({ traceId: lowId, state: 'vendor=1,ot=th:c' }))
  expect(dropped.spanContext().traceState?.serialize()).toBe('vendor=1')
})

test('a tracestate that has no room for the threshold keeps no other one', () => {
  const full = Array.from({ length: 4 }, (_, index) => `vendor${index}=${'x'.repeat(117)}`).join(',')
  const kept = sampling('traceidratio', 0.0001)(childOf({ traceId: highId, state: `ot=th:c,${full}` }))
  expect(kept.spanContext().traceState?.serialize()).toBe(full)
})

test('a parent’s threshold passes on with its decision', () => {
  const start = sampling('parentbased_traceidratio', 0.1)
  const child = start(childOf({ traceId: highId, state: 'ot=th:c,vendor=1' }))
  expect(child.spanContext().traceState?.serialize()).toBe('ot=th:c,vendor=1')
  const grandchild = start(trace.setSpan(ROOT_CONTEXT, child))
  expect(ot(grandchild)).toBe('th:c')
  expect(ot(start(childOf({ traceId: highId, state: 'vendor=1' })))).toBeUndefined()
})

test.each([
  ['that its random number does not reach', lowId, 'ot=th:8'],
  ['that its explicit random number does not reach', highId, 'ot=rv:7fffffffffffff;th:8'],
  ['that is none', highId, 'ot=th:xyz'],
  ['that is too long', highId, 'ot=th:000000000000000'],
])('a sampled parent with a threshold %s has no weight that could be believed', (_what, traceId, state) => {
  const child = sampling('parentbased_always_on')(childOf({ traceId, state }))
  expect(isSampled(child)).toBe(true)
  expect(ot(child) ?? '').not.toContain('th:')
})

test('whoever keeps all stands for itself only, whatever its parent stood for', () => {
  const child = sampling('always_on')(childOf({ traceId: highId, state: 'vendor=1,ot=th:8;rv:ffffffffffffff' }))
  expect(child.spanContext().traceState?.serialize()).toBe('ot=rv:ffffffffffffff,vendor=1')
})
