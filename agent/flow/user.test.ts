import { afterEach, expect, test } from 'vitest'
import { startApp, startReceiver } from '../testing.ts'
import { handleUserIds, userIdToSend } from './user.ts'

afterEach(() => handleUserIds({ userIds: 'hashed', sharedKey: undefined }))

test('unless it is asked for otherwise, a user leaves the service as a hash', async () => {
  const receiver = await startReceiver()
  await startApp({
    source: `
      import { setUser, withFlow } from '@headwater/agent'
      import { trace } from '@opentelemetry/api'
      withFlow('report', () => { setUser('alice@example.com'); trace.getTracer('t').startSpan('below').end() })
    `,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, HEADWATER_USER_IDS: '' },
    serves: false,
  })
  const spans = await receiver.wanted(2, () => true)
  for (const { attributes } of spans) expect(attributes['user.id']).toMatch(/^[0-9a-f]{32}$/)
  expect(spans[0]?.attributes['user.id']).toBe(spans[1]?.attributes['user.id'])
  expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('alice')
})

test('the same user has the same hash, with a shared key one that only its holders can make', () => {
  const plain = userIdToSend('alice')
  expect([userIdToSend('alice'), userIdToSend('bob')]).toEqual([plain, expect.not.stringContaining(plain)])
  handleUserIds({ userIds: 'hashed', sharedKey: 'a key that is long enough' })
  const keyed = userIdToSend('alice')
  expect(keyed).not.toBe(plain)
  handleUserIds({ userIds: 'hashed', sharedKey: 'another that is long enough' })
  expect(userIdToSend('alice')).not.toBe(keyed)
})

test('asked for plainly, a user is sent as given, and no more than 256 characters of it', () => {
  handleUserIds({ userIds: 'plain', sharedKey: undefined })
  expect([userIdToSend('alice'), userIdToSend('x'.repeat(1_000))]).toEqual(['alice', 'x'.repeat(256)])
})
