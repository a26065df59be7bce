// More than the budget: runs are shed, their counts are not.

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestCollectors, type TestCollectors } from './test-collector.ts'

let world: TestCollectors

beforeAll(async () => {
  world = await startTestCollectors()
})
afterAll(() => world?.stop())

const json = { 'content-type': 'application/json' }

/** Runs of two spans each; of 250 three fail. */
function bodyOf(runs: number, nowMs: number): string {
  const [start, end] = [`${nowMs - 20}000000`, `${nowMs}000000`]
  const spans = Array.from({ length: runs }, (_, run) => {
    const traceId = randomBytes(16).toString('hex')
    return ['b7ad6b7169203331', 'c7ad6b7169203331'].map((spanId) => ({
      traceId,
      spanId,
      name: 'POST /checkout',
      kind: 2,
      startTimeUnixNano: start,
      endTimeUnixNano: end,
      ...(run % 100 === 0 ? { status: { code: 2 } } : {}),
    }))
  }).flat()
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] }
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })
}

async function rowOf<Row>(query: string): Promise<Row | undefined> {
  const [row] = await (await world.store.clickhouse.query({ query, format: 'JSONEachRow' })).json<Row>()
  return row
}

test('over budget whole runs are shed, failed ones are not, weights and counts say what came, and the books balance', async () => {
  let nowMs = Date.now() - 60_000
  const shedding = await world.create({ sampling: { spansPerSecond: 200 } }, { now: () => nowMs })
  const { app, metrics } = shedding
  // Ten seconds of 2,000 spans each: ten times the budget.
  for (let second = 0; second < 10; second += 1) {
    for (let part = 0; part < 4; part += 1) {
      const response = await app.request('/v1/traces', { method: 'POST', headers: json, body: bodyOf(250, nowMs) })
      expect([response.status, await response.text()]).toEqual([200, '{}'])
      nowMs += 250
    }
  }
  await shedding.idle()
  nowMs += 30_000
  await shedding.close(1_000)

  const fate = (outcome: string) => metrics.sum('headwater_ingest_records_total', { signal: 'traces', outcome })
  expect(fate('received')).toBe(20_000)
  expect(fate('stored') + fate('shed')).toBe(20_000)
  const stored = await rowOf<{ spans: number; runs: number; failed: number; weight: number; partial: number }>(`
    SELECT count() AS spans, uniqExact(TraceId) AS runs, countIf(StatusCode = 'Error') AS failed, sum(Weight) AS weight,
      sum(Partial) AS partial
    FROM otel_traces`)
  expect(stored?.spans).toBe(fate('stored'))
  expect(stored?.spans).toBeLessThan(8_000)
  // Both spans of a run are kept, or neither.
  expect(stored?.spans).toBe(2 * (stored?.runs ?? 0))
  expect(stored?.failed).toBe(240)
  expect(stored?.partial).toBeGreaterThan(0)
  expect(Math.abs((stored?.weight ?? 0) - 20_000)).toBeLessThan(4_000)
  const counted = await rowOf(`
    SELECT sum(Spans) AS spans, sum(Errors) AS errors, arraySum(mapValues(sumMap(Duration))) AS durations
    FROM collector_span_counts WHERE Service = 'shop' AND Operation = 'POST /checkout' AND Kind = 'Server'`)
  expect(counted).toEqual({ spans: 20_000, errors: 240, durations: 20_000 })
  const booked = await rowOf(`
    SELECT sumIf(Records, Outcome = 'received') AS received, sumIf(Records, Outcome != 'received') AS fates,
      sumIf(Records, Outcome = 'shed') AS shed
    FROM collector_ledger FINAL`)
  expect(booked).toEqual({ received: 20_000, fates: 20_000, shed: fate('shed') })
})
