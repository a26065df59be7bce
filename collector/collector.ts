import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import type { SpanInsert, Store } from '@headwater/store'
import { createAdaptorServer } from '@hono/node-server'
import { type AppOptions, createApp } from './app.ts'
import { startHeartbeat } from './heartbeat.ts'
import { InFlightBytes } from './in-flight-bytes.ts'
import { type BatchLimits, InsertBatcher } from './insert-batcher.ts'
import { type CollectorMetrics, createCollectorMetrics } from './metrics.ts'
import type { CollectorSettings } from './settings.ts'
import { createSpanWriter, type WriteRows } from './span-writer.ts'

export interface CollectorOptions {
  store: Store
  settings: CollectorSettings
  /** Spans that are older are rejected: ClickHouse would drop them. */
  retentionDays?: number
  /** Milliseconds since 1970. */
  now?: () => number
  log?: (line: string) => void
  limits?: Partial<CollectorLimits>
}

export interface CollectorLimits extends BatchLimits {
  /** Memory of all requests between their first byte and their answer; one of the largest fits. */
  inFlightBytesMax: number
}

/** A collector that listens. */
export interface Collector {
  /** Base URL for OTLP/HTTP, such as `http://127.0.0.1:4318`. */
  url: string
  port: number
  metrics: CollectorMetrics
  /** Takes nothing new, answers what is in flight within four seconds, then returns. */
  stop(): Promise<void>
}

const defaultLimits: CollectorLimits = {
  batchRowsMax: 5_000,
  flushAfterMs: 50,
  queueRowsMax: 100_000,
  insertsMax: 2,
  inFlightBytesMax: 640 * 1024 * 1024,
}

const heartbeatEveryMs = 5_000
const stopWithinMs = 4_000
/** A body that comes slower than this holds memory for nothing. */
const requestTimeoutMs = 30_000

/** The collector without its server: routes, queue and ledger. Tests send requests straight to `app`. */
export function createCollector(options: CollectorOptions) {
  const { store, settings, retentionDays = 30, now = Date.now, log = console.error, limits } = options
  const { inFlightBytesMax, ...batchLimits } = { ...defaultLimits, ...limits }
  const metrics = createCollectorMetrics()
  const write = watched(createSpanWriter(store), metrics, log)
  const batcher = new InsertBatcher<SpanInsert>(write, batchLimits)
  const inFlight = new InFlightBytes({
    bytesMax: inFlightBytesMax,
    onChange: (bytes) => metrics.set('headwater_otlp_in_flight_bytes', bytes),
  })
  let stopping = false
  const appOptions: AppOptions = {
    batcher,
    inFlight,
    metrics,
    corsOrigins: settings.corsOrigins,
    retentionDays,
    nowMs: now,
    isStopping: () => stopping,
    log,
  }
  return {
    app: createApp(appOptions),
    metrics,
    /** Takes nothing new, and lets nothing wait for company. */
    drain: () => {
      stopping = true
      batcher.drain()
    },
  }
}

/** Starts to listen; the store's engines may be away meanwhile. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { store, settings, now = Date.now } = options
  const { app, metrics, drain } = createCollector(options)
  const server = await listen(app.fetch, settings)
  const { port } = server.address() as AddressInfo
  const heartbeat = startHeartbeat({
    store,
    collectorId: `${hostname()}/${randomBytes(4).toString('hex')}`,
    everyMs: heartbeatEveryMs,
    nowMs: now,
    spansReceived: () => metrics.get('headwater_spans_received_total'),
    onFailure: () => metrics.add('headwater_heartbeat_failures_total'),
  })
  return {
    url: `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`,
    port,
    metrics,
    async stop() {
      heartbeat.stop()
      drain()
      await close(server)
    },
  }
}

/** Counts inserts, and tells the operator once when ClickHouse goes away and once when it is back. */
function watched(
  write: WriteRows<SpanInsert>,
  metrics: CollectorMetrics,
  log: (line: string) => void,
): WriteRows<SpanInsert> {
  let away = false
  return async (rows) => {
    const stored = await write(rows)
    metrics.add(stored.kind === 'stored' ? 'headwater_span_inserts_total' : 'headwater_span_insert_failures_total')
    const isAway = stored.kind === 'away'
    if (isAway && !away) log(`ClickHouse does not take spans, senders are asked to come again: ${String(stored.cause)}`)
    if (!isAway && away) log('ClickHouse takes spans again')
    away = isAway
    return stored
  }
}

async function listen(fetch: Parameters<typeof createAdaptorServer>[0]['fetch'], settings: CollectorSettings) {
  const server = createAdaptorServer({ fetch, serverOptions: { requestTimeout: requestTimeoutMs } })
  if (!(server instanceof Server)) throw new TypeError('Cannot serve OTLP over anything but HTTP/1.1')
  server.listen(settings.port, settings.host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
    const mend = taken ? 'another process listens there; stop it or set HEADWATER_OTLP_PORT' : String(cause)
    throw new Error(`Cannot listen for OTLP on ${settings.host}:${settings.port}: ${mend}`, { cause })
  }
  return server
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  // Connections that fall idle after their last answer would be kept alive by their clients.
  const idle = setInterval(() => server.closeIdleConnections(), 20)
  const late = setTimeout(() => server.closeAllConnections(), stopWithinMs)
  await closed
  clearInterval(idle)
  clearTimeout(late)
}
