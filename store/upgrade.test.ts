import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectStore, type Store } from './connect.ts'
import { migrateClickHouse } from './migrate.ts'
import { schemaDifferences } from './schema-check.ts'

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

const ownFlow = 'a'.repeat(32)
const otherFlow = 'b'.repeat(32)

/** A span as the OpenTelemetry Collector's exporter writes it: none of our columns. */
const exported = (SpanId: string, attributes: Record<string, string>) => ({
  Timestamp: `${Math.floor(Date.now() / 1_000)}.000000001`,
  TraceId: ownFlow,
  SpanId,
  SpanName: 'GET /',
  ServiceName: 'shop',
  TraceState: 'ot=th:8',
  ResourceAttributes: { 'service.namespace': 'eu', 'deployment.environment': 'live', 'host.name': 'vm' },
  SpanAttributes: { 'enduser.id': 'ann', 'server.address': 'db', 'server.port': '5432', ...attributes },
})

const read = async () => {
  const answer = await store.clickhouse.query({
    query: `SELECT SpanId, FlowId, UserId, PeerAddress, Service, Instance, Weight FROM otel_traces ORDER BY SpanId`,
    format: 'JSONEachRow',
  })
  return await answer.json()
}

const readAs = (SpanId: string, FlowId: string) => ({
  SpanId,
  FlowId,
  UserId: 'ann',
  PeerAddress: 'db:5432',
  Service: 'eu/shop@live',
  Instance: 'vm',
  Weight: 2,
})

test('spans of before an upgrade, and of other writers after it, read as they did', async () => {
  const first = await mkdtemp(join(tmpdir(), 'headwater-first-'))
  try {
    for (const name of ['001_otel_traces.sql', '002_settle.sql', '003_facts.sql']) {
      await copyFile(new URL(`schema/clickhouse/${name}`, import.meta.url), join(first, name))
    }
    await migrateClickHouse(engines.clickhouseUrl, pathToFileURL(`${first}/`))
  } finally {
    await rm(first, { recursive: true })
  }
  const insert = (values: object[]) => store.clickhouse.insert({ table: 'otel_traces', values, format: 'JSONEachRow' })
  await insert([exported('1', {}), exported('2', { 'flow.id': otherFlow }), exported('3', { 'flow.id': ownFlow })])
  const before = [readAs('1', ownFlow), readAs('2', otherFlow), readAs('3', ownFlow)]
  expect(await read()).toEqual(before)

  expect((await migrateClickHouse(engines.clickhouseUrl)).applied).toEqual(['004_ingest.sql'])
  expect(await schemaDifferences(store)).toEqual([])
  expect(await read()).toEqual(before)

  await insert([exported('4', {}), exported('5', { 'flow.id': otherFlow }), exported('6', { 'flow.id': 'none' })])
  const all = [...before, readAs('4', ownFlow), readAs('5', otherFlow), readAs('6', ownFlow)]
  expect(await read()).toEqual(all)
  // A merge fills the new columns of old parts.
  await store.clickhouse.command({ query: 'OPTIMIZE TABLE otel_traces FINAL' })
  expect(await read()).toEqual(all)
})

test('a filter by flow is served by its index', async () => {
  const answer = await store.clickhouse.query({
    query: `EXPLAIN indexes = 1 SELECT SpanId FROM otel_traces WHERE FlowId = 'elsewhere'`,
    format: 'TabSeparated',
  })
  expect(await answer.text()).toMatch(/idx_flow_id[\s\S]*Granules: 0\/1/)
})
