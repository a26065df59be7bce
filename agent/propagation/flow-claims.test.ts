import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type FlowClaims,
  type PeerTrust,
  admit,
  isProven,
  ownBytesMax,
  readClaims,
  sign,
  writeClaims,
} from './flow-claims.ts'

const id = 'c0ffee00c0ffee00c0ffee00c0ffee00'
const sharedKey = 'a key that is long enough'
const flowIds = fc
  .string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: 32, maxLength: 32 })
  .filter((text) => /[1-9a-f]/.test(text))
const names = fc.string({ unit: 'grapheme-composite', minLength: 1, maxLength: 40 }).filter((text) => {
  return text.trim() === text && !/\p{Cc}/u.test(text) && text.isWellFormed()
})

test('what one service states the next one reads, and can prove', () => {
  fc.assert(
    fc.property(flowIds, names, names, (flowId, name, service) => {
      const members = writeClaims({ id: flowId, name, service, sharedKey })
      const read = readClaims(members, undefined)
      if (read.state !== 'stated') throw new Error(`Read as ${read.state}`)
      expect(read.claims.id).toBe(flowId)
      expect([name, undefined]).toContain(read.claims.name)
      expect(isProven(read.claims, sharedKey)).toBe(true)
      expect(isProven(read.claims, `${sharedKey}!`)).toBe(false)
      expect(isProven({ ...read.claims, name: `${name}!` }, sharedKey)).toBe(false)
    }),
  )
})

test('our members take at most 512 bytes: the flow’s name gives way first', () => {
  const long = 'ж'.repeat(100)
  const members = writeClaims({ id, name: long, service: 'shop', sharedKey })
  expect(members.split(',').map((member) => member.split('=')[0])).toEqual(['flow.id', 'service.name', 'flow.sig'])
  fc.assert(
    fc.property(fc.string({ maxLength: 400 }), fc.string({ maxLength: 400 }), (name, service) => {
      const written = writeClaims({ id, name, service, sharedKey })
      expect(Buffer.byteLength(written)).toBeLessThanOrEqual(ownBytesMax)
    }),
  )
})

test('any header is read without an exception', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (baggage, xFlowId) => {
      expect(['none', 'stated', 'malformed']).toContain(readClaims(`flow.id=${baggage},${baggage}`, xFlowId).state)
    }),
  )
})

test('baggage goes before x-flow-id, and other members are nobody’s claim', () => {
  expect(readClaims(`flow.id=${id}`, '1'.repeat(32))).toMatchObject({ state: 'stated', claims: { id } })
  expect(readClaims('tenant=t1', undefined)).toEqual({ state: 'none' })
  expect(readClaims('flow.id', undefined)).toEqual({ state: 'malformed' })
  expect(readClaims(undefined, `${id}, ${id}`)).toEqual({ state: 'malformed' })
})

const signed: FlowClaims = {
  id,
  name: 'a',
  service: 'b',
  signature: sign({ id, name: 'a', service: 'b' }, sharedKey),
}
const unsigned: FlowClaims = { ...signed, signature: undefined }

test.each<[string, PeerTrust, FlowClaims | 'none' | 'malformed', string | undefined, string]>([
  ['a trusted peer’s claims', 'trusted', unsigned, undefined, 'continue'],
  ['a trusted peer’s trace without claims', 'trusted', 'none', undefined, 'trace only'],
  ['a trusted peer’s malformed claims', 'trusted', 'malformed', undefined, 'trace only'],
  ['anybody’s claims', 'untrusted', unsigned, undefined, 'new run'],
  ['anybody’s trace', 'untrusted', 'none', undefined, 'new run'],
  ['anybody’s malformed claims', 'untrusted', 'malformed', undefined, 'new run'],
  ['proven claims from anywhere', 'untrusted', signed, sharedKey, 'continue'],
  ['unproven claims of a trusted peer', 'trusted', unsigned, sharedKey, 'new run'],
  ['a trusted peer without claims, with a key', 'trusted', 'none', sharedKey, 'trace only'],
  ['anybody without claims, with a key', 'untrusted', 'none', sharedKey, 'new run'],
  ['claims through a door that is not ours', 'unknown', unsigned, undefined, 'trace only'],
  ['unproven claims through a door that is not ours', 'unknown', unsigned, sharedKey, 'trace only'],
])('%s: %s peer', (_who, peer, stated, key, verdict) => {
  const read = typeof stated === 'string' ? { state: stated } : { state: 'stated' as const, claims: stated }
  expect(admit(read, peer, key).verdict).toBe(verdict)
})
