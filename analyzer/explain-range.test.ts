import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { connectStore, migrateClickHouse, migratePostgres, settleTick, type Store } from '@headwater/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { explainRange } from './explain-range.ts'
import { settleRules } from './start.ts'
import { shopTime } from './test-shop.ts'

// Ten minutes of the past, the seventh with a slow catalog.
const startMs = Math.floor((Date.now() - 900_000) / 60_000) * 60_000
const minute = (from: number, to: number) => ({ fromMs: startMs + from * 60_000, toMs: startMs + to * 60_000 })
const trouble = minute(6, 7)

let engines: TestEngines
let store: Store

beforeAll(async () => {
  engines = await startTestEngines()
  store = connectStore(engines)
  await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])
  const { spans } = shopTime({ ...minute(0, 10), faults: [{ fault: 'slow-catalog', ...trouble }] })
  await store.clickhouse.insert({ table: 'otel_traces', format: 'JSONEachRow', values: spans })
  const { fromMs, toMs } = minute(0, 11)
  await settleTick(store, { tick: 1, fromMs, toMs }, settleRules)
}, 120_000)

afterAll(async () => {
  await store.close()
  await engines.stop()
})

test('a minute of the past is explained by the others as normal, and who is reached is told', async () => {
  const explanation = await explainRange(store, { recent: trouble, baseline: minute(0, 10) })
  expect(explanation).toMatchObject({
    state: 'explained',
    told: {
      causes: [{ service: 'catalog', operation: 'GET /products', kind: 'latency' }],
      impact: { services: ['catalog', 'gateway'], flows: [{ name: 'GET /products' }] },
    },
  })
  expect(explanation.state === 'explained' && explanation.confidence).toBeGreaterThan(0.9)
}, 60_000)

test('a minute like all others is normal', async () => {
  expect(await explainRange(store, { recent: minute(2, 3), baseline: minute(0, 10), excluded: [trouble] })).toEqual({
    state: 'normal',
  })
}, 60_000)

test('without a past, or without calls, there is not enough data', async () => {
  const unknown = { state: 'not-enough-data' }
  expect(await explainRange(store, { recent: trouble, baseline: minute(-20, -10) })).toEqual(unknown)
  expect(await explainRange(store, { recent: minute(-20, -10), baseline: minute(0, 10) })).toEqual(unknown)
}, 60_000)
