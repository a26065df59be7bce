import { expect, test } from 'vitest'
import { createGatekeeper } from './gatekeeper.ts'
import type { KeyFile } from './key-file.ts'
import { testKey } from './test-keys.ts'

const nowMs = Date.UTC(2026, 10, 27)
const file: KeyFile = {
  keys: [
    testKey('k_00000001', 'shop', { recordsPerSecond: 20_000 }),
    testKey('k_00000002', 'shop', { recordsPerSecond: 20_000 }),
    testKey('k_00000003', 'till'),
    testKey('k_00000004', 'till', { notAfterMs: nowMs }),
    testKey('k_00000005', 'till', { notAfterMs: nowMs + 1 }),
  ],
}
const gatekeeper = createGatekeeper({ keys: () => file, nowMs: () => nowMs })
const admit = (authorization?: string, apiKey?: string) => gatekeeper.admit(authorization, apiKey)
const shop = { kind: 'known', key: 'shop', recordsPerSecond: 20_000 }
const till = { kind: 'known', key: 'till' }

test('where no keys are set up, everybody may send', () => {
  const open = createGatekeeper({ keys: () => undefined, nowMs: () => nowMs })
  expect(open.admit(undefined)).toEqual({ kind: 'open', key: '' })
  expect(open.admit('Bearer whatever', 'x'.repeat(1_000))).toEqual({ kind: 'open', key: '' })
})

test('where no key is left, nobody may send', () => {
  const closed = createGatekeeper({ keys: () => ({ keys: [] }), nowMs: () => nowMs })
  expect(closed.admit('Bearer hw_k_00000001').kind).toBe('refused')
})

test.each([
  ['Bearer hw_k_00000001', undefined, shop],
  ['Bearer hw_k_00000002', undefined, shop],
  ['bearer hw_k_00000003', undefined, till],
  [' BEARER   hw_k_00000003 ', undefined, till],
  [undefined, 'hw_k_00000003', till],
  [undefined, ' hw_k_00000003 ', till],
  // A proxy on the way may need the first header for itself.
  ['Basic dXNlcjpwYXNz', 'hw_k_00000001', shop],
  ['Bearer hw_k_00000001', 'hw_k_00000003', shop],
])('authorization %j with x-api-key %j is let in', (authorization, apiKey, admission) => {
  expect(admit(authorization, apiKey)).toEqual(admission)
})

test.each([
  [undefined, undefined, 'No key came: send "authorization: Bearer hw_…"'],
  ['', '', 'No key came'],
  ['Bearer', undefined, 'No key came'],
  ['Basic hw_k_00000001', undefined, 'No key came'],
  ['Bearer hw_k_00000001 hw_k_00000002', undefined, 'No key came'],
  ['Bearer hw_k_0000000', undefined, 'The key is not known here'],
  ['Bearer hw_k_000000011', undefined, 'The key is not known here'],
  ['Bearer HW_K_00000001', undefined, 'The key is not known here'],
  [undefined, 'Bearer hw_k_00000001', 'The key is not known here'],
  // A wrong key is not mended by another header.
  ['Bearer wrong', 'hw_k_00000001', 'The key is not known here'],
])('authorization %j with x-api-key %j is refused with the reason', (authorization, apiKey, reason) => {
  expect(admit(authorization, apiKey)).toEqual({ kind: 'refused', reason: expect.stringContaining(reason) as string })
})

test('a key is good until its end, and is told then to be over', () => {
  expect(admit('Bearer hw_k_00000005')).toEqual(till)
  expect(admit('Bearer hw_k_00000004')).toEqual({
    kind: 'refused',
    reason: 'The key k_00000004 of "till" was good until 2026-11-27T00:00:00.000Z: ask for a new one',
  })
})

test('a header of more than 512 characters is not looked into', () => {
  const atMost = `Bearer ${'x'.repeat(505)}`
  expect(admit(atMost)).toMatchObject({ reason: expect.stringContaining('not known') as string })
  const reason = 'The key comes in a header of 513 characters, at most 512 may be sent'
  expect(admit(`${atMost}x`)).toEqual({ kind: 'refused', reason })
  expect(admit('Bearer hw_k_00000001', 'x'.repeat(513))).toEqual({ kind: 'refused', reason })
})

test('no refusal repeats what was sent', () => {
  for (const secret of ['hunter2', 'hunter2'.repeat(100)])
    expect(JSON.stringify(admit(`Bearer ${secret}`))).not.toContain('hunter2')
})
