import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AttributeList } from '../trace/attribute-list.ts'
import { knownAttributes, writeAttributes, writeKnownAttributes } from './attribute-fields.ts'
import { ProtobufWriter } from './protobuf.ts'

const limits = { countMax: 128, valueCharsMax: Number.POSITIVE_INFINITY }

test('attributes that came before look as they would without a memory of them', () => {
  const known = knownAttributes()
  const [one, other] = [new ProtobufWriter(65_536), new ProtobufWriter(65_536)]
  const key = fc.constantFrom('http.route', 'url.path', '__proto__', 'ж')
  const value = fc.oneof(
    fc.constantFrom('GET', '200', 200, 0, -0, 0.5, -1, Number.NaN, '', true, 'x'.repeat(65)),
    fc.string({ maxLength: 3 }),
    fc.integer(),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 12 }), (pairs) => {
      const list = new AttributeList()
      for (const [name, each] of pairs) list.set(name, each, limits)
      one.start()
      other.start()
      writeKnownAttributes(one, 9, list, limits.valueCharsMax, known)
      writeAttributes(other, 9, list, limits.valueCharsMax)
      expect(Buffer.compare(one.written(), other.written())).toBe(0)
    }),
    { numRuns: 2_000 },
  )
})

test('of ever new values nothing is kept after a while, and of known ones what came last', () => {
  const known = knownAttributes()
  const field = Buffer.from('field')
  const meet = (key: string, value: string | number) => {
    const knownKey = known.of(key)
    const found = knownKey?.find(value)
    if (found === undefined && knownKey?.isKept(value) === true) knownKey.keep(value, field)
    return found
  }
  for (let turn = 0; turn < 1_000; turn += 1) meet('url.path', `/orders/${turn}`)
  expect(meet('url.path', '/orders/999')).toBeUndefined()
  meet('http.route', '/orders/:id')
  expect(meet('http.route', '/orders/:id')?.bytes).toEqual(Uint8Array.from(field))
  for (let turn = 0; turn < 8; turn += 1) meet('http.route', `/${turn}`)
  expect(meet('http.route', '/orders/:id')).toBeUndefined()
  meet('user_agent.original', 'x'.repeat(161))
  expect(meet('user_agent.original', 'x'.repeat(161))).toBeUndefined()
  for (let key = 0; key < 1_000; key += 1) meet(`key${key}`, 1)
  expect(known.of('key999')).toBeUndefined()
})
