// What came before shedding is counted once, with the block that it came in, whatever becomes of that.

import { connectStore, type Store } from '@headwater/store'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestCollectors, type TestCollectors } from './test-collector.ts'

let world: TestCollectors
let away: Store

beforeAll(async () => {
  world = await startTestCollectors()
  away = connectStore({ ...world.engines, clickhouseUrl: 'http://127.0.0.1:9' })
})

afterAll(async () => {
  await away?.close()
  await world?.stop()
})

beforeEach(async () => {
  for (const table of ['collector_span_counts', 'otel_traces']) {
    await world.store.clickhouse.command({ query: `TRUNCATE TABLE ${table}` })
  }
})

const budget = { sampling: { spansPerSecond: 1_000 }, acknowledgement: 'logged' } as const
type Collector = Awaited<ReturnType<TestCollectors['create']>>

let spans = 0
function bodyOf(names: readonly string[]): string {
  const times = { startTimeUnixNano: `${Date.now() - 20}000000`, endTimeUnixNano: `${Date.now()}000000` }
  const all = names.map((name) => {
    spans += 1
    const id = spans.toString(16).padStart(16, 'c')
    return { traceId: `${id}${id}`, spanId: id, name, ...times }
  })
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: all }] }] })
}

async function send({ app }: Collector, body: string): Promise<number> {
  const headers = { 'content-type': 'application/json' }
  return (await app.request('/v1/traces', { method: 'POST', headers, body })).status
}

interface Sums {
  counted: number
  durations: number
  stored: number
}

async function sums(): Promise<Sums | undefined> {
  const query = `
    SELECT sum(Spans) AS counted, arraySum(mapValues(sumMap(Duration))) AS durations,
      (SELECT count() FROM otel_traces) AS stored
    FROM collector_span_counts`
  const [row] = await (await world.store.clickhouse.query({ query, format: 'JSONEachRow' })).json<Sums>()
  return row
}

const five = ['GET /a', 'GET /a', 'GET /b', 'GET /c', 'GET /c']

test('counts wait in the log with their spans while ClickHouse is away, also for another collector', async () => {
  const logDirectory = await world.directory()
  const first = await world.create(budget, { store: away, logDirectory })
  for (let request = 0; request < 4; request += 1) expect(await send(first, bodyOf(five))).toBe(200)
  await first.close(0)
  const second = await world.create(budget, { logDirectory })
  await second.idle()
  expect(await sums()).toEqual({ counted: 20, durations: 20, stored: 20 })
})

test('a request that a full log refuses is counted once it is taken', async () => {
  const logDirectory = await world.directory()
  const full = await world.create({ ...budget, logBytesMax: 900_000 }, { store: away, logDirectory })
  const large = Array.from({ length: 200 }, (_, number) => `GET /${'x'.repeat(200)}${number}`)
  let taken = 0
  const statuses = new Set<number>()
  for (let request = 0; request < 40; request += 1) {
    const status = await send(full, bodyOf(large))
    statuses.add(status)
    if (status === 200) taken += 1
  }
  expect(statuses).toEqual(new Set([200, 503]))
  await full.close(0)
  const roomy = await world.create(budget, { logDirectory })
  const last = bodyOf(five)
  expect([await send(roomy, last), await send(roomy, last)]).toEqual([200, 200])
  await roomy.idle()
  expect(await sums()).toMatchObject({ counted: 200 * taken + 5, stored: 200 * taken + 5 })
})

test('spans that ClickHouse refuses were counted all the same, and once, though their block goes in pieces', async () => {
  const { clickhouse } = world.store
  await clickhouse.command({ query: `ALTER TABLE otel_traces ADD CONSTRAINT good CHECK SpanName != 'poison'` })
  try {
    const logDirectory = await world.directory()
    const collector = await world.create(budget, { logDirectory })
    const bodies = [bodyOf(['poison', ...five]), bodyOf(five), bodyOf([...five, 'poison'])]
    expect(await Promise.all(bodies.map((body) => send(collector, body)))).toEqual([200, 200, 200])
    await collector.idle()
    expect(await sums()).toEqual({ counted: 17, durations: 17, stored: 15 })
  } finally {
    await clickhouse.command({ query: 'ALTER TABLE otel_traces DROP CONSTRAINT good' })
  }
})
