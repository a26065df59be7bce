// A recording on the way of any sender's: OTLP to a collector, rows in ClickHouse, each arrived when it did then. Kept, so that a change of the analysis is scored without sending anew.

import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { createCollector, readCollectorSettings } from '@headwater/collector'
import { startEngines } from '@headwater/embedded'
import { connectStore, migrateClickHouse, migratePostgres, type Store } from '@headwater/store'
import { decodeRequest } from '../../otlp.ts'
import { beat } from '../beat.ts'
import { settlingVersion } from '../settling-version.ts'
import type { Recording } from './record.ts'
import { readRecorded, type Recorded } from './recorder.ts'

/** Raised when other rows would be made of the same recording. */
const version = '3'
const sentAtOnce = 512

/** A store that knows a recording and no incident yet. */
export interface Received extends AsyncDisposable {
  store: Store
}

/** Gives the recording in engines of its own; what is told there is gone with them. */
export async function receiveRecording(
  recording: Recording,
  { name, kept, progress }: { name: string; kept: string; progress: (line: string) => void },
): Promise<Received> {
  const current = `${name}-${await settlingVersion(`${version} ${recording.fromMs}`)}`
  await mkdir(kept, { recursive: true })
  for (const entry of await readdir(kept)) {
    if (entry.startsWith(`${name}-`) && entry !== current) await rm(join(kept, entry), { recursive: true, force: true })
  }
  const home = join(kept, current)
  const [received, replay, done] = [join(home, 'received'), join(home, 'replay'), join(home, 'done')]
  await rm(replay, { recursive: true, force: true })
  if (!existsSync(done)) {
    await rm(home, { recursive: true, force: true })
    await using engines = await openEngines(received)
    progress(`sends ${name} to a collector`)
    await receive(engines.store, recording, join(home, 'log'))
    await rm(join(home, 'log'), { recursive: true, force: true })
    // Written last, so that one that was interrupted is sent again.
    await writeFile(done, '')
  }
  await cp(received, replay, { recursive: true })
  await using cleanup = new AsyncDisposableStack()
  cleanup.defer(() => rm(replay, { recursive: true, force: true }))
  const { store } = cleanup.use(await openEngines(replay))
  const open = cleanup.move()
  return { store, [Symbol.asyncDispose]: () => open.disposeAsync() }
}

async function openEngines(dataDir: string): Promise<AsyncDisposable & { store: Store }> {
  await mkdir(dataDir, { recursive: true })
  await using cleanup = new AsyncDisposableStack()
  const engines = await startEngines({ dataDir })
  cleanup.defer(() => engines.stop())
  const store = connectStore(engines)
  cleanup.defer(() => store.close())
  await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])
  const open = cleanup.move()
  return { store, [Symbol.asyncDispose]: () => open.disposeAsync() }
}

async function receive(store: Store, recording: Recording, logDirectory: string): Promise<void> {
  // What is a few hours old is gone soon, and a recording may be older than a month.
  await keepAll(store)
  const settings = readCollectorSettings({ HEADWATER_OTLP_PORT: '0', HEADWATER_ACK: 'stored' })
  const collector = await createCollector({ store, logDirectory, settings, now: () => recording.toMs })
  const requests = readRecorded(recording.spansFile)
  const arrivals = new Map<string, number>()
  const lane = async (): Promise<void> => {
    for await (const request of requests) {
      for (const id of spanIdsOf(request)) if (!arrivals.has(id)) arrivals.set(id, request.atMs)
      await post(collector.app, request)
    }
  }
  try {
    await Promise.all(Array.from({ length: sentAtOnce }, lane))
    await collector.idle()
  } finally {
    await collector.close(5_000)
  }
  await arriveThen(store, arrivals)
  await beat(store, { fromMs: recording.fromMs, toMs: recording.toMs, collectorId: 'recorder' })
}

/** Which spans came with a request: 16 hex digits each. */
function spanIdsOf({ headers, body }: Recorded): string[] {
  const { resourceSpans } = decodeRequest(headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)
  const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
  return spans.map(({ spanId }) => Buffer.from(spanId).toString('hex'))
}

/** Settling goes by arrival, and each span arrives when it did in the recording. */
async function arriveThen(store: Store, arrivals: ReadonlyMap<string, number>): Promise<void> {
  const { clickhouse } = store
  const answer = await clickhouse.query({ query: 'SELECT currentDatabase() AS database', format: 'JSONEachRow' })
  const [{ database } = { database: 'default' }] = await answer.json<{ database: string }>()
  await clickhouse.command({
    query: 'CREATE TABLE recorded_arrivals (SpanId String, AtMs Int64) ENGINE = Join(ANY, LEFT, SpanId)',
  })
  await clickhouse.insert({
    table: 'recorded_arrivals',
    values: [...arrivals].map(([SpanId, AtMs]) => ({ SpanId, AtMs })),
    format: 'JSONEachRow',
  })
  await clickhouse.command({
    query: `ALTER TABLE otel_traces UPDATE ReceivedAt = fromUnixTimestamp64Milli(joinGet('${database}.recorded_arrivals', 'AtMs', SpanId)) WHERE 1`,
    clickhouse_settings: { mutations_sync: '1' },
  })
  await clickhouse.command({ query: 'DROP TABLE recorded_arrivals' })
  const stored = await clickhouse.query({
    query: 'SELECT uniqExact(SpanId) AS spans FROM otel_traces WHERE ReceivedAt > 0',
    format: 'JSONEachRow',
  })
  const [{ spans } = { spans: 0 }] = await stored.json<{ spans: number }>()
  if (spans !== arrivals.size) {
    throw new Error(`The collector stored ${spans} of ${arrivals.size} recorded spans: see what it rejected`)
  }
}

const retriesMax = 50

async function post(
  app: Awaited<ReturnType<typeof createCollector>>['app'],
  { path, headers, body }: Recorded,
): Promise<void> {
  for (let retry = 0; ; retry += 1) {
    const answer = await app.request(path, { method: 'POST', headers, body: new Uint8Array(body) })
    const told = await answer.text()
    if (answer.status === 200) return
    const isBusy = answer.status === 429 || answer.status === 503
    if (!isBusy || retry === retriesMax)
      throw new Error(`Cannot send to ${path}: ${answer.status} ${told.slice(0, 300)}`)
    await sleep(200)
  }
}

async function keepAll(store: Store): Promise<void> {
  const answer = await store.clickhouse.query({
    query: `SELECT name FROM system.tables WHERE database = currentDatabase() AND create_table_query LIKE '%TTL %'`,
    format: 'JSONEachRow',
  })
  for (const { name } of await answer.json<{ name: string }>()) {
    await store.clickhouse.command({ query: `ALTER TABLE ${name} REMOVE TTL` })
  }
}
