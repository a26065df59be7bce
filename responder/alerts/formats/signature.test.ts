import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { rawSecret, signatureHeaders } from './signature.ts'

const secretOf = (bytes: Uint8Array) => `whsec_${Buffer.from(bytes).toString('base64')}`

test('the signature is the one of the reference implementation', () => {
  // libraries/javascript/src/webhook.test.ts of the standard has this triple.
  const headers = signatureHeaders('{"test": 2432232314}', {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    atMs: 1_614_265_330_000,
    secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  })
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

test('the receiver of the standard verifies any body under any secret, and no other body', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array({ minLength: 24, maxLength: 64 }), (text, bytes) => {
      const secret = secretOf(bytes)
      const body = JSON.stringify({ text })
      const headers = signatureHeaders(body, { id: 'msg_1', atMs: Date.now(), secrets: [secret] })
      expect(new Webhook(secret).verify(body, headers)).toEqual({ text })
      expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow('No matching signature')
    }),
    { numRuns: 30 },
  )
})

test('while a secret is replaced, who knows the old one and who knows the new one both believe it', () => {
  const [old, fresh, other] = [1, 2, 3].map(() => secretOf(randomBytes(32)))
  const headers = signatureHeaders('{}', { id: 'msg_1', atMs: Date.now(), secrets: [fresh ?? '', old ?? ''] })
  expect(headers['webhook-signature']?.split(' ')).toHaveLength(2)
  expect(new Webhook(old ?? '').verify('{}', headers)).toEqual({})
  expect(new Webhook(fresh ?? '').verify('{}', headers)).toEqual({})
  expect(() => new Webhook(other ?? '').verify('{}', headers)).toThrow('No matching signature')
})

test('without a secret nothing is claimed', () => {
  expect(signatureHeaders('{}', { id: 'msg_1', atMs: 0, secrets: [] })).toEqual({
    'webhook-id': 'msg_1',
    'webhook-timestamp': '0',
  })
})

test.each([
  '',
  'secret',
  'whsec_',
  'whsec_c2hvcnQ=',
  secretOf(Buffer.alloc(23)),
  secretOf(Buffer.alloc(65)),
  'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa w',
  'WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
])('%j is no secret', (text) => {
  expect(rawSecret(text)).toBeUndefined()
})
