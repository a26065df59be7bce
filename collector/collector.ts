import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { LogBlock, SpanBlock, type Store } from '@headwater/store'
import { getRequestListener } from '@hono/node-server'
import { createGatekeeper } from './access/gatekeeper.ts'
import { openKeys } from './access/live-keys.ts'
import { createQuota } from './access/quota.ts'
import { openTls, type Tls } from './access/tls.ts'
import { type Answer, createApp } from './app.ts'
import { BlockBuilder, type BlockLimits } from './block-builder.ts'
import { collectLessOften } from './heap.ts'
import { startHeartbeat } from './heartbeat.ts'
import { InFlightBytes } from './in-flight-bytes.ts'
import { openKeeper } from './keeper.ts'
import { Ledger } from './ledger.ts'
import { type CollectorMetrics, createCollectorMetrics } from './metrics.ts'
import { acceptedWindow } from './otlp/accepted-window.ts'
import { LogWalker } from './otlp/log-walker.ts'
import { SpanWalker } from './otlp/span-walker.ts'
import type { WalkLimits } from './otlp/walk.ts'
import { RecentRequests } from './recent-requests.ts'
import { createRedaction } from './redaction/redaction.ts'
import { readRules } from './redaction/rules.ts'
import { createShedding } from './sampling/shedding.ts'
import type { CollectorSettings } from './settings.ts'

export interface CollectorOptions {
  store: Store
  settings: CollectorSettings
  /** Where the write-ahead log is; collectors of one machine may share it. */
  logDirectory: string
  /** Records that are older are rejected: ClickHouse would drop them. */
  retentionDays?: number
  /** Milliseconds since 1970. */
  now?: () => number
  log?: (line: string) => void
  limits?: Partial<CollectorLimits>
}

export interface CollectorLimits extends WalkLimits {
  /** Memory of all requests between their first byte and their answer; one of the largest fits. */
  inFlightBytesMax: number
  blocks: Partial<BlockLimits>
}

/** A collector that listens. */
export interface Collector {
  /** Base URL for OTLP/HTTP, such as `http://127.0.0.1:4318`. */
  url: string
  port: number
  metrics: CollectorMetrics
  /** Resolves once ClickHouse has everything that was taken. */
  idle(): Promise<void>
  /** Takes nothing new, answers what is in flight, stores what it can; within two and a half seconds; the log has the rest. */
  stop(): Promise<void>
}

const MiB = 1024 * 1024
const defaultLimits = {
  inFlightBytesMax: 40 * MiB,
  recordsMax: 131_072,
  columnBytesMax: 48 * MiB,
  repeatedBytesMax: 32 * MiB,
}
const blockLimits: Readonly<Record<CollectorSettings['acknowledgement'], BlockLimits>> = {
  logged: { rowsMax: 10_000, bytesMax: 8 * MiB, lingerMs: 5, sealedMax: 2 },
  stored: { rowsMax: 10_000, bytesMax: 8 * MiB, lingerMs: 20, sealedMax: 16 },
}
/** Senders come again within minutes or not at all. */
const recentLimits = { requestsMax: 20_000, forgetAfterMs: 600_000 }

const heartbeatEveryMs = 5_000
/** Senders with open connections are told that these end before they end. */
const farewellMs = 1_000
const answerWithinMs = 800
const drainWithinMs = 500
/** A body that comes slower than this holds memory for nothing. */
const requestTimeoutMs = 30_000
const connectionsMax = 5_000
const headerBytesMax = 8 * 1024
/** Longer than balancers keep connections that are idle, so that they and not we end one: a request never meets a closing socket. */
const keepAliveMs = 90_000

/** The collector without its server. Tests send requests straight to `app`. */
export async function createCollector(options: CollectorOptions) {
  const {
    store,
    settings,
    logDirectory,
    retentionDays = 30,
    now = Date.now,
    log = console.error,
    limits = {},
  } = options
  const { acknowledgement, logBytesMax, corsOrigins, redactionPath, hashKey, access } = settings
  const { inFlightBytesMax, ...walkLimits } = { ...defaultLimits, ...limits }
  const redaction = createRedaction(readRules(redactionPath), { hashKey })
  const keys = access.keysPath === undefined ? undefined : openKeys({ path: access.keysPath, log })
  const metrics = createCollectorMetrics()
  const collectorId = `${hostname()}/${randomBytes(4).toString('hex')}`
  const ledger = new Ledger(metrics)
  const keeper = await openKeeper({
    store,
    directory: logDirectory,
    acknowledgement,
    logBytesMax,
    ledger,
    metrics,
    nowMs: now,
    log,
  })
  const window = () => acceptedWindow({ nowMs: now(), retentionDays })
  const spans = new SpanBlock()
  const shedding = createShedding({ settings, collectorId, metrics })
  const spanWalker = new SpanWalker(spans, redaction, walkLimits, shedding?.shedder)
  const logs = new LogBlock()
  const logWalker = new LogWalker(logs, redaction, walkLimits)
  const ofBlocks = { ...blockLimits[acknowledgement], ...limits.blocks }
  const builders = {
    traces: new BlockBuilder(
      {
        get rows() {
          return spans.block.rows
        },
        walk: (body) => spanWalker.walk(body, window(), now()),
        seal: () => spans.seal(),
        sealCounts: () => shedding?.sealCounts(),
      },
      ofBlocks,
      (block) => keeper.keep('traces', block),
    ),
    logs: new BlockBuilder(
      {
        get rows() {
          return logs.block.rows
        },
        walk: (body) => logWalker.walk(body, window(), BigInt(Math.trunc(now())) * 1_000_000n),
        seal: () => logs.seal(),
      },
      ofBlocks,
      (block) => keeper.keep('logs', block),
    ),
  }
  let stopping = false
  const app = createApp({
    builders,
    gatekeeper: createGatekeeper({ keys: () => keys?.current(), nowMs: now }),
    quota: createQuota({ keys: () => keys?.current() }),
    refusal: () => keeper.refusal(),
    recent: new RecentRequests<Answer>(recentLimits),
    inFlight: new InFlightBytes({
      bytesMax: inFlightBytesMax,
      onChange: (bytes) => metrics.set('headwater_otlp_in_flight_bytes', bytes),
    }),
    metrics,
    corsOrigins,
    nowMs: now,
    isStopping: () => stopping,
    log,
  })
  return {
    app,
    metrics,
    /** Another one after each start. */
    collectorId,
    /** From now on senders are told to go elsewhere. */
    sayGoodbye: () => {
      stopping = true
    },
    /** Nobody waits for company any longer. */
    seal() {
      builders.traces.seal()
      builders.logs.seal()
    },
    async idle() {
      await Promise.all([builders.traces.flush(), builders.logs.flush()])
      await keeper.idle()
    },
    async close(withinMs: number) {
      keys?.stop()
      builders.traces.seal()
      builders.logs.seal()
      await keeper.stop(withinMs)
      await Promise.all([builders.traces.flush(), builders.logs.flush()])
    },
  }
}

/** Starts to listen; the store's engines may be away meanwhile. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { store, settings, now = Date.now, log = console.error } = options
  collectLessOften()
  const tlsPaths = settings.access.tls
  const tls = tlsPaths === undefined ? undefined : openTls({ ...tlsPaths, nowMs: now, log })
  const collector = await createCollector(options)
  const { app, metrics } = collector
  let server: Server
  try {
    server = await listen(app.fetch, settings, tls)
  } catch (error) {
    tls?.stop()
    await collector.close(0)
    throw error
  }
  const { port } = server.address() as AddressInfo
  const heartbeat = startHeartbeat({
    store,
    collectorId: collector.collectorId,
    everyMs: heartbeatEveryMs,
    nowMs: now,
    spansReceived: () => metrics.sum('headwater_ingest_records_total', { signal: 'traces', outcome: 'received' }),
    onFailure: () => metrics.add('headwater_heartbeat_failures_total'),
  })
  const scheme = tls === undefined ? 'http' : 'https'
  return {
    url: `${scheme}://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`,
    port,
    metrics,
    idle: () => collector.idle(),
    async stop() {
      heartbeat.stop()
      tls?.stop()
      collector.sayGoodbye()
      await sayGoodbye(server)
      const sealing = setInterval(() => collector.seal(), 20)
      await close(server)
      clearInterval(sealing)
      await collector.close(drainWithinMs)
    },
  }
}

async function listen(
  fetch: Parameters<typeof getRequestListener>[0],
  settings: CollectorSettings,
  tls?: Tls,
): Promise<Server> {
  const answerRequest = getRequestListener(fetch)
  const listener: RequestListener = (request, response) => void answerRequest(request, response)
  const server = createServer(listener, tls)
  server.maxConnections = connectionsMax
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

function createServer(listener: RequestListener, tls?: Tls): Server {
  const options = { requestTimeout: requestTimeoutMs, keepAliveTimeout: keepAliveMs, maxHeaderSize: headerBytesMax }
  if (tls === undefined) return createHttpServer(options, listener)
  const server = createHttpsServer({ ...options, ...tls.options }, listener)
  tls.follow(server)
  return server
}

/** As long as there are connections, for a short time: each hears with its next answer that it ends. */
async function sayGoodbye(server: Server): Promise<void> {
  const endsAtMs = performance.now() + farewellMs
  const isConnected = (): Promise<boolean> =>
    new Promise((resolve) => server.getConnections((_, count) => resolve(count > 0)))
  while (performance.now() < endsAtMs && (await isConnected())) await new Promise((resolve) => setTimeout(resolve, 20))
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  // Connections that fall idle after their last answer would be kept alive by their clients.
  const idle = setInterval(() => server.closeIdleConnections(), 20)
  const late = setTimeout(() => server.closeAllConnections(), answerWithinMs)
  await closed
  clearInterval(idle)
  clearTimeout(late)
}
