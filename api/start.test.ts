import { connectStore } from '@headwater/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiStartError, type RunningApi, startApi } from './start.ts'

// Whether it listens does not depend on the engines.
const store = connectStore({ clickhouseUrl: 'http://127.0.0.1:9', databaseUrl: 'postgres://127.0.0.1:9/none' })
const parts = { store, metricsText: () => '', explainPast: () => Promise.reject(new Error('Nobody asks here')) }
let running: RunningApi
beforeAll(async () => {
  running = await startApi({ ...parts, settings: { host: '127.0.0.1', port: 0 } })
})
afterAll(async () => {
  await running.stop()
  await store.close()
})

test('it says where it listens', async () => {
  expect(running.url).toBe(`http://127.0.0.1:${running.port}`)
  expect(await (await fetch(`${running.url}/livez`)).text()).toBe('ok')
})

test('a port that is taken is told with its mend', async () => {
  const second = startApi({ ...parts, settings: { host: '127.0.0.1', port: running.port } })
  await expect(second).rejects.toThrow(ApiStartError)
  await expect(second).rejects.toThrow(/another program uses the port. Set HEADWATER_PORT/)
})

test('an address that is not ours is told with its mend', async () => {
  const elsewhere = startApi({ ...parts, settings: { host: '192.0.2.1', port: 0, token: 't' } })
  await expect(elsewhere).rejects.toThrow(/no such address. Set HEADWATER_HOST/)
})

test('after it stopped, nobody answers there', async () => {
  const other = await startApi({ ...parts, settings: { host: '127.0.0.1', port: 0 } })
  await fetch(`${other.url}/livez`)
  await other.stop()
  await expect(fetch(`${other.url}/livez`)).rejects.toThrow('fetch failed')
})
