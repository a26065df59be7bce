// Every query of every dashboard is run on real rows, as Grafana's ClickHouse plugin would send it, and returns some.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { appendTrail, connectStore, insertLedger, migrateClickHouse, settleTick, type Store } from '@headwater/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { dashboards, fileOf } from './dashboards.ts'
import { type Choices, expand } from './test-macros.ts'
import { dashboardChecker } from './test-schema.ts'

const read = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8')

/** What Grafana and the plugin need of a file; the whole form is that of the SDK's types, which the code is checked by. */
const target = z.object({
  refId: z.string(),
  rawSql: z.string().min(1),
  format: z.union([z.literal(0), z.literal(1)]),
  editorType: z.literal('sql'),
  datasource: z.object({ type: z.literal('grafana-clickhouse-datasource'), uid: z.literal('headwater-clickhouse') }),
})
const grid = z.object({ x: z.int().min(0), y: z.int().min(0), w: z.int().min(1), h: z.int().min(1) })
const panel = z.object({
  type: z.enum(['stat', 'timeseries', 'table']),
  title: z.string().min(1),
  description: z.string().min(1),
  gridPos: grid,
  targets: z.array(target).min(1),
})
const dashboardForm = z.object({
  uid: z.string().regex(/^headwater-[a-z]+$/),
  title: z.string(),
  schemaVersion: z.int(),
  editable: z.literal(false),
  time: z.object({ from: z.string(), to: z.string() }),
  templating: z
    .object({ list: z.array(z.object({ name: z.string(), type: z.literal('query'), query: z.string() })).optional() })
    .optional(),
  panels: z.array(panel).min(4),
})

const files = readdirSync(join(import.meta.dirname, 'json'))
const parsed = files.map((file) => dashboardForm.parse(JSON.parse(read(`json/${file}`))))
const panels = parsed.flatMap((each) => each.panels.map((own) => ({ ...own, name: `${each.uid}: ${own.title}` })))
const variables = parsed.flatMap((each) => each.templating?.list ?? [])

const nowMs = Math.floor(Date.now() / 1_000) * 1_000
const range = { fromMs: nowMs - 3_600_000, toMs: nowMs, intervalS: 60 }
const hostile = "it's; DROP TABLE otel_traces --"

let engines: TestEngines
let store: Store

interface Answer {
  meta: { name: string; type: string }[]
  data: unknown[][]
}

async function ask(sql: string, choices?: Choices): Promise<Answer> {
  const result = await store.clickhouse.query({
    query: expand(sql, range, choices),
    format: 'JSONCompact',
    // As the reader of `reader.sql` may.
    clickhouse_settings: { readonly: '1' },
  })
  return (await result.json<unknown[]>()) as unknown as Answer
}

function span({
  at,
  trace,
  id,
  parent = '',
  service,
  name,
  kind = 'Server',
  failed = false,
}: {
  at: number
  trace: string
  id: string
  parent?: string
  service: string
  name: string
  kind?: string
  failed?: boolean
}) {
  return {
    Timestamp: `${at / 1_000}`,
    TraceId: trace.repeat(32),
    SpanId: id.repeat(16),
    ParentSpanId: parent.repeat(16),
    SpanName: name,
    SpanKind: kind,
    ServiceName: service,
    ResourceAttributes: {
      'service.name': service,
      'service.version': '1.2.0',
      'host.name': 'h1',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': '2.12.0',
    },
    SpanAttributes: { 'flow.name': 'POST /checkout', 'user.id': 'ada', ...(failed && { 'error.type': 'TypeError' }) },
    Duration: 20_000_000,
    StatusCode: failed ? 'Error' : 'Unset',
    StatusMessage: failed ? 'boom' : '',
    ReceivedAt: `${(at + 1_500) / 1_000}`,
    DroppedAttributes: 2,
  }
}

beforeAll(async () => {
  engines = await startTestEngines()
  await migrateClickHouse(engines.clickhouseUrl)
  store = connectStore(engines)
  const at = nowMs - 600_000
  const calls = (trace: string, failed: boolean) => [
    span({ at, trace, id: '1', service: hostile, name: 'POST /checkout', failed }),
    span({ at: at + 2, trace, id: '2', parent: '1', service: hostile, name: 'POST', kind: 'Client', failed }),
    span({ at: at + 4, trace, id: '3', parent: '2', service: 'payment', name: 'POST /pay', failed }),
  ]
  await store.clickhouse.insert({
    table: 'otel_traces',
    values: [...calls('a', true), ...calls('b', false)],
    format: 'JSONEachRow',
  })
  const rules = { quietMs: 5_000, openMs: 30_000, closeAfterS: 60 }
  await settleTick(store, { tick: 1, fromMs: at - 60_000, toMs: at + 60_000 }, rules)
  const booked = { Time: String(Math.floor(at / 1_000)), Collector: 'c1', Batch: 'b1', Key: 'shop', Signal: 'traces' }
  await insertLedger(store, {
    rows: [
      { ...booked, Outcome: 'received', Reason: '', Records: 7 },
      { ...booked, Outcome: 'stored', Reason: '', Records: 6 },
      { ...booked, Outcome: 'rejected', Reason: 'no trace ID', Records: 1 },
    ],
    token: 't',
    timeoutMs: 10_000,
  })
  await store.clickhouse.insert({
    table: 'collector_heartbeats',
    values: [{ At: `${(nowMs - 10_000) / 1_000}`, Collector: 'c1', SpansReceived: 7 }],
    format: 'JSONEachRow',
  })
  const cause = {
    service: 'payment',
    operation: 'POST /pay',
    kind: 'errors',
    score: 0.9,
    evidence: [],
    path: [],
  } as const
  const since = new Date(at).toISOString()
  const open: Parameters<typeof appendTrail>[1] = {
    id: 'i1',
    state: 'open',
    title: 'payment fails',
    since,
    openedAt: since,
    updatedAt: since,
    resolvedAt: null,
    resolvedBy: null,
    mergedInto: null,
    reopenings: 0,
    reopened: [],
    causes: [{ ...cause, evidence: [], path: [] }],
    impact: {
      services: ['payment'],
      flows: [{ name: 'POST /checkout', runsAffected: 1, runs: 2, share: 0.5, low: 0.1, high: 0.9 }],
      users: { affected: 1, seen: 1, share: 1, low: 0.2, high: 1 },
      atRisk: [],
      since,
    },
    confidence: 0.8,
    noCauseReason: null,
    anomalies: [
      {
        service: 'payment',
        operation: 'POST /pay',
        signal: 'errors',
        since,
        expected: 0,
        seen: 0.5,
        unit: 'share',
        pValue: 1e-9,
        calls: 2,
        baselineCalls: 100,
        minimumDetectable: null,
        query: null,
      },
    ],
    changes: [],
    acknowledged: null,
    comments: [],
    verdict: null,
  }
  await appendTrail(store, open, { at: since })
  const later = new Date(at + 120_000).toISOString()
  await appendTrail(store, { ...open, id: 'i2', title: 'math was slow', anomalies: [] }, { at: since })
  await appendTrail(store, { ...open, id: 'i2', state: 'resolved', resolvedAt: later, anomalies: [] }, { at: later })
})
afterAll(async () => {
  await store?.close()
  await engines?.stop()
})

test('the files are those that the code makes: npm run build --workspace=@headwater/grafana', () => {
  expect(files.toSorted()).toEqual(
    Object.keys(dashboards)
      .map((name) => `${name}.json`)
      .toSorted(),
  )
  for (const [name, dashboard] of Object.entries(dashboards)) {
    expect(read(`json/${name}.json`)).toBe(fileOf(dashboard))
  }
})

test("the files are of Grafana's schema", () => {
  const check = dashboardChecker()
  const open = z.looseObject({ panels: z.array(z.looseObject({})) })
  for (const file of files) {
    const dashboard = open.parse(JSON.parse(read(`json/${file}`)))
    expect(check(dashboard)).toEqual([])
    expect(check({ ...dashboard, titel: 'x' })).not.toEqual([])
    expect(check({ ...dashboard, panels: [{ ...dashboard.panels[0], gridPos: { w: 'wide' } }] })).not.toEqual([])
  }
})

test('panels fill rows of 24 columns and lie on nothing', () => {
  for (const { panels: own } of parsed) {
    const taken = new Set<string>()
    for (const { gridPos } of own) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x},${y}`)).toBe(false)
          taken.add(`${x},${y}`)
        }
      }
    }
  }
})

const queriesOf = (type: string) =>
  panels
    .filter((each) => each.type === type)
    .flatMap(({ name, targets }) => targets.map(({ rawSql, format }) => ({ name, rawSql, format })))

describe('every query returns rows', () => {
  test.each(queriesOf('stat'))('$name: one number', async ({ rawSql, format }) => {
    const { data } = await ask(rawSql)
    expect([format, data.length, typeof data[0]?.[0]]).toEqual([1, 1, 'number'])
  })

  test.each(queriesOf('timeseries'))('$name: a time, a name where there are several, a number', async (query) => {
    const { meta, data } = await ask(query.rawSql)
    expect(query.format).toBe(0)
    expect(meta[0]).toMatchObject({ name: 'time', type: expect.stringMatching(/^DateTime/) })
    expect(meta.slice(1, -1).filter(({ type }) => !type.includes('String'))).toEqual([])
    expect(meta.at(-1)?.type).toMatch(/^(UInt|Int|Float)/)
    expect(data.some((row) => Number(row.at(-1)) > 0)).toBe(true)
  })

  test.each(queriesOf('table'))('$name: rows', async ({ rawSql, format }) => {
    const { data } = await ask(rawSql)
    expect(format).toBe(1)
    expect(data.length).toBeGreaterThan(0)
  })

  test.each(variables)('what is offered as $name can be chosen, whatever it is called', async ({ name, query }) => {
    const { meta, data } = await ask(query)
    expect(meta).toHaveLength(1)
    const offered = data.map(([value]) => String(value))
    expect(offered.length).toBeGreaterThan(0)
    const asking = panels.filter(({ targets }) => targets[0]?.rawSql.includes(`\${${name}:singlequote}`))
    expect(asking.length).toBeGreaterThan(5)
    for (const { title, targets } of asking) {
      const sql = targets[0]?.rawSql ?? ''
      const [found, none] = await Promise.all([ask(sql, { [name]: offered }), ask(sql, { [name]: ['nobody'] })])
      expect([title, found.data.length > 0]).toEqual([title, true])
      expect([title, none.data.flat().filter((value) => typeof value === 'number' && value > 0)]).toEqual([title, []])
    }
  })
})

test('figures are right', async () => {
  const figureOf = async (uid: string, title: string) => {
    const own = parsed.find((each) => each.uid === uid)?.panels.find((each) => each.title === title)
    return (await ask(own?.targets[0]?.rawSql ?? '')).data[0]?.[0]
  }
  expect(await figureOf('headwater-services', 'Failing')).toBe(0.5)
  expect(await figureOf('headwater-services', '95 % take at most')).toBeCloseTo(20, -0.5)
  expect(await figureOf('headwater-flows', 'Failed')).toBe(0.5)
  expect(await figureOf('headwater-flows', 'Users hit')).toBe(1)
  expect(await figureOf('headwater-incidents', 'Open')).toBe(1)
  expect(await figureOf('headwater-incidents', 'Resolved after')).toBe(120)
  expect(await figureOf('headwater-ingest', 'Rejected')).toBe(1)
  expect(await figureOf('headwater-agents', 'Dropped by senders')).toBe(12)
})
