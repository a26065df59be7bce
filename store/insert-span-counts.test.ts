import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { bucketOf } from '@headwater/vocabulary'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectStore, type Store } from './connect.ts'
import { insertSpanCounts, type SpanCount } from './insert-span-counts.ts'
import { migrateClickHouse } from './migrate.ts'
import { readSpanCounts } from './queries/span-counts.ts'

const startS = Math.floor(Date.now() / 10_000) * 10 - 600
const timeoutMs = 30_000

let engines: TestEngines
let store: Store

beforeAll(async () => {
  engines = await startTestEngines()
  store = connectStore(engines)
  await migrateClickHouse(engines.clickhouseUrl)
})

afterAll(async () => {
  await store.close()
  await engines.stop()
})

beforeEach(async () => {
  await store.clickhouse.command({ query: 'TRUNCATE TABLE collector_span_counts' })
})

const during = { since: new Date(startS * 1_000), until: new Date((startS + 20) * 1_000) }

const checkout: SpanCount = {
  windowS: startS,
  service: 'shop/checkout@staging',
  operation: 'POST /pay',
  kind: 'Server',
  spans: 300,
  errors: 7,
  duration: { [bucketOf(10e6)]: 200, [bucketOf(500e6)]: 100 },
}

test('counts of several collectors and windows add up to exact rates', async () => {
  const later = { ...checkout, windowS: startS + 10, spans: 100, errors: 0, duration: { [bucketOf(10e6)]: 100 } }
  const client = { ...checkout, kind: 'Client', spans: 5, errors: 0, duration: { [bucketOf(1e6)]: 5 } }
  const inserts = [
    { collector: 'a', token: 'a1', rows: [checkout, client] },
    { collector: 'a', token: 'a2', rows: [later] },
    { collector: 'b', token: 'b1', rows: [checkout] },
    { collector: 'b', token: 'b2', rows: [] },
  ]
  for (const insert of inserts) {
    expect(await insertSpanCounts(store, { ...insert, timeoutMs })).toEqual({ kind: 'stored' })
  }
  const rates = await readSpanCounts(store, during)
  expect(rates).toMatchObject([
    { service: 'shop/checkout@staging', operation: 'POST /pay', kind: 'Server', spans: 700, errors: 14 },
    { service: 'shop/checkout@staging', operation: 'POST /pay', kind: 'Client', spans: 5, errors: 0 },
  ])
  expect(rates.map(({ spansPerSecond }) => spansPerSecond)).toEqual([35, 0.25])
  expect(rates[0]?.p50Ms).toBeCloseTo(10, 0)
  expect((rates[0]?.p95Ms ?? 0) / 500).toBeCloseTo(1, 1)
})

test('pieces of one window, told apart or together, are one', async () => {
  await insertSpanCounts(store, { collector: 'a', token: 'a1', rows: [checkout, checkout], timeoutMs })
  await insertSpanCounts(store, { collector: 'a', token: 'a2', rows: [checkout], timeoutMs })
  expect(await readSpanCounts(store, during)).toMatchObject([{ spans: 900, errors: 21 }])
})

test('an insert that is repeated counts once', async () => {
  const insert = { collector: 'a', token: 'repeated', rows: [checkout], timeoutMs }
  await insertSpanCounts(store, insert)
  await insertSpanCounts(store, insert)
  expect(await readSpanCounts(store, during)).toMatchObject([{ spans: 300 }])
})

test('other times are left out, and a window with nothing in it has no rates', async () => {
  await insertSpanCounts(store, {
    collector: 'a',
    token: 'times',
    rows: [-10, 20, 30].map((seconds) => ({ ...checkout, windowS: startS + seconds })),
    timeoutMs,
  })
  expect(await readSpanCounts(store, during)).toEqual([])
})

test('a store that is away is told and not thrown', async () => {
  const away = connectStore({ ...engines, clickhouseUrl: 'http://127.0.0.1:9' })
  const insert = { collector: 'a', token: 'away', rows: [checkout], timeoutMs: 1_000 }
  expect(await insertSpanCounts(away, insert)).toMatchObject({ kind: 'away' })
  await away.close()
})
