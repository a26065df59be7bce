// A check that cannot fail is no check: each kind of loss and double count is made once, and the verdict has to tell of it.

import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { connectStore, migrateClickHouse, settleTick, type Store } from '@headwater/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readCollectorSettings, startCollector } from '../index.ts'
import { booksOf, imbalances, readBooks, readMetrics } from './test-books.ts'
import { countRows, readTables } from './test-facts.ts'
import { send, type Sent } from './test-senders.ts'
import { callsOf, Traffic } from './test-traffic.ts'
import { type Facts, judge, judgeBooks, type Verdict } from './test-verdict.ts'

let engines: TestEngines
let store: Store
const logDirectory = mkdtempSync(join(tmpdir(), 'headwater-verdict-'))
const traffic = new Traffic()
const sent: Sent[] = []
let metricsText: string

beforeAll(async () => {
  engines = await startTestEngines()
  await migrateClickHouse(engines.clickhouseUrl)
  store = connectStore(engines)
  const settings = readCollectorSettings({ HEADWATER_OTLP_PORT: '0' })
  const collector = await startCollector({ store, settings, logDirectory, log: () => undefined })
  const agent = new Agent({ keepAlive: true })
  const options = { agent, giveUpAtMs: () => Infinity }
  const requests = [...[1, 4, 20, 150].map((spans) => traffic.request(spans)), ...traffic.requestsApart(3)]
  for (const request of requests) sent.push(await send(collector.url, request, options))
  await collector.idle()
  metricsText = await readMetrics(collector.url)
  agent.destroy()
  await collector.stop()
  const toMs = Date.now() + 1_000
  await settleTick(store, { tick: 1, fromMs: toMs - 60_000, toMs }, { quietMs: 0, openMs: 0, closeAfterS: 60 })
})

afterAll(async () => {
  await store?.close()
  await engines?.stop()
  rmSync(logDirectory, { recursive: true })
})

/** What the API answers when all is right. */
function answersOf(all: readonly Sent[]): Pick<Facts, 'services' | 'shown'> {
  const spans = all.flatMap(({ request }) => request.spans)
  const byTrace = Map.groupBy(spans, (span) => span.traceId)
  const shown = new Map([...byTrace].map(([traceId, of]) => [traceId, of.map(({ spanId }) => spanId)]))
  return { services: callsOf(spans).entries, shown }
}

async function verdictOf(answers = answersOf(sent)): Promise<Verdict> {
  return judge(sent, { ...(await readTables(store, traffic.name)), ...answers })
}

async function change(query: string): Promise<void> {
  const clickhouse_settings = { mutations_sync: '2', insert_deduplicate: 0 } as const
  await store.clickhouse.command({ query, query_params: { traffic: traffic.name }, clickhouse_settings })
}

const ofTraffic = 'startsWith(TraceId, {traffic:String})'
const ofServices = 'position(Service, {traffic:String}) > 0'

test('what is stored, settled and counted once has nothing against it', async () => {
  const spans = sent.flatMap(({ request }) => request.spans).length
  expect(await verdictOf()).toEqual({
    requests: 6,
    acknowledged: spans,
    rejected: 0,
    lost: 0,
    twice: 0,
    copies: 0,
    complaints: [],
  })
  expect(judgeBooks(await readBooks(store), await countRows(store))).toEqual([])
  expect(imbalances(booksOf(metricsText))).toEqual([])
  expect([...booksOf(metricsText).values()]).toEqual([expect.objectContaining({ received: spans, stored: spans })])
})

test('the API may not show a span twice, leave one out, or tell of more calls than were made', async () => {
  const { services, shown } = answersOf(sent)
  const [traceId, spanIds] = [...shown].find(([, of]) => of.length > 1) ?? ['', []]
  const twice = await verdictOf({
    services,
    shown: new Map([...shown, [traceId, [...spanIds, ...spanIds.slice(0, 1)]]]),
  })
  expect(twice).toMatchObject({ twice: 1, complaints: [expect.stringContaining('the API shows')] })
  const less = await verdictOf({ services, shown: new Map([...shown, [traceId, spanIds.slice(1)]]) })
  expect(less.complaints).toEqual([expect.stringContaining('the API shows')])
  const [service, calls] = [...services][0] ?? ['', 0]
  const more = await verdictOf({ services: new Map([...services, [service, calls + 1]]), shown })
  expect(more).toMatchObject({ twice: 1, complaints: [expect.stringContaining('the API tells of')] })
})

test('a request that was refused for good or never answered is told', async () => {
  const [first, second] = sent
  if (first === undefined || second === undefined) throw new Error('Nothing was sent')
  const tables = await readTables(store, traffic.name)
  const refused: Sent = { ...first, outcome: { kind: 'refused', status: 400, message: 'bad' } }
  const open: Sent = { ...second, outcome: { kind: 'unknown' } }
  const { complaints } = judge([refused, open, ...sent.slice(2)], { ...tables, ...answersOf(sent) })
  expect(complaints).toEqual([
    expect.stringContaining('refused for good: 400 bad'),
    expect.stringContaining('never answered'),
  ])
  const rejected: Sent = { ...first, outcome: { kind: 'acknowledged', rejected: 1 } }
  const stored = judge([rejected, ...sent.slice(1)], { ...tables, ...answersOf(sent) })
  expect(stored.complaints).toEqual([expect.stringContaining('called rejected')])
})

test.each([
  [
    'chain_health_metrics',
    `INSERT INTO chain_health_metrics SELECT * FROM chain_health_metrics WHERE ${ofServices} LIMIT 1`,
    'minutes:',
  ],
  [
    'chain_health_metrics_10s',
    `INSERT INTO chain_health_metrics_10s SELECT * FROM chain_health_metrics_10s WHERE ${ofServices} LIMIT 1`,
    'tenSeconds:',
  ],
  [
    'chain_dependency_events',
    `INSERT INTO chain_dependency_events SELECT * REPLACE (concat(SpanId, '2') AS SpanId) FROM chain_dependency_events WHERE ${ofTraffic} LIMIT 1`,
    'rows of them',
  ],
  [
    'chain_execution_traces',
    `INSERT INTO chain_execution_traces SELECT * REPLACE (Spans + 1 AS Spans, Tick + 1 AS Tick) FROM chain_execution_traces WHERE ${ofTraffic} LIMIT 1`,
    'rows of runs',
  ],
])('a double count in %s is told', async (_, query, complaint) => {
  const before = await verdictOf()
  await change(query)
  const after = await verdictOf()
  expect(after.twice).toBeGreaterThan(before.twice)
  expect(after.complaints).toEqual(expect.arrayContaining([expect.stringContaining(complaint)]))
})

test('a row that came twice is allowed where the ledger tells of it, and nowhere else', async () => {
  await change(`INSERT INTO otel_traces SELECT * FROM otel_traces WHERE ${ofTraffic} LIMIT 1`)
  expect((await verdictOf()).copies).toBe(1)
  const complaints = judgeBooks(await readBooks(store), await countRows(store))
  expect(complaints).toEqual([expect.stringContaining('rows are there')])
})

test('an acknowledged span that is not there is lost, but for those that the ledger calls so', async () => {
  const [spanId] = sent.flatMap(({ request }) => request.spans.map((span) => span.spanId)).slice(-1)
  await change(`ALTER TABLE otel_traces DELETE WHERE SpanId = '${spanId}'`)
  const tables = await readTables(store, traffic.name)
  const verdict = judge(sent, { ...tables, ...answersOf(sent) })
  expect(verdict.lost).toBe(1)
  expect(verdict.complaints).toContainEqual(expect.stringContaining('1 acknowledged spans are missing'))
  const known = judge(sent, { ...tables, ...answersOf(sent) }, { lostByLedger: 1 })
  expect(known.complaints).not.toContainEqual(expect.stringContaining('acknowledged spans are missing'))
  const wrong = judge(sent, { ...tables, ...answersOf(sent) }, { lostByLedger: 2 })
  expect(wrong.complaints).toContainEqual(expect.stringContaining('the ledger says 2'))
})

test('books that do not add up are told, in ClickHouse and in the metrics', async () => {
  await change(
    `INSERT INTO collector_ledger SELECT * REPLACE (concat(Batch, '2') AS Batch) FROM collector_ledger WHERE Outcome = 'received' LIMIT 1`,
  )
  expect(imbalances(await readBooks(store))).toEqual([
    expect.stringMatching(/^traces of ".*": \d+ received, \d+ explained/),
  ])
  const less = metricsText.replace(
    /(outcome="stored".*\} )(\d+)/,
    (_, labels: string, value: string) => labels + (Number(value) - 1),
  )
  expect(less).not.toBe(metricsText)
  expect(imbalances(booksOf(less))).toEqual([expect.stringContaining('received')])
})
