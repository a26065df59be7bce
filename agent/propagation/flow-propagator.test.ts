import {
  ROOT_CONTEXT,
  SpanKind,
  TraceFlags,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  trace,
} from '@opentelemetry/api'
import { defaultTrust } from '@headwater/vocabulary'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { agentCounters } from '../counters.ts'
import { flowPropagator, notePeer } from './flow-propagator.ts'
import { hopOf } from '../flow/hop.ts'

const propagator = flowPropagator({
  trust: defaultTrust,
  sharedKey: undefined,
  serviceName: 'shop',
  carriesTraceContext: true,
  carriesBaggage: true,
})
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanContext = { traceId, spanId: '00f067aa0ba902b7', traceFlags: TraceFlags.SAMPLED }
const inTrace = trace.setSpanContext(ROOT_CONTEXT, spanContext)

function sent(members: Record<string, string>, host = 'stock'): Record<string, string> {
  const entries = Object.entries(members).map(([name, value]): [string, { value: string }] => [name, { value }])
  const headers: Record<string, string> = {}
  const baggage = propagation.createBaggage(Object.fromEntries(entries))
  propagator.send(propagation.setBaggage(inTrace, baggage), { host }, (name, value) => (headers[name] = value))
  return headers
}

test('whatever is in the baggage or in the headers, nothing throws', () => {
  const texts = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(fc.dictionary(texts, texts), (members) => {
      expect(sent(members)['x-flow-id']).toBe(traceId)
    }),
  )
  fc.assert(
    fc.property(texts, texts, texts, (baggage, xFlowId, traceparent) => {
      const headers = { baggage, 'x-flow-id': xFlowId, traceparent }
      notePeer(headers, 'trusted')
      expect(hopOf(propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter))).toBeDefined()
    }),
  )
  expect(sent({ lone: '\ud800' })['x-flow-id']).toBe(traceId)
})

test('what one service sends, the next one takes from a trusted peer', () => {
  const headers = sent({ tenant: 't1' })
  notePeer(headers, 'trusted')
  const taken = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
  expect(hopOf(taken)).toMatchObject({ id: traceId, peer: 'shop', isOrigin: false })
  expect(propagation.getBaggage(taken)?.getAllEntries()).toEqual([['tenant', { value: 't1' }]])
})

test('where the user’s baggage leaves no room, ours stays behind and is counted', () => {
  const before = agentCounters().baggageFull
  const many = Object.fromEntries(Array.from({ length: 63 }, (_, index) => [`m${index}`, '1']))
  const long = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, 'x'.repeat(2_720)]))
  expect(sent(many)['baggage']?.split(',')).toHaveLength(63)
  const headers = sent(long)
  expect(headers['baggage']?.split(',').map((member) => member[0])).toEqual(['a', 'b', 'c'])
  expect(headers['x-flow-id']).toBe(traceId)
  expect(agentCounters().baggageFull).toBe(before + 2)
})

test('an unknown door continues the trace and believes nothing else', () => {
  const headers = {
    traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    baggage: 'flow.id=c0ffee00c0ffee00c0ffee00c0ffee00',
  }
  const taken = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
  expect(hopOf(taken)?.id).toBe(traceId)
  expect(trace.getSpanContext(taken)?.traceId).toBe(traceId)
})

test('a stranger’s baggage is not kept, and strangers get none', () => {
  const headers = { baggage: 'tenant=t1' }
  notePeer(headers, 'untrusted')
  expect(propagation.getBaggage(propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter))).toBeUndefined()
  expect(sent({ tenant: 't1' }, 'api.example.com')).toEqual({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` })
})

test('other instrumentations of queues and hosts tell where they send by their spans', () => {
  const carrierOf = (span: object) => {
    const carrier: Record<string, string> = {}
    const inSpan = trace.setSpan(inTrace, Object.assign(trace.wrapSpanContext(spanContext), span))
    propagator.inject(inSpan, carrier, defaultTextMapSetter)
    return Object.keys(carrier).toSorted()
  }
  expect(carrierOf({ kind: SpanKind.PRODUCER })).toEqual(['baggage', 'traceparent'])
  expect(carrierOf({ kind: SpanKind.CLIENT, attributes: { 'server.address': 'stock' } })).toEqual([
    'baggage',
    'traceparent',
    'x-flow-id',
  ])
  expect(carrierOf({ kind: SpanKind.CLIENT, attributes: { 'server.address': 'api.example.com' } })).toEqual([
    'traceparent',
  ])
  expect(carrierOf({ kind: SpanKind.CLIENT, attributes: {} })).toEqual(['traceparent'])
})
