import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from 'kysely'
import { connectStore, type Store } from './connect.ts'
import { readOpenIncidents } from './incidents.ts'
import { migrateClickHouse, migratePostgres } from './migrate.ts'
import { readIncident, readIncidents } from './queries/incidents.ts'
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

  const { applied } = await migrateClickHouse(engines.clickhouseUrl)
  expect(applied).toEqual(['004_ingest.sql', '005_incidents.sql', '006_refused.sql'])
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

test('an incident of before an upgrade reads on: what was not told then is unknown, and intervals follow from its counts', async () => {
  const first = await mkdtemp(join(tmpdir(), 'headwater-first-'))
  try {
    await copyFile(new URL('schema/postgres/001_state.sql', import.meta.url), join(first, '001_state.sql'))
    await migratePostgres(store.postgres, pathToFileURL(`${first}/`))
  } finally {
    await rm(first, { recursive: true })
  }
  const at = '2026-11-20T12:00:00.000Z'
  const evidence = { signal: 'errors', sentence: '52 % fail', expected: 0, seen: 0.52, unit: 'share', pValue: 1e-9 }
  const cause = { service: 'math', operation: 'GET /', kind: 'errors', score: 1, evidence: [evidence], path: [] }
  const anomaly = { service: 'math', operation: 'GET /', ...evidence, since: at, calls: 40, baselineCalls: 900 }
  const impact = {
    services: ['math'],
    flows: [{ name: 'GET /', runsAffected: 8, runs: 10, share: 0.8 }],
    users: { affected: 0, seen: 0, share: 0 },
    since: at,
  }
  await sql`INSERT INTO incidents (id, state, title, since, opened_at, updated_at, quiet_steps, scope, anomalies, causes, impact, epoch)
    VALUES ('old', 'open', 'math fails', ${at}, ${at}, ${at}, 1, '["math"]', ${JSON.stringify([anomaly])}::jsonb,
      ${JSON.stringify([cause])}::jsonb, ${JSON.stringify(impact)}::jsonb, 1)`.execute(store.postgres)

  expect((await migratePostgres(store.postgres)).applied).toContain('002_people.sql')
  const old = await readIncident(store, 'old')
  expect(old).toEqual({
    id: 'old',
    state: 'open',
    title: 'math fails',
    since: at,
    openedAt: at,
    updatedAt: at,
    resolvedAt: null,
    resolvedBy: null,
    mergedInto: null,
    reopenings: 0,
    reopened: [],
    causes: [{ ...cause, evidence: [{ ...evidence, query: null }] }],
    confidence: 0,
    noCauseReason: null,
    impact: {
      ...impact,
      flows: [{ name: 'GET /', runsAffected: 8, runs: 10, share: 0.8, low: 0.49, high: 0.943 }],
      users: { affected: 0, seen: 0, share: 0, low: 0, high: 1 },
      atRisk: [],
    },
    anomalies: [{ ...anomaly, minimumDetectable: null, query: null }],
    changes: [],
    acknowledged: null,
    comments: [],
    verdict: null,
  })
  expect((await readIncidents(store, { state: 'open', limit: 10 })).items).toEqual([old])
  expect(await readOpenIncidents(store)).toMatchObject([{ id: 'old', scope: ['math'], quietSteps: 1, isClosed: false }])
})
