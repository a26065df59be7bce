// A span that was sampled stands for others: settling counts calls, not spans.
import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { bucketOf } from '@headwater/vocabulary'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectStore, type Store } from './connect.ts'
import { readBreakdown, readFrequentErrors } from './bad-call-evidence.ts'
import { migrateClickHouse } from './migrate.ts'
import { settleTick } from './settle.ts'

const nowS = Math.floor(Date.now() / 60_000) * 60 - 60
const rules = { quietMs: 5_000, openMs: 30_000, closeAfterS: 30 }

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

let tick = 0

beforeEach(async () => {
  tick += 1
  for (const table of [
    'otel_traces',
    'settled_spans',
    'chain_dependency_events',
    'chain_health_metrics',
    'chain_health_metrics_10s',
    'chain_execution_traces',
  ]) {
    await store.clickhouse.command({ query: `TRUNCATE TABLE ${table}` })
  }
})

/** So many traces with a span each, numbered from 0; the columns are SQL over `number`. */
async function receive(
  traces: number,
  { weight, failed = '0', traceState = '' }: { weight: string; failed?: string; traceState?: string },
): Promise<void> {
  await store.clickhouse.command({
    query: `
      INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, SpanKind, ServiceName, Duration, StatusCode, StatusMessage, ReceivedAt, Weight, TraceState)
      SELECT fromUnixTimestamp64Milli(${nowS - 20}000, 'UTC'), leftPad(hex(number + 1), 32, '0'), leftPad(hex(number + 1), 16, '0'), 'GET /', 'Server',
        'shop', 40000000, if(${failed}, 'Error', 'Unset'), if(${failed}, 'broken', ''), fromUnixTimestamp64Milli(${nowS - 15}000, 'UTC'), ${weight}, '${traceState}'
      FROM numbers(${traces})`,
  })
}

async function settle(): Promise<void> {
  await settleTick(store, { tick, fromMs: (nowS - 60) * 1_000, toMs: nowS * 1_000 }, rules)
}

interface State {
  calls: number
  errors: number
  originErrors: number
  durationNs: number
  selfNs: number
  duration: Record<string, number>
  self: Record<string, number>
}

async function state(table = 'chain_health_metrics'): Promise<State> {
  const answer = await store.clickhouse.query({
    query: `SELECT sum(Calls) AS calls, sum(Errors) AS errors, sum(OriginErrors) AS originErrors, sum(m.DurationNs) AS durationNs,
        sum(m.SelfNs) AS selfNs, sumMap(m.Duration) AS duration, sumMap(m.Self) AS self FROM ${table} AS m`,
    format: 'JSONEachRow',
  })
  return (await answer.json<State>())[0] as State
}

test.each([
  { weight: 1, stands: 1 },
  { weight: 2, stands: 2 },
  { weight: 10, stands: 10 },
  { weight: 5e9, stands: 1_000_000 },
])('a call of weight $weight counts as $stands, with its errors, times and histograms', async ({ weight, stands }) => {
  await receive(3, { weight: String(weight), failed: 'number = 0' })
  await settle()
  const bucket = bucketOf(40e6)
  const wanted = {
    calls: 3 * stands,
    errors: stands,
    originErrors: stands,
    durationNs: 3 * stands * 40e6,
    selfNs: 3 * stands * 40e6,
    duration: { [bucket]: 3 * stands },
    self: { [bucket]: 3 * stands },
  }
  expect(await state()).toEqual(wanted)
  expect(await state('chain_health_metrics_10s')).toEqual(wanted)
})

test('what its sender had sampled before is not counted up, what the collector has left out is', async () => {
  // Half of the traces by the sender, and a third of what came by the collector.
  await receive(2, { weight: '6', traceState: 'vendor=1,ot=th:8' })
  await settle()
  expect(await state()).toMatchObject({ calls: 6 })
})

test('calls of weight 1.5 count as one or two each, one and a half on average, and the same in all tables', async () => {
  await receive(4_000, { weight: '1.5' })
  await settle()
  const { calls, durationNs, duration } = await state()
  // Four standard deviations of 4,000 fair coins.
  expect(Math.abs(calls - 6_000)).toBeLessThan(127)
  expect(durationNs).toBe(calls * 40e6)
  expect(duration).toEqual({ [bucketOf(40e6)]: calls })
  expect(await state('chain_health_metrics_10s')).toMatchObject({ calls })
  const answer = await store.clickhouse.query({
    query: 'SELECT groupUniqArray(Weight) AS weights, sum(Weight) AS calls FROM chain_dependency_events',
    format: 'JSONEachRow',
  })
  const [row] = await answer.json<{ weights: number[]; calls: number }>()
  expect(row?.weights.toSorted((a, b) => a - b)).toEqual([1, 2])
  expect(row?.calls).toBe(calls)
})

test('which version is bad and what errors say is weighed, too: healthy calls that were sampled are as many as they were', async () => {
  await receive(30, { weight: 'if(number < 10, 1, 25)', failed: 'number < 10' })
  await settle()
  const badCalls = [{ kind: 'errors', service: 'shop', operation: 'GET /' } as const]
  const range = { fromMs: (nowS - 60) * 1_000, toMs: nowS * 1_000, badCalls }
  expect(await readBreakdown(store, range)).toEqual([
    { version: '', instance: '', caller: '', flow: 'GET /', calls: 510, bad: 10, kept: 30 },
  ])
  expect(await readFrequentErrors(store, range)).toEqual([{ errorType: '', message: 'broken', calls: 10 }])
})

test('a run stands for as many as its likeliest span: one that was kept for certain is only itself', async () => {
  await receive(1, { weight: '20' })
  await store.clickhouse.command({
    query: `
      INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, Duration, StatusCode, ReceivedAt, Weight)
      SELECT Timestamp, TraceId, 'ff', SpanId, 'work', 'Internal', ServiceName, 1000, 'Error', ReceivedAt, 1 FROM otel_traces`,
  })
  await settle()
  const answer = await store.clickhouse.query({
    query: 'SELECT Weight AS weight, Spans AS spans FROM chain_execution_traces FINAL',
    format: 'JSONEachRow',
  })
  expect(await answer.json()).toEqual([{ weight: 1, spans: 2 }])
})
