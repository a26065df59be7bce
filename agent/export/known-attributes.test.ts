import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AttributeList } from '../trace/attribute-list.ts'
import { writeAttributes, writeKnownAttributes } from './attribute-fields.ts'
import { KnownAttributes } from './known-attributes.ts'
import { ProtobufWriter } from './protobuf.ts'

const limits = { countMax: 128, valueCharsMax: Number.POSITIVE_INFINITY }

test('attributes that came before look as they would without a memory of them', () => {
  const known = new KnownAttributes()
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
  const known = new KnownAttributes()
  const field = Buffer.from('field')
  for (let turn = 0; turn < 1_000; turn += 1) known.add('url.path', `/orders/${turn}`, field)
  expect(known.get('url.path', '/orders/999')).toBeUndefined()
  known.add('http.route', '/orders/:id', field)
  expect(known.get('http.route', '/orders/:id')).toEqual(Uint8Array.from(field))
  for (let turn = 0; turn < 8; turn += 1) known.add('http.route', `/${turn}`, field)
  expect(known.get('http.route', '/orders/:id')).toBeUndefined()
  for (let key = 0; key < 1_000; key += 1) known.add(`key${key}`, 1, field)
  expect(known.get('key999', 1)).toBeUndefined()
})
