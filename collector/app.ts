// The door: OTLP/HTTP as its specification says. Everything that a client sends is checked here and typed behind.

import type { SpanInsert } from '@headwater/store'
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { encodeStatus, encodeSuccess, mediaTypes, type OtlpFormat, type PartialSuccess, type Signal } from './answer.ts'
import { type ContentEncoding, readBody } from './body.ts'
import type { Hold, InFlightBytes } from './in-flight-bytes.ts'
import type { InsertBatcher } from './insert-batcher.ts'
import type { CollectorMetrics } from './metrics.ts'
import { countRecords } from './otlp/count-records.ts'
import { decodedBytes } from './otlp/decoded-bytes.ts'
import { decodeJson } from './otlp/decode-json.ts'
import { decodeProtobuf } from './otlp/decode-protobuf.ts'
import { Refusal } from './refusal.ts'
import { acceptedWindow, describeRejections, repeatedBytes, toSpanRows } from './span-rows.ts'

export interface AppOptions {
  batcher: InsertBatcher<SpanInsert>
  inFlight: InFlightBytes
  metrics: CollectorMetrics
  corsOrigins: readonly string[]
  retentionDays: number
  nowMs: () => number
  isStopping: () => boolean
  log: (line: string) => void
}

/** Requests of tests come without Node's own objects. */
export interface Env {
  Bindings: Partial<HttpBindings>
}

/** What the rows of one request may repeat of their resources and scopes. */
const repeatedBytesMax = 32 * 1024 * 1024

/** What one request may take once decoded; ordinary spans of 20 MiB take less. */
const decodedBytesMax = 512 * 1024 * 1024

/** After so long the embedded engine has restarted, if that is what it was. */
const storeAwayRetryAfterS = 2

/** The routes of OTLP/HTTP. */
export function createApp(options: AppOptions): Hono<Env> {
  const { metrics, corsOrigins, isStopping, log } = options
  const app = new Hono<Env>()
  if (corsOrigins.length > 0) {
    const origin = corsOrigins.includes('*') ? '*' : [...corsOrigins]
    app.use(cors({ origin, allowMethods: ['POST'], exposeHeaders: ['Retry-After'], maxAge: 7_200 }))
  }
  const handlers = { traces: takeTraces, logs: leaveOut, metrics: leaveOut }
  for (const signal of ['traces', 'logs', 'metrics'] as const) {
    const path = `/v1/${signal}`
    app.use(path, async (c, next) => {
      await next()
      metrics.add('headwater_otlp_requests_total', 1, { signal, status: String(c.res.status) })
    })
    app.post(path, async (c) => {
      if (isStopping()) throw new Refusal(503, 'The collector is stopping', { retryAfterS: 1 })
      const format = formatOf(c)
      if (format === undefined) {
        const message = `content-type is "${c.req.header('content-type') ?? ''}", must be ${Object.values(mediaTypes).join(' or ')}`
        throw new Refusal(415, message)
      }
      const hold = options.inFlight.hold()
      try {
        const body = await readBody(c.env?.incoming ?? c.req.raw.body, contentEncodingOf(c), hold)
        metrics.add('headwater_otlp_body_bytes_total', body.length)
        const partial = await handlers[signal](options, { signal, format, body, hold })
        return answer(c, 200, format, encodeSuccess(signal, format, partial))
      } finally {
        hold.release()
      }
    })
    app.all(path, (c) => {
      c.header('allow', 'POST')
      throw new Refusal(405, `${c.req.method} ${path} is not supported, POST is`)
    })
  }
  app.notFound((c) =>
    refuse(c, new Refusal(404, `${c.req.path} is not here; /v1/traces, /v1/logs and /v1/metrics are`)),
  )
  app.onError((error, c) => {
    if (error instanceof Refusal) return refuse(c, error)
    log(`Cannot answer ${c.req.method} ${c.req.path}: ${error.stack ?? error.message}`)
    return refuse(c, new Refusal(500, 'The collector failed; its log says how'))
  })
  return app
}

interface Taken {
  signal: Signal
  format: OtlpFormat
  body: Buffer
  hold: Hold
}

async function takeTraces(options: AppOptions, { format, body, hold }: Taken): Promise<PartialSuccess> {
  const { metrics, nowMs, retentionDays } = options
  const decoded = decode(format, () => decodedBytes(format, body))
  if (decoded > decodedBytesMax) {
    const message = `The messages of the body take about ${decoded} bytes, at most ${decodedBytesMax} may; send fewer spans`
    throw new Refusal(413, message)
  }
  hold.grow(decoded)
  const request = decode(format, () => {
    if (body.length === 0) return []
    return format === 'json' ? decodeJson(body) : decodeProtobuf(body)
  })
  const repeated = repeatedBytes(request)
  if (repeated > repeatedBytesMax) {
    const message = `Resources repeated for each span make ${repeated} bytes, at most ${repeatedBytesMax} may; send fewer spans`
    throw new Refusal(413, message)
  }
  hold.grow(repeated)
  const { rows, rejections } = toSpanRows(request, acceptedWindow({ nowMs: nowMs(), retentionDays }))
  const spans = rows.length + rejections.length
  metrics.add('headwater_spans_received_total', spans)
  for (const { reason } of rejections) metrics.add('headwater_spans_rejected_total', 1, { reason })
  await store(options, rows)
  return { rejected: rejections.length, message: describeRejections(rejections, spans) }
}

/** Returns once ClickHouse has the rows; refuses otherwise, and the ledger knows in either case. */
async function store({ batcher, metrics }: AppOptions, rows: readonly SpanInsert[]): Promise<void> {
  try {
    const stored = await batcher.add(rows)
    switch (stored.kind) {
      case 'stored':
        metrics.add('headwater_spans_stored_total', rows.length)
        return
      case 'unstorable':
        throw new Refusal(400, `ClickHouse cannot hold these spans: ${reasonOf(stored.cause)}`, { cause: stored.cause })
      case 'away':
        throw new Refusal(503, 'ClickHouse does not take spans now; send them again later', {
          retryAfterS: storeAwayRetryAfterS,
          cause: stored.cause,
        })
    }
  } catch (error) {
    const status = error instanceof Refusal ? error.status : 500
    if (status === 400) metrics.add('headwater_spans_rejected_total', rows.length, { reason: 'unstorable' })
    else metrics.add('headwater_spans_refused_total', rows.length, { status: String(status) })
    throw error
  }
}

async function leaveOut({ metrics }: AppOptions, { signal, format, body }: Taken): Promise<PartialSuccess> {
  if (signal === 'traces' || body.length === 0) return { rejected: 0, message: '' }
  const rejected = decode(format, () => countRecords(signal, format, body))
  const name = signal === 'logs' ? 'headwater_log_records_rejected_total' : 'headwater_metric_points_rejected_total'
  metrics.add(name, rejected)
  return { rejected, message: `${signal} are not kept; only traces are` }
}

function decode<T>(format: OtlpFormat, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw new Refusal(400, `Cannot decode the body as OTLP ${format}: ${reasonOf(cause)}`, { cause })
  }
}

function formatOf(c: Context<Env>): OtlpFormat | undefined {
  const mediaType = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (mediaType === mediaTypes.protobuf) return 'protobuf'
  return mediaType === mediaTypes.json ? 'json' : undefined
}

function contentEncodingOf(c: Context<Env>): ContentEncoding {
  const encoding = c.req.header('content-encoding')?.trim().toLowerCase() || 'identity'
  if (encoding === 'identity' || encoding === 'gzip' || encoding === 'zstd') return encoding
  throw new Refusal(415, `content-encoding is "${encoding}", must be gzip, zstd or identity`)
}

function refuse(c: Context<Env>, refusal: Refusal): Response {
  const format = formatOf(c) ?? 'json'
  if (refusal.retryAfterS !== undefined) c.header('retry-after', String(refusal.retryAfterS))
  return answer(c, refusal.status, format, encodeStatus(format, refusal))
}

function answer(c: Context<Env>, status: 200 | Refusal['status'], format: OtlpFormat, body: Uint8Array): Response {
  c.header('content-type', mediaTypes[format])
  return c.body(Uint8Array.from(body), status)
}

function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  return message.length > 500 ? `${message.slice(0, 500)}…` : message
}
