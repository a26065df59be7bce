// The door: OTLP/HTTP as its specification says. Everything that a client sends is checked here and typed behind.

import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import type { Gatekeeper } from './access/gatekeeper.ts'
import type { Quota } from './access/quota.ts'
import { encodeStatus, encodeSuccess, mediaTypes, type OtlpFormat, type PartialSuccess } from './answer.ts'
import type { BlockBuilder } from './block-builder.ts'
import { type ContentEncoding, giveBackSent, inflate, readBody } from './body.ts'
import { giveBack } from './give-back.ts'
import type { Hold, InFlightBytes } from './in-flight-bytes.ts'
import type { Signal } from './ledger.ts'
import type { CollectorMetrics } from './metrics.ts'
import { countPoints } from './otlp/count-points.ts'
import { jsonToProtobuf } from './otlp/json-to-protobuf.ts'
import { TooLarge } from './otlp/too-large.ts'
import { RecentRequests } from './recent-requests.ts'
import { Refusal } from './refusal.ts'

export interface AppOptions {
  builders: Readonly<Record<'traces' | 'logs', BlockBuilder>>
  gatekeeper: Gatekeeper
  quota: Quota
  /** Why nothing can be taken just now, if so. */
  refusal: () => Refusal | undefined
  recent: RecentRequests<Answer>
  inFlight: InFlightBytes
  metrics: CollectorMetrics
  corsOrigins: readonly string[]
  nowMs: () => number
  /** Answers say that their connection ends, and `/readyz` that others should be asked. */
  isStopping: () => boolean
  log: (line: string) => void
}

/** Requests of tests come without Node's own objects. */
export interface Env {
  Bindings: Partial<HttpBindings>
}

/** What a request was answered, and how many records it had. */
export interface Answer {
  records: number
  partial: PartialSuccess
}

/** OpenTelemetry's exporters give up after ten seconds; they should hear why. */
const answerWithinMs = 8_000
/** What a body in JSON may be made of: parsed, it takes some hundred bytes each. */
const jsonLimits = { objectsMax: 200_000 }
/** Of a body that is no request, so many bytes count as a record. */
const bytesOfBadRecord = 500
const lateRetryAfterS = 2

/** The routes of OTLP/HTTP, and those by which the collector is watched. */
export function createApp(options: AppOptions): Hono<Env> {
  const { metrics, gatekeeper, corsOrigins, isStopping, log } = options
  const app = new Hono<Env>()
  if (corsOrigins.length > 0) {
    const origin = corsOrigins.includes('*') ? '*' : [...corsOrigins]
    app.use(cors({ origin, allowMethods: ['POST'], exposeHeaders: ['Retry-After'], maxAge: 7_200 }))
  }
  app.use(async (c, next) => {
    await next()
    if (isStopping()) c.header('connection', 'close')
  })
  const takers = { traces: takeRecords, logs: takeRecords, metrics: leaveOut }
  for (const signal of ['traces', 'logs', 'metrics'] as const) {
    const path = `/v1/${signal}`
    app.use(path, async (c, next) => {
      await next()
      metrics.add('headwater_otlp_requests_total', 1, { signal, status: String(c.res.status) })
    })
    app.post(path, async (c) => {
      const key = admit(options, c)
      const format = formatOf(c)
      if (format === undefined) {
        const message = `content-type is "${c.req.header('content-type') ?? ''}", must be ${Object.values(mediaTypes).join(' or ')}`
        throw new Refusal(415, message)
      }
      const encoding = contentEncodingOf(c)
      const refusal = signal === 'metrics' ? undefined : options.refusal()
      if (refusal !== undefined) throw refusal
      const hold = options.inFlight.hold()
      try {
        const raw = await readBody(c.env?.incoming ?? c.req.raw.body, hold)
        const rawBytes = raw.length
        const taking = takers[signal](options, { signal, format, encoding, raw, key, hold })
        const partial = await taking.catch((cause: unknown) => {
          // Whoever sends nonsense spends what it costs.
          const isBad = cause instanceof Refusal && (cause.status === 400 || cause.status === 413)
          if (isBad) options.quota.spend(key, Math.ceil(rawBytes / bytesOfBadRecord), options.nowMs())
          throw cause
        })
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
  app.get('/livez', (c) => c.text('ok\n'))
  app.get('/readyz', (c) => (isStopping() ? c.text('stopping\n', 503) : c.text('ok\n')))
  app.get('/metrics', (c) => {
    const admission = gatekeeper.admit(c.req.header('authorization'), c.req.header('x-api-key'))
    if (admission.kind === 'refused') {
      return c.text('A key is asked for here\n', 401, { 'www-authenticate': 'Bearer' })
    }
    return c.text(visibleTo(admission.key, metrics.text()), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    })
  })
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

/** Metrics without what they say of other senders' keys. Where no keys are asked for there are none. */
function visibleTo(key: string, text: string): string {
  const isOfOther = (line: string): boolean => {
    const named = /[{,]key="((?:[^"\\]|\\.)*)"/.exec(line)?.[1]
    return named !== undefined && named !== '' && named !== key
  }
  return text
    .split('\n')
    .filter((line) => !isOfOther(line))
    .join('\n')
}

/** The name of the sender's key; refuses whom nobody knows, and who has sent too much. */
function admit({ gatekeeper, quota, nowMs }: AppOptions, c: Context<Env>): string {
  const admission = gatekeeper.admit(c.req.header('authorization'), c.req.header('x-api-key'))
  if (admission.kind === 'refused') throw new Refusal(401, admission.reason)
  const { key } = admission
  const check = quota.check(key, nowMs())
  if (!check.ok) throw new Refusal(429, check.reason, { retryAfterS: check.retryAfterS })
  return key
}

interface Request {
  signal: Signal
  format: OtlpFormat
  encoding: ContentEncoding
  /** The body as it was sent. */
  raw: Buffer
  key: string
  hold: Hold
}

/** Takes the records of a request, unless it is one that is known; returns once they are safe. */
async function takeRecords(options: AppOptions, request: Request): Promise<PartialSuccess> {
  const { recent, builders, quota, metrics, nowMs } = options
  const { signal, format, encoding, raw, key, hold } = request
  if (raw.length === 0 || signal === 'metrics') return { rejected: 0, message: '' }
  const name = RecentRequests.nameOf(raw, signal, format, encoding, key)
  const known = recent.get(name, nowMs())
  if (known !== undefined) {
    const { records, partial } = await inTime(known)
    quota.spend(key, records, nowMs())
    void builders[signal].note({ key, outcome: 'duplicate', reason: 'request', records })
    return partial
  }
  const body = inflate(raw, encoding, hold)
  metrics.add('headwater_otlp_body_bytes_total', body.length)
  const protobuf = format === 'json' ? decode(format, () => jsonToProtobuf(signal, body, jsonLimits)) : body
  const bodyBytes = protobuf.length
  if (protobuf !== body) hold.grow(bodyBytes)
  const { records, bytes, rejections, kept } = decode(format, () => builders[signal].add(protobuf, key))
  giveBackSent(raw)
  for (const own of [body, protobuf]) if (own !== raw) giveBack(own)
  hold.charge(Math.max(0, bytes - bodyBytes))
  quota.spend(key, records, nowMs())
  const what = signal === 'traces' ? 'spans' : 'log records'
  const partial = { rejected: rejections.count, message: rejections.describe(records, what) }
  if (records === 0) return partial
  const fate = kept.then(() => ({ records, partial }))
  recent.add(name, fate, nowMs())
  await inTime(fate)
  return partial
}

/** Waits as long as senders do; who comes again finds the request known, and waits on. */
async function inTime<T>(fate: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const message = `The records were not safe within ${answerWithinMs} ms; send them again`
    late.reject(new Refusal(503, message, { retryAfterS: lateRetryAfterS }))
  }, answerWithinMs)
  try {
    return await Promise.race([fate, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Metrics are counted and not kept; the books travel with the next block of spans. */
async function leaveOut({ builders, quota, nowMs }: AppOptions, request: Request): Promise<PartialSuccess> {
  const { format, encoding, raw, key, hold } = request
  if (raw.length === 0) return { rejected: 0, message: '' }
  const body = inflate(raw, encoding, hold)
  const records = decode(format, () => countPoints(format, body, jsonLimits))
  quota.spend(key, records, nowMs())
  void builders.traces.note({ key, signal: 'metrics', outcome: 'rejected', reason: 'not_kept', records })
  return { rejected: records, message: records === 0 ? '' : 'metrics are not kept; traces and logs are' }
}

function decode<T>(format: OtlpFormat, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof TooLarge)
      throw new Refusal(413, `${cause.message}; send fewer records in one request`, { cause })
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
  if (refusal.status === 401) c.header('www-authenticate', 'Bearer')
  return answer(c, refusal.status, format, encodeStatus(format, refusal))
}

function answer(c: Context<Env>, status: 200 | Refusal['status'], format: OtlpFormat, body: Uint8Array): Response {
  c.header('content-type', mediaTypes[format])
  // RFC 9110, 12.5.3: in an answer, what requests may be encoded as. OTLP's senders know of gzip only.
  c.header('accept-encoding', 'zstd, gzip')
  return c.body(Uint8Array.from(body), status)
}

function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  return message.length > 500 ? `${message.slice(0, 500)}…` : message
}
