// Public traces on the way that any sender's take: OTLP to the collector's app, rows in ClickHouse, settled by the analyzer's
// own ticks, explained by its own entry point. What was sent and settled once is kept, so that a run that was stopped goes on
// and a change of the analysis is scored within a minute.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { explainRange, settleRules, type RangeExplanation } from '@headwater/analyzer'
import { createCollector } from '@headwater/collector'
import { startEngines } from '@headwater/embedded'
import {
  beginTick,
  connectStore,
  finishTick,
  migrateClickHouse,
  migratePostgres,
  settleTick,
  type Store,
  takeLease,
  type TimeRange,
} from '@headwater/store'
import { settlingVersion } from './settling-version.ts'

/** A span as it is sent. Times in whole nanoseconds since 1970. */
export interface SentSpan {
  traceId: string
  spanId: string
  parentSpanId: string
  service: string
  /** Which of its instances. */
  instance?: string
  name: string
  kind: 'internal' | 'server' | 'client'
  startNs: bigint
  durationNs: bigint
  attributes?: Record<string, string | number>
  isFailed?: boolean
}

/** A log record as it is sent, of a span. */
export interface SentLog {
  traceId: string
  spanId: string
  service: string
  timeNs: bigint
  severity: 'INFO' | 'WARN' | 'ERROR'
  body: string
  /** Where in the code it was written. */
  scope: string
  line: number
}

/** Telemetry of some time of a system. */
export interface Telemetry {
  spans: SentSpan[]
  logs?: SentLog[]
}

/** A stretch of a set's time. */
export interface Stretch {
  name: string
  durationMs: number
  /** Gives its telemetry, moved so that the stretch begins at `beginMs`: the collector takes nothing that is older than a month. */
  load: (beginMs: number) => Promise<Telemetry>
}

/** The product, with all stretches of a set in its store, one after the other. */
export interface Product extends AsyncDisposable {
  /** Explains one stretch, with other ones as normal. */
  explain(stretch: string, normal: readonly string[]): Promise<RangeExplanation>
}

const spansPerRequest = 2_000
const sentAtOnce = 4
const minuteMs = 60_000
/** Between two stretches: what reaches beyond the end of one does not fall into the next. */
const gapMs = 5 * minuteMs
/** A layout is used again for so long; a month is what the store keeps. */
const layoutForMs = 20 * 24 * 60 * minuteMs

/**
 * Starts the product on engines of its own, and sends what they do not have yet. `version` names what is sent: another one
 * begins anew, as does any change of how spans are settled.
 */
export async function openProduct({
  folder,
  set,
  version,
  stretches,
  progress,
}: {
  folder: string
  set: string
  version: string
  stretches: readonly Stretch[]
  progress: (line: string) => void
}): Promise<Product> {
  const name = `${set}-${await settlingVersion(version)}`
  const home = join(folder, name)
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(`${set}-`)) continue
    const ageMs = Date.now() - (await stat(join(folder, entry))).birthtimeMs
    if (entry !== name || ageMs > layoutForMs) await rm(join(folder, entry), { recursive: true, force: true })
  }
  await mkdir(home, { recursive: true })
  await using cleanup = new AsyncDisposableStack()
  const engines = await startEngines({ dataDir: home })
  cleanup.defer(() => engines.stop())
  const store = connectStore(engines)
  cleanup.defer(() => store.close())
  await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])
  const ranges = await layOut(home, stretches)
  await receive(store, { home, stretches, ranges, progress })
  const kept = cleanup.move()
  const whole = { fromMs: Math.min(...[...ranges.values()].map(({ fromMs }) => fromMs)), toMs: Date.now() }
  return {
    async explain(stretch, normal) {
      const recent = rangeOf(ranges, stretch)
      const excluded = [...ranges].filter(([other]) => !normal.includes(other)).map(([, range]) => range)
      return await explainRange(store, { recent, baseline: whole, excluded })
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** Where each stretch lies in the product's time: ending now, in the order in which they are given. */
async function layOut(home: string, stretches: readonly Stretch[]): Promise<Map<string, TimeRange>> {
  const lengths = stretches.map(({ durationMs }) => Math.ceil(durationMs / minuteMs) * minuteMs)
  const file = join(home, 'begin.json')
  if (!existsSync(file)) {
    const wholeMs = lengths.reduce((sum, ms) => sum + ms + gapMs, 0)
    await writeFile(file, JSON.stringify(Math.floor((Date.now() - wholeMs) / minuteMs) * minuteMs))
  }
  let atMs = Number(await readFile(file, 'utf8'))
  return new Map(
    stretches.map(({ name }, index) => {
      const range = { fromMs: atMs, toMs: atMs + (lengths[index] ?? 0) }
      atMs = range.toMs + gapMs
      return [name, range]
    }),
  )
}

function rangeOf(ranges: ReadonlyMap<string, TimeRange>, stretch: string): TimeRange {
  const range = ranges.get(stretch)
  if (range === undefined) throw new Error(`There is no stretch "${stretch}"`)
  return range
}

async function receive(
  store: Store,
  {
    home,
    stretches,
    ranges,
    progress,
  }: {
    home: string
    stretches: readonly Stretch[]
    ranges: ReadonlyMap<string, TimeRange>
    progress: (line: string) => void
  },
): Promise<void> {
  const sentFile = join(home, 'sent.json')
  const sent = new Set(existsSync(sentFile) ? (JSON.parse(await readFile(sentFile, 'utf8')) as string[]) : [])
  const missing = stretches.filter((stretch) => !sent.has(stretch.name))
  if (missing.length === 0) return
  await using cleanup = new AsyncDisposableStack()
  const collector = await createCollector({
    store,
    settings: {
      port: 0,
      host: '127.0.0.1',
      corsOrigins: [],
      acknowledgement: 'stored',
      logBytesMax: 256e6,
      access: {},
      sampling: {},
    },
    logDirectory: join(home, 'log'),
  })
  cleanup.defer(() => collector.close(5_000))
  for (const [index, stretch] of missing.entries()) {
    const { spans, logs = [] } = await stretch.load(rangeOf(ranges, stretch.name).fromMs)
    // Logs go first: a trace settles with those that came before it.
    await post(collector.app, '/v1/logs', batches(logs).map(logsRequest))
    await post(collector.app, '/v1/traces', batches(spans).map(tracesRequest))
    sent.add(stretch.name)
    if (index % 10 === 9 || index === missing.length - 1) {
      progress(`sent ${sent.size} of ${stretches.length} stretches`)
      await settleAll(store)
      await writeFile(sentFile, JSON.stringify([...sent]))
    }
  }
}

async function post(
  app: Awaited<ReturnType<typeof createCollector>>['app'],
  path: string,
  requests: readonly object[],
): Promise<void> {
  const waiting = [...requests]
  const lane = async (): Promise<void> => {
    for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
      const answer = await app.request(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
      })
      const text = await answer.text()
      if (answer.status !== 200 || text.includes('rejected')) {
        throw new Error(`Cannot send to ${path}: ${answer.status} ${text.slice(0, 300)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: sentAtOnce }, lane))
}

/** Ticks until all that was received is settled. */
export async function settleAll(store: Store): Promise<void> {
  const receivedMs = Date.now()
  const holder = randomUUID()
  for (;;) {
    const lease = await takeLease(store.postgres, { holder, ttlMs: 600_000 })
    const tick = lease && (await beginTick(store, lease, settleRules))
    if (lease === undefined || tick === undefined) {
      await sleep(500)
      continue
    }
    await finishTick(store.postgres, lease, tick, await settleTick(store, tick, settleRules))
    if (tick.toMs > receivedMs + settleRules.quietMs + 1_000) {
      // The next one, in another process perhaps, need not wait for this lease.
      await store.postgres
        .updateTable('leases')
        .set({ expires_at: new Date(0) })
        .execute()
      return
    }
    if (tick.isCutShort !== true) await sleep(500)
  }
}

function batches<T>(records: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(records.length / spansPerRequest) }, (_, index) =>
    records.slice(index * spansPerRequest, (index + 1) * spansPerRequest),
  )
}

const kinds = { internal: 1, server: 2, client: 3 } as const
const severities = { INFO: 9, WARN: 13, ERROR: 17 } as const

function tracesRequest(spans: readonly SentSpan[]): object {
  const ofResource = Map.groupBy(spans, ({ service, instance = '' }) => `${service}\u0000${instance}`)
  return {
    resourceSpans: [...ofResource].map(([resource, own]) => ({
      resource: resourceOf(resource),
      scopeSpans: [
        {
          spans: own.map((span) => ({
            traceId: span.traceId,
            spanId: span.spanId,
            ...(span.parentSpanId === '' ? {} : { parentSpanId: span.parentSpanId }),
            name: span.name,
            kind: kinds[span.kind],
            startTimeUnixNano: String(span.startNs),
            endTimeUnixNano: String(span.startNs + span.durationNs),
            attributes: Object.entries(span.attributes ?? {}).map(([key, value]) => ({ key, value: anyValue(value) })),
            ...(span.isFailed === true ? { status: { code: 2 } } : {}),
          })),
        },
      ],
    })),
  }
}

function logsRequest(logs: readonly SentLog[]): object {
  const ofService = Map.groupBy(logs, ({ service }) => service)
  return {
    resourceLogs: [...ofService].map(([service, own]) => ({
      resource: resourceOf(`${service}\u0000`),
      scopeLogs: [...Map.groupBy(own, ({ scope }) => scope)].map(([scope, written]) => ({
        scope: { name: scope },
        logRecords: written.map(({ traceId, spanId, timeNs, severity, body, line }) => ({
          timeUnixNano: String(timeNs),
          observedTimeUnixNano: String(timeNs),
          traceId,
          spanId,
          severityNumber: severities[severity],
          severityText: severity,
          body: { stringValue: body },
          attributes: [{ key: 'code.line.number', value: anyValue(line) }],
        })),
      })),
    })),
  }
}

function resourceOf(resource: string): object {
  const [service = '', instance = ''] = resource.split('\u0000')
  return {
    attributes: [
      { key: 'service.name', value: { stringValue: service } },
      ...(instance === '' ? [] : [{ key: 'service.instance.id', value: { stringValue: instance } }]),
    ],
  }
}

function anyValue(value: string | number): object {
  return typeof value === 'number' ? { intValue: String(value) } : { stringValue: value }
}
