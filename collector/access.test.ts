// Who may send: keys, what each may send, and TLS, at the door of a whole collector.

import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addKey } from './access/key-changes.ts'
import { firstTestPair } from './access/test-certificates.ts'
import { startTestCollectors, type TestCollectors } from './test-collector.ts'

let world: TestCollectors

beforeAll(async () => {
  world = await startTestCollectors()
})
afterAll(() => world?.stop())

function bodyOf(spans: number): string {
  const time = `${Date.now()}000000`
  const list = Array.from({ length: spans }, (_, index) => ({
    traceId: 'ef'.repeat(16),
    spanId: (index + 1).toString(16).padStart(16, 'd'),
    startTimeUnixNano: time,
    endTimeUnixNano: time,
  }))
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: list }] }] })
}

const json = { 'content-type': 'application/json' }

async function keysFile(...keys: { name: string; recordsPerSecond?: number; notAfterMs?: number }[]) {
  const keysPath = join(await world.directory(), 'keys.json')
  const secrets = keys.map((key) => addKey(keysPath, key, { nowMs: Date.now() }).secret)
  return { keysPath, secrets }
}

test('with keys, whoever shows none or a wrong one is refused, and each key has its own books', async () => {
  const { keysPath, secrets } = await keysFile({ name: 'shop' }, { name: 'bank' })
  const { app, metrics } = await world.create({ access: { keysPath } })
  const send = (headers: Record<string, string>, spans = 1) =>
    app.request('/v1/traces', { method: 'POST', headers: { ...json, ...headers }, body: bodyOf(spans) })
  for (const headers of [{}, { authorization: 'Bearer hw_wrong' }, { authorization: `Basic ${secrets[0]}` }]) {
    const refused = await send(headers)
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    expect(await refused.json()).toMatchObject({ code: 16 })
  }
  expect((await send({ authorization: `Bearer ${secrets[0]}` })).status).toBe(200)
  expect((await send({ 'x-api-key': secrets[1] ?? '' }, 2)).status).toBe(200)
  const received = (key: string) => metrics.sum('headwater_ingest_records_total', { key, outcome: 'received' })
  expect([received('shop'), received('bank'), received('')]).toEqual([1, 2, 0])
  expect((await app.request('/metrics')).status).toBe(401)
  expect((await app.request('/metrics', { headers: { authorization: `Bearer ${secrets[0]}` } })).status).toBe(200)
})

test('a key that has sent its quota waits as long as it is told, and the others do not', async () => {
  const { keysPath, secrets } = await keysFile({ name: 'loud', recordsPerSecond: 100 }, { name: 'quiet' })
  let nowMs = Date.now()
  const { app } = await world.create({ access: { keysPath } }, { now: () => nowMs })
  const send = (secret = '', spans = 1) =>
    app.request('/v1/traces', {
      method: 'POST',
      headers: { ...json, authorization: `Bearer ${secret}` },
      body: bodyOf(spans),
    })
  const [loud, quiet] = secrets
  expect((await send(loud, 1_000)).status).toBe(200)
  const refused = await send(loud)
  expect(refused.status).toBe(429)
  const waitS = Number(refused.headers.get('retry-after'))
  expect(waitS).toBeGreaterThan(0)
  expect((await send(quiet)).status).toBe(200)
  nowMs += waitS * 1_000
  expect((await send(loud)).status).toBe(200)
})

test('spans come over TLS where a certificate is set', async () => {
  const directory = await world.directory()
  const tls = { certPath: join(directory, 'cert.pem'), keyPath: join(directory, 'key.pem') }
  writeFileSync(tls.certPath, firstTestPair.cert)
  writeFileSync(tls.keyPath, firstTestPair.key)
  const collector = await world.start({ access: { tls } })
  expect(collector.url).toMatch(/^https:/)
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const sending = request(
    `${collector.url}/v1/traces`,
    { method: 'POST', headers: json, ca: firstTestPair.cert },
    (response) => {
      response.resume()
      resolve(response.statusCode)
    },
  )
  sending.on('error', reject)
  sending.end(bodyOf(1))
  expect(await promise).toBe(200)
  await expect(fetch(collector.url.replace('https', 'http'))).rejects.toThrow('fetch failed')
})
