import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectStore, type Store } from './connect.ts'
import { enforceDiskCap } from './disk-cap.ts'
import { migrateClickHouse, migratePostgres, MigrationRefused, statementsOf } from './migrate.ts'
import { applyRetention } from './retention.ts'
import { requireSchema, schemaDifferences } from './schema-check.ts'

let engines: TestEngines
let store: Store

beforeAll(async () => {
  engines = await startTestEngines()
  store = connectStore(engines)
})

afterAll(async () => {
  await store.close()
  await engines.stop()
})

test('an empty database gets every migration, a second time none', async () => {
  const first = await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])
  expect(first.map(({ already }) => already)).toEqual([[], []])
  expect(first.every(({ applied }) => applied.length > 0)).toBe(true)
  const second = await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])
  expect(second.map(({ applied }) => applied)).toEqual([[], []])
  expect(second.map(({ already }) => already)).toEqual(first.map(({ applied }) => applied))
})

test('every table is what its row type says', async () => {
  expect(await schemaDifferences(store)).toEqual([])
})

test('a table that another program made is told by name', async () => {
  await store.clickhouse.command({ query: 'RENAME TABLE collector_heartbeats TO kept' })
  await store.clickhouse.command({
    query: 'CREATE TABLE collector_heartbeats (At DateTime64(3)) ENGINE = MergeTree ORDER BY At',
  })
  await expect(requireSchema(store)).rejects.toThrow(/collector_heartbeats lacks Collector String/)
  await store.clickhouse.command({ query: 'DROP TABLE collector_heartbeats SYNC' })
  await store.clickhouse.command({ query: 'RENAME TABLE kept TO collector_heartbeats' })
})

test('a migration that fails half-way is finished by the next run', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'headwater-migrations-'))
  const url = new URL(engines.clickhouseUrl)
  url.pathname = `${url.pathname}_half`
  try {
    const file = join(directory, '001_two_tables.sql')
    const good = 'CREATE TABLE IF NOT EXISTS first (n UInt8) ENGINE = MergeTree ORDER BY n;\n'
    await writeFile(file, `${good}CREATE TABLE second (n Nonsense) ENGINE = MergeTree ORDER BY n;\n`)
    const at = pathToFileURL(`${directory}/`)
    await expect(migrateClickHouse(url.href, at)).rejects.toThrow(
      /Cannot apply ClickHouse migration 001_two_tables.sql/,
    )
    await writeFile(file, `${good}CREATE TABLE IF NOT EXISTS second (n UInt8) ENGINE = MergeTree ORDER BY n;\n`)
    expect((await migrateClickHouse(url.href, at)).applied).toEqual(['001_two_tables.sql'])
  } finally {
    await store.clickhouse.command({ query: `DROP DATABASE ${url.pathname.slice(1)} SYNC` })
    await rm(directory, { recursive: true })
  }
})

test('a database newer than the code is refused, and so is one whose migration had another text', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'headwater-migrations-'))
  try {
    const older = pathToFileURL(`${empty}/`)
    await expect(migrateClickHouse(engines.clickhouseUrl, older)).rejects.toThrow(MigrationRefused)
    await expect(migratePostgres(store.postgres, older)).rejects.toThrow(/newer than this version of Headwater/)
    await writeFile(join(empty, '001_state.sql'), 'SELECT 1;')
    await expect(migratePostgres(store.postgres, older)).rejects.toThrow(/applied with another text/)
  } finally {
    await rm(empty, { recursive: true })
  }
})

test('two that migrate PostgreSQL at once leave one schema', async () => {
  for (const { name } of await store.postgres.introspection.getTables()) {
    await store.postgres.schema.dropTable(name).cascade().execute()
  }
  await Promise.all([migratePostgres(store.postgres), migratePostgres(store.postgres)])
  expect((await migratePostgres(store.postgres)).applied).toEqual([])
})

test('a statement ends at the end of a line, not at a semicolon within it', () => {
  expect(statementsOf("SELECT 'a;b';\n-- a comment; with one\nSELECT 2;\n")).toEqual(["SELECT 'a;b'", 'SELECT 2'])
})

test('retention is what the setting says, and asking again changes nothing', async () => {
  await applyRetention(store, { retentionDays: 7 })
  await applyRetention(store, { retentionDays: 7 })
  const answer = await store.clickhouse.query({
    query: `SELECT name FROM system.tables WHERE database = currentDatabase() AND create_table_query LIKE '%toIntervalDay(8)%' ORDER BY name`,
    format: 'JSONEachRow',
  })
  expect(await answer.json()).toEqual(['otel_logs', 'otel_traces', 'otel_traces_trace_id_ts'].map((name) => ({ name })))
})

test('a span that is just not too old is kept', async () => {
  await applyRetention(store, { retentionDays: 7 })
  const atS = Math.floor(Date.now() / 1_000) - 7 * 86_400 + 60
  const values = [
    { Timestamp: `${atS}.000000000`, TraceId: 'edge', SpanId: '1', SpanName: 'GET /', ServiceName: 'shop' },
  ]
  await store.clickhouse.insert({ table: 'otel_traces', format: 'JSONEachRow', values })
  await store.clickhouse.command({ query: 'OPTIMIZE TABLE otel_traces FINAL' })
  const answer = await store.clickhouse.query({
    query: `SELECT count() AS spans FROM otel_traces WHERE TraceId = 'edge'`,
    format: 'JSONEachRow',
  })
  expect(await answer.json()).toEqual([{ spans: 1 }])
  await store.clickhouse.command({ query: 'TRUNCATE TABLE otel_traces' })
})

test('above the cap the oldest days go first, and the newest of a table stays', async () => {
  const nowS = Math.floor(Date.now() / 1_000)
  const span = (daysAgo: number) => ({
    Timestamp: `${nowS - daysAgo * 86_400}.000000000`,
    TraceId: `t${daysAgo}`,
    SpanId: 's',
    SpanName: 'x'.repeat(1_000),
  })
  await store.clickhouse.insert({ table: 'otel_traces', values: [0, 1, 2, 3].map(span), format: 'JSONEachRow' })
  const before = await enforceDiskCap(store, Number.POSITIVE_INFINITY)
  expect(before.dropped).toEqual([])
  const slightly = await enforceDiskCap(store, before.bytes - 1)
  expect(slightly.dropped).toHaveLength(1)
  const all = await enforceDiskCap(store, 1)
  expect(all.isOverCap).toBe(true)
  const answer = await store.clickhouse.query({ query: 'SELECT TraceId FROM otel_traces', format: 'JSONEachRow' })
  expect(await answer.json()).toEqual([{ TraceId: 't0' }])
})
