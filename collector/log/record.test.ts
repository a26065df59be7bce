import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crcOf, decodeEdge, edgeBytes, encodeEdge, signals, type Header } from './record.ts'

const id = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const headers: fc.Arbitrary<Header> = fc.record({
  signal: fc.constantFrom(...signals),
  sequence: fc.maxSafeNat(),
  rows: uint32,
  metaBytes: fc.integer({ min: 0, max: 64 * 1024 }),
  payloadBytes: fc.integer({ min: 0, max: 128 * 1024 * 1024 }),
  metaCrc: uint32,
  payloadCrc: uint32,
})
const edges = fc.constantFrom('header' as const, 'trailer' as const)

test('both ends of a record say what was written', () => {
  fc.assert(
    fc.property(headers, edges, (header, edge) => {
      const bytes = encodeEdge(edge, header, id)
      expect(bytes.length).toBe(edgeBytes)
      expect(decodeEdge(bytes, id)).toEqual({ edge, header })
    }),
  )
})

test('an end with any bit flipped is no end', () => {
  fc.assert(
    fc.property(headers, edges, fc.nat(edgeBytes * 8 - 1), (header, edge, bit) => {
      const bytes = encodeEdge(edge, header, id)
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(decodeEdge(bytes, id)).toBeUndefined()
    }),
  )
})

test('an end of another log is no end, nor is one that is too short', () => {
  const header: Header = {
    signal: 'logs',
    sequence: 1,
    rows: 1,
    metaBytes: 0,
    payloadBytes: 0,
    metaCrc: 0,
    payloadCrc: 0,
  }
  const bytes = encodeEdge('header', header, id)
  expect(decodeEdge(bytes, Buffer.alloc(16))).toBeUndefined()
  expect(decodeEdge(bytes.subarray(0, -1), id)).toBeUndefined()
})

test('a checksum does not depend on how the bytes are divided', () => {
  expect(crcOf([Buffer.from('head'), Buffer.from(''), Buffer.from('water')])).toBe(crcOf([Buffer.from('headwater')]))
})
