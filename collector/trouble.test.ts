import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { connectStore, migrateClickHouse, type Store } from '@headwater/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Collector, startCollector } from './index.ts'

let engines: TestEngines
let store: Store
let collector: Collector
const lines: string[] = []

beforeAll(async () => {
  engines = await startTestEngines()
  await migrateClickHouse(engines.clickhouseUrl)
  store = connectStore(engines)
  const settings = { port: 0, host: '127.0.0.1', corsOrigins: [] }
  collector = await startCollector({ store, settings, log: (line) => lines.push(line) })
})

afterAll(async () => {
  await collector?.stop()
  await store?.close()
  await engines?.stop()
})

function send(): Promise<Response> {
  const times = { startTimeUnixNano: `${Date.now()}000000`, endTimeUnixNano: `${Date.now()}000001` }
  const span = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), ...times }
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })
  return fetch(`${collector.url}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
}

test('while ClickHouse is gone senders are asked to come again, and once it is back they are taken', async (context) => {
  const pid = engines.embedded?.pid()
  if (pid === undefined) context.skip('a server that is not ours cannot be killed')
  expect((await send()).status).toBe(200)

  process.kill(pid as number, 'SIGKILL')
  const startedMs = performance.now()
  const refused = await send()
  expect(performance.now() - startedMs).toBeLessThan(2_000)
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toBe('2')
  expect(await refused.json()).toEqual({ code: 14, message: expect.stringContaining('ClickHouse does not take spans') })
  expect(collector.metrics.get('headwater_spans_refused_total', { status: '503' })).toBe(1)

  let refusals = 1
  const untilTaken = async () => {
    const { status } = await send()
    if (status !== 200) refusals += 1
    return status
  }
  await expect.poll(untilTaken, { timeout: 30_000, interval: 100 }).toBe(200)
  expect(lines).toEqual([expect.stringContaining('ClickHouse does not take spans'), 'ClickHouse takes spans again'])

  const { metrics } = collector
  expect(metrics.get('headwater_spans_stored_total')).toBe(2)
  expect(metrics.get('headwater_spans_refused_total', { status: '503' })).toBe(refusals)
  expect(metrics.get('headwater_spans_received_total')).toBe(2 + refusals)
})
