import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { connectStore, migrateClickHouse, migratePostgres, settleTick, type Store } from '@headwater/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { explainPast, leftOutOf, timesOf } from './explain-past.ts'
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
  expect(
    await explainRange(store, { recent: minute(2, 3), baseline: minute(0, 10), excluded: [trouble] }),
  ).toMatchObject({
    state: 'normal',
    operations: 6,
    comparable: 6,
    baselineMinutes: 8,
  })
}, 60_000)

test('without a past, or without calls, there is not enough data', async () => {
  const unknown = { state: 'not-enough-data' }
  expect(await explainRange(store, { recent: trouble, baseline: minute(-20, -10) })).toMatchObject(unknown)
  expect(await explainRange(store, { recent: minute(-20, -10), baseline: minute(0, 10) })).toMatchObject(unknown)
}, 60_000)

test('whoever asks about a time gets the answer in a sentence, against the day before or what there is of it', async () => {
  const explanation = await explainPast(store, trouble)
  expect(explanation).toMatchObject({ state: 'explained', baselineMinutes: 6 })
  expect(explanation.summary).toMatch(/^catalog GET \/products is slow: 9\d % sure, with 6 minutes as normal\.$/)
  expect(explanation.told?.anomalies[0]).toMatchObject({ query: expect.stringContaining('/api/v1/series?service=') })
  expect(explanation.told?.noCauseReason).toBeNull()
  expect(explanation.leftOut).toEqual({ series: 0, logsOfCalls: 0 })
})

test('a healthy time is normal, whoever differs most in it', async () => {
  const explanation = await explainPast(store, { ...minute(4, 5), baselineFromMs: minute(0, 4).fromMs })
  expect(explanation).toMatchObject({ state: 'normal', told: null, baselineMinutes: 4 })
  expect(explanation.summary).toMatch(
    /^\d+ calls of 6 operations were compared with 4 minutes as normal: nothing departs/,
  )
})

test('without calls, then or before, nobody can tell, and it says which are missing', async () => {
  const before = await explainPast(store, minute(-60, -50))
  expect(before).toMatchObject({
    state: 'not-enough-data',
    summary: 'Not enough data: no call is known from this time.',
  })
  const first = await explainPast(store, minute(0, 1))
  expect(first).toMatchObject({ state: 'not-enough-data', told: null })
  expect(first.summary).toContain('from the time that should count as normal')
})

test('what was too much to be looked at is said', () => {
  expect(leftOutOf({ seriesLeftOut: 0, logged: { calls: 100, leftOut: 0 } })).toBe('')
  expect(leftOutOf({ seriesLeftOut: 7, logged: { calls: 0, leftOut: 0 } })).toMatch(/^ There were 7 series too many/)
  expect(leftOutOf({ seriesLeftOut: 0, logged: { calls: 16_000_000, leftOut: 15_000_000 } })).toMatch(
    /^ What about 6 % of the calls logged was looked at, those of the services whose log has changed most; /,
  )
  expect(leftOutOf({ seriesLeftOut: 0, logged: { calls: 1_000_000, leftOut: 999_000 } })).toContain('less than 1 %')
})

test('the time asked about is widened to whole minutes, and what counts as normal is narrowed', () => {
  const dayMs = 24 * 3_600_000
  expect(timesOf({ fromMs: 90_000, toMs: 130_000 })).toEqual({
    recent: { fromMs: 60_000, toMs: 180_000 },
    baseline: { fromMs: 60_000 - dayMs, toMs: 60_000 },
  })
  expect(timesOf({ fromMs: 600_000, toMs: 660_000, baselineFromMs: 1_000, baselineToMs: 599_000 }).baseline).toEqual({
    fromMs: 60_000,
    toMs: 540_000,
  })
})
