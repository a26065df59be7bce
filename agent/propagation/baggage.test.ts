// https://www.w3.org/TR/baggage/ and https://opentelemetry.io/docs/specs/otel/baggage/api

import { ROOT_CONTEXT, baggageEntryMetadataFromString, propagation } from '@opentelemetry/api'
import { defaultTrust } from '@headwater/vocabulary'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readBaggage } from './baggage.ts'
import { flowPropagator } from './flow-propagator.ts'

const propagator = flowPropagator({
  trust: defaultTrust,
  sharedKey: undefined,
  serviceName: 'shop',
  carriesTraceContext: true,
  carriesBaggage: true,
})

function entriesOf(header: string): Record<string, string> {
  const entries = readBaggage(header)?.getAllEntries() ?? []
  return Object.fromEntries(
    entries.map(([name, { value, metadata }]) => [name, metadata ? `${value};${String(metadata)}` : value]),
  )
}

/** The header that tells of such members, without a flow of which to tell. */
function headerOf(members: Record<string, unknown>): string | undefined {
  let header: string | undefined
  const entries = Object.entries(members).map(([name, value]) => [name, { value: value as string }] as const)
  const baggage = propagation.createBaggage(Object.fromEntries(entries))
  propagator.send(propagation.setBaggage(ROOT_CONTEXT, baggage), 'queue', (name, value) => {
    if (name === 'baggage') header = value
  })
  return header
}

test.each<[string, string, Record<string, string>]>([
  ['one member', 'tenant=t1', { tenant: 't1' }],
  ['several', 'tenant=t1,user=u1', { tenant: 't1', user: 'u1' }],
  ['space around everything', ' tenant\t= t1 \t,\tuser = u1 ', { tenant: 't1', user: 'u1' }],
  ['an empty value', 'tenant=', { tenant: '' }],
  ['an equals sign in a value', 'tenant=a=b', { tenant: 'a=b' }],
  ['escapes', 'tenant=%C3%A9%20%2C%3B%3D', { tenant: 'é ,;=' }],
  ['a plus sign, which is no space', 'tenant=a+b', { tenant: 'a+b' }],
  ['properties', 'tenant=t1;ttl=30;secret', { tenant: 't1;ttl=30;secret' }],
  ['properties with space', 'tenant=t1 ; ttl = 30', { tenant: 't1;ttl = 30' }],
  ['the same name twice, of which the last counts', 'tenant=t1,tenant=t2', { tenant: 't2' }],
  ['a name that objects inherit', '__proto__=1,toString=2', { ['__proto__']: '1', toString: '2' }],
])('baggage may have %s', (_what, header, entries) => {
  expect(Object.entries(entriesOf(header))).toEqual(Object.entries(entries))
})

test.each([
  ['no equals sign', 'tenant'],
  ['no name', '=t1'],
  ['a name of space', ' =t1'],
  ['a broken escape', 'tenant=%C3%A'],
  ['an escape of half a character', 'tenant=%C3'],
  ['nothing', ''],
])('a member with %s is left out, and its neighbours stay', (_what, member) => {
  expect(entriesOf(`before=1,${member},after=2`)).toEqual({ before: '1', after: '2' })
  expect(readBaggage(member)).toBeUndefined()
})

test('64 members and 8,192 bytes are read, and nothing of a header with more', () => {
  const members = Array.from({ length: 65 }, (_, index) => `m${index}=1`)
  expect(readBaggage(members.slice(0, 64).join(','))?.getAllEntries()).toHaveLength(64)
  expect(readBaggage(members.join(','))).toBeUndefined()
  expect(readBaggage(`m=${'x'.repeat(8_190)}`)?.getAllEntries()).toHaveLength(1)
  expect(readBaggage(`m=${'x'.repeat(8_191)}`)).toBeUndefined()
  expect(readBaggage(`m=${'é'.repeat(4_095)}`)?.getAllEntries()).toHaveLength(1)
  expect(readBaggage(`m=${'é'.repeat(4_096)}`)).toBeUndefined()
})

test('of more than 64 members or 8,192 bytes the first are sent', () => {
  const many = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`m${index}`, '1']))
  expect(headerOf(many)?.split(',')).toHaveLength(64)
  expect(headerOf({ a: 'x'.repeat(8_190), b: '1' })).toBe(`a=${'x'.repeat(8_190)}`)
  expect(headerOf({ a: 'x'.repeat(8_191) })).toBeUndefined()
})

test('properties go on as they came, without what would end the member or the header', () => {
  const read = propagation.setBaggage(
    ROOT_CONTEXT,
    propagation.createBaggage({ a: { value: '1', metadata: baggageEntryMetadataFromString('ttl=30,b=2\r\nx: y;é') } }),
  )
  const sent: string[] = []
  propagator.send(read, 'queue', (_name, value) => sent.push(value))
  expect(sent).toEqual(['a=1;ttl=30b=2x:y;'])
})

test('values that are no texts, and names that are empty, break nothing', () => {
  expect(headerOf({ number: 5, truth: true, nothing: null, map: {}, '': 'x', last: 'y' })).toBe(
    'number=5,truth=true,last=y',
  )
})

test('whatever is set is read again by the next service', () => {
  const texts = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(fc.dictionary(texts, texts, { maxKeys: 8 }), (members) => {
      const sent = Object.entries(members).filter(([name]) => name !== '')
      const expected = sent.map(([name, value]) => [name.toWellFormed(), value.toWellFormed()])
      expect(entriesOf(headerOf(members) ?? '')).toEqual(Object.fromEntries(expected))
    }),
  )
})
