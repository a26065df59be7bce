// Telemetry that nobody should send and somebody will. A tick that fails is repeated, so one trace that no tick survives
// would end all analysis.
import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectStore, type Store } from './connect.ts'
import { type Lease, takeLease } from './lease.ts'
import { migrateClickHouse, migratePostgres } from './migrate.ts'
import { settleTick } from './settle.ts'
import { beginTick, finishTick } from './ticks.ts'

const nowS = Math.floor(Date.now() / 1_000)
const rules = { quietMs: 5_000, openMs: 30_000, closeAfterS: 30 }
const oneTrace = `'${'a'.repeat(32)}'`

let engines: TestEngines
let store: Store
let lease: Lease

beforeAll(async () => {
  engines = await startTestEngines()
  store = connectStore(engines)
  await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])
  const taken = await takeLease(store.postgres, { holder: 'test', ttlMs: 600_000 })
  if (taken === undefined) throw new Error('Cannot take the lease')
  lease = taken
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
async function receive(
  spans: number,
  columns: { trace?: string; parent: string; name?: string; kind?: string; at?: string },
) {
  const { trace = oneTrace, parent, name = `'work'`, kind = `'Internal'`, at = '0' } = columns
  await store.clickhouse.command({
    query: `
      INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, Duration, ReceivedAt)
      SELECT fromUnixTimestamp64Milli(${nowS - 20}000 + number % 1000, 'UTC'), ${trace}, hex(number), ${parent}, ${name}, ${kind}, 'shop', 1000000,
        fromUnixTimestamp64Milli(${nowS - 15}000 + ${at}, 'UTC')
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

test('a burst is settled in several ticks, each of which fits into memory, and nothing is lost', async () => {
  const trace = `leftPad(hex(1 + intDiv(number, 10)), 32, '0')`
  await receive(5_000, { trace, parent: `if(number % 10 = 0, '', hex(number - 1))`, at: 'intDiv(number, 100)' })
  const settled: number[] = []
  for (;;) {
    const next = await beginTick(store, lease, { ...rules, spansMax: 1_000 })
    if (next === undefined) throw new Error('Cannot begin a tick')
    const counts = await settleTick(store, { ...next, tick: 1_000 + next.tick }, rules)
    await finishTick(store.postgres, lease, next, counts)
    settled.push(counts.spans)
    if (next.isCutShort !== true) break
  }
  expect(Math.max(...settled)).toBeLessThanOrEqual(1_100)
  expect(settled.reduce((sum, spans) => sum + spans, 0)).toBe(5_000)
})

test('megabytes of text are cut in facts', async () => {
  await receive(20, { parent: `''`, name: `concat(toString(number), repeat('x', 1000000))`, kind: `'Server'` })
  expect(await settle()).toMatchObject({ spans: 20 })
  expect(await rows('SELECT max(length(Operation)) AS longest FROM chain_dependency_events')).toEqual([
    { longest: 500 },
  ])
})

test('names with control characters, quotes and wrong UTF-8 settle', async () => {
  await receive(3, { parent: `''`, name: `concat('a\\0b\\n''; DROP TABLE x --', unhex('ff'))`, kind: `'Server'` })
  expect(await settle()).toMatchObject({ spans: 3 })
})
