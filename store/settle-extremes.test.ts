// Telemetry that nobody should send and somebody will. A tick that fails is repeated, so one trace that no tick survives
// would end all analysis.
import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectStore, type Store } from './connect.ts'
import { migrateClickHouse } from './migrate.ts'
import { settleTick } from './settle.ts'

const nowS = Math.floor(Date.now() / 1_000)
const rules = { quietMs: 5_000, openMs: 30_000, closeAfterS: 30 }
const oneTrace = `'${'a'.repeat(32)}'`

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
  const tables = ['otel_traces', 'settled_spans', 'settled_tree', 'chain_dependency_events', 'chain_execution_traces']
  for (const table of tables) await store.clickhouse.command({ query: `TRUNCATE TABLE ${table}` })
})

/** So many spans of 1 ms, numbered from 0; the columns are SQL over `number`. */
async function receive(spans: number, columns: { trace?: string; parent: string; name?: string; kind?: string }) {
  const { trace = oneTrace, parent, name = `'work'`, kind = `'Internal'` } = columns
  await store.clickhouse.command({
    query: `
      INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, Duration, ReceivedAt)
      SELECT fromUnixTimestamp64Milli(${nowS - 20}000 + number % 1000, 'UTC'), ${trace}, hex(number), ${parent}, ${name}, ${kind}, 'shop', 1000000,
        fromUnixTimestamp64Milli(${nowS - 15}000, 'UTC')
      FROM numbers(${spans})`,
  })
}

async function settle(): Promise<{ spans: number }> {
  return await settleTick(store, { tick, fromMs: (nowS - 60) * 1_000, toMs: nowS * 1_000 }, rules)
}

async function rows<Row>(query: string): Promise<Row[]> {
  return await (await store.clickhouse.query({ query, format: 'JSONEachRow' })).json<Row>()
}

test('a trace of 100,000 spans below one parent settles', async () => {
  await receive(100_000, { parent: `if(number = 0, '', '0')` })
  expect(await settle()).toMatchObject({ spans: 100_000 })
  expect(await rows('SELECT Spans FROM chain_execution_traces')).toEqual([{ Spans: 100_000 }])
})

test('a trace of 20,000 spans, each below the one before, settles', async () => {
  await receive(20_000, {
    parent: `if(number = 0, '', hex(number - 1))`,
    kind: `if(number % 10 = 0, 'Server', 'Internal')`,
  })
  expect(await settle()).toMatchObject({ spans: 20_000 })
  expect(await rows('SELECT count() AS calls FROM chain_dependency_events')).toEqual([{ calls: 2_000 }])
})

test('spans that are their own ancestors settle', async () => {
  await receive(1, { parent: `'0'` })
  await receive(7, { trace: `'${'b'.repeat(32)}'`, parent: 'hex((number + 1) % 7)' })
  await receive(7, { trace: `'${'c'.repeat(32)}'`, parent: 'hex((number + 1) % 7)', kind: `'Client'` })
  expect(await settle()).toMatchObject({ spans: 15 })
  expect(await rows('SELECT count() AS runs FROM chain_execution_traces')).toEqual([{ runs: 3 }])
})
