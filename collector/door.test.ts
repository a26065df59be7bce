// OTLP/HTTP at the door, by real HTTP or by request, in front of a real ClickHouse.

import { readLedger } from '@headwater/store'
import { createConnection } from 'node:net'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Collector, CollectorLimits } from './index.ts'
import { exportTraceRequest, exportTraceResponse, rpcStatus } from './otlp/reference/schema.ts'
import { startTestCollectors, type TestCollectors } from './test-collector.ts'

let world: TestCollectors
let collector: Collector

beforeAll(async () => {
  world = await startTestCollectors()
  collector = await world.start({ corsOrigins: ['https://shop.example'] })
})

afterAll(() => world?.stop())

const json = { 'content-type': 'application/json' }
const protobuf = { 'content-type': 'application/x-protobuf' }

function post(path: string, headers: Record<string, string>, body: string | Uint8Array): Promise<Response> {
  return fetch(`${collector.url}${path}`, { method: 'POST', headers, body: Buffer.from(body) })
}

function appOf(limits: Partial<CollectorLimits> = {}) {
  return world.create({}, { limits })
}

let traces = 0
function nextTraceId(): string {
  traces += 1
  return traces.toString(16).padStart(32, 'a')
}

interface SentSpan {
  traceId: string
  spanId?: string
  [field: string]: unknown
}

function requestOf(spans: SentSpan[], service = 'shop') {
  const startTimeUnixNano = `${Date.now()}000000`
  const defaults = { spanId: 'b7ad6b7169203331', name: 'GET /', startTimeUnixNano, endTimeUnixNano: startTimeUnixNano }
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] }
  return { resourceSpans: [{ resource, scopeSpans: [{ spans: spans.map((span) => ({ ...defaults, ...span })) }] }] }
}

function jsonOf(spans: SentSpan[]): string {
  return JSON.stringify(requestOf(spans))
}

function protobufOf(spans: SentSpan[]): Uint8Array {
  const withBytes = spans.map(({ traceId, spanId = 'b7ad6b7169203331', ...span }) => ({
    ...span,
    traceId: Buffer.from(traceId, 'hex').toString('base64'),
    spanId: Buffer.from(spanId, 'hex').toString('base64'),
  }))
  return exportTraceRequest.encode(exportTraceRequest.fromObject(requestOf(withBytes))).finish()
}

async function storedSpans(traceId: string, columns = '*'): Promise<Record<string, unknown>[]> {
  const result = await world.store.clickhouse.query({
    query: `SELECT ${columns} FROM otel_traces WHERE TraceId = {traceId:String}`,
    query_params: { traceId },
    format: 'JSONEachRow',
  })
  return result.json()
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer())
}

/** The google.rpc.Status of an answer, whichever way it was encoded. */
async function statusOf(response: Response): Promise<unknown> {
  const isProtobuf = response.headers.get('content-type') === 'application/x-protobuf'
  return isProtobuf ? rpcStatus.toObject(rpcStatus.decode(await bytesOf(response))) : response.json()
}

test('spans are in ClickHouse when the answer comes, by either encoding', async () => {
  const ways = [
    { headers: json, encode: jsonOf, empty: '{}' },
    { headers: protobuf, encode: protobufOf, empty: '' },
  ]
  for (const { headers, encode, empty } of ways) {
    const traceId = nextTraceId()
    const response = await post('/v1/traces', headers, encode([{ traceId, kind: 2 }]))
    expect(await storedSpans(traceId, 'ServiceName, SpanKind')).toEqual([{ ServiceName: 'shop', SpanKind: 'Server' }])
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(headers['content-type'])
    expect(await response.text()).toBe(empty)
  }
})

test.each([
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
  ['identity', (bytes: Uint8Array) => bytes],
])('bodies come by %s, over HTTP and without', async (encoding, compress) => {
  const headers = { ...protobuf, 'content-encoding': encoding }
  const [overHttp, without] = [nextTraceId(), nextTraceId()]
  const answer = await post('/v1/traces', headers, compress(protobufOf([{ traceId: overHttp }])))
  expect(answer.status).toBe(200)
  expect(answer.headers.get('accept-encoding')).toContain('zstd')
  const init = { method: 'POST', headers, body: Buffer.from(compress(protobufOf([{ traceId: without }]))) }
  expect((await (await appOf()).app.request('/v1/traces', init)).status).toBe(200)
  expect(await storedSpans(overHttp)).toHaveLength(1)
  expect(await storedSpans(without)).toHaveLength(1)
})

test.each([
  ['/v1/traces', protobuf, ''],
  ['/v1/traces', json, '{}'],
  ['/v1/traces', json, ''],
  ['/v1/logs', protobuf, ''],
  ['/v1/metrics', { 'content-type': 'application/json; charset=utf-8' }, '{"resourceMetrics":[]}'],
])('an empty request to %s is fine', async (path, headers, body) => {
  const response = await post(path, headers, body)
  expect(response.status).toBe(200)
  expect(await response.text()).toBe(headers === protobuf ? '' : '{}')
})

test('of a partly bad request the good spans are stored and the bad ones told', async () => {
  const errorMessage = 'Rejected: span_id "" must be 8 bytes that are not all zero (1 of 2 spans)'
  for (const [headers, encode] of [
    [json, jsonOf],
    [protobuf, protobufOf],
  ] as const) {
    const traceId = nextTraceId()
    const response = await post('/v1/traces', headers, encode([{ traceId }, { traceId, spanId: '' }]))
    expect(response.status).toBe(200)
    const answered: unknown =
      headers === json
        ? await response.json()
        : exportTraceResponse.toObject(exportTraceResponse.decode(await bytesOf(response)), { longs: String })
    expect(answered).toEqual({ partialSuccess: { rejectedSpans: '1', errorMessage } })
    expect(await storedSpans(traceId)).toHaveLength(1)
  }
})

test('hostile strings are read back from ClickHouse as they were sent', async () => {
  const hostile = [
    '\n\n; DROP TABLE otel_traces;\r\n\r\n',
    `'"\`\\\\' OR 1=1 --\t{"a":1}`,
    'a\u0000b',
    '\u{1F4A5}\u202E\uFEFF\u2028',
    '\\N',
    '',
    'x'.repeat(100_000),
  ]
  for (const [headers, encode] of [
    [json, jsonOf],
    [protobuf, protobufOf],
  ] as const) {
    const traceId = nextTraceId()
    const attributes = hostile.map((stringValue, index) => ({ key: `${index}${stringValue}`, value: { stringValue } }))
    const spans = hostile.map((text) => ({
      traceId,
      name: text,
      traceState: text,
      status: { message: text },
      attributes,
      events: [{ timeUnixNano: '7', name: text, attributes }],
      links: [{ traceId, spanId: 'b7ad6b7169203331', traceState: text, attributes }],
    }))
    const links = (span: (typeof spans)[number]) =>
      headers === json
        ? span
        : {
            ...span,
            links: span.links.map((link) => ({
              ...link,
              traceId: Buffer.from(traceId, 'hex').toString('base64'),
              spanId: Buffer.from(link.spanId, 'hex').toString('base64'),
            })),
          }
    expect((await post('/v1/traces', headers, encode(spans.map(links)))).status).toBe(200)
    const map = Object.fromEntries(hostile.map((text, index) => [`${index}${text}`, text]))
    const columns = '*, toUnixTimestamp64Nano(`Events.Timestamp`[1]) AS eventNs'
    const stored = await storedSpans(traceId, columns)
    const byName = new Map(stored.map((row) => [row['SpanName'], row]))
    for (const text of hostile) {
      expect(byName.get(text)).toMatchObject({
        TraceState: text,
        StatusMessage: text,
        SpanAttributes: map,
        eventNs: 7,
        'Events.Name': [text],
        'Events.Attributes': [map],
        'Links.TraceId': [traceId],
        'Links.TraceState': [text],
        'Links.Attributes': [map],
      })
    }
  }
})

test('a request that is sent again is known again: it gets the same answer and is stored once', async () => {
  const { app, metrics } = await appOf()
  const traceId = nextTraceId()
  const body = Buffer.from(protobufOf([{ traceId }, { traceId, spanId: '' }]))
  const send = async () => bytesOf(await app.request('/v1/traces', { method: 'POST', headers: protobuf, body }))
  const [first, meanwhile] = await Promise.all([send(), send()])
  expect([meanwhile, await send()]).toEqual([first, first])
  expect(await storedSpans(traceId)).toHaveLength(1)
  const fate = (outcome: string) => metrics.sum('headwater_ingest_records_total', { outcome })
  await expect.poll(() => fate('duplicate')).toBe(4)
  expect([fate('received'), fate('stored'), fate('rejected')]).toEqual([6, 1, 1])
})

test('spans of a hundred and more days fit into one request', async () => {
  const traceId = nextTraceId()
  const days = Array.from({ length: 150 }, (_, day) => `${Date.now() - day * 86_400_000}000000`)
  const spans = days.map((ns) => ({ traceId, startTimeUnixNano: ns, endTimeUnixNano: ns }))
  const { app } = await world.create({}, { retentionDays: 200 })
  const response = await app.request('/v1/traces', { method: 'POST', headers: json, body: jsonOf(spans) })
  expect([response.status, await response.text()]).toEqual([200, '{}'])
})

const tooLarge = Buffer.alloc(20 * 1024 * 1024 + 1)
/** Inflates to a gigabyte of zeros: members may follow one another. */
const gigabyte = Buffer.concat(Array<Buffer>(16).fill(gzipSync(Buffer.alloc(64 * 1024 * 1024))))

test.each<[string, number, number, Record<string, string>, string | Uint8Array, string]>([
  ['no content type', 415, 3, {}, '{}', 'content-type is "text/plain;charset=UTF-8"'],
  [
    'another content type',
    415,
    3,
    { 'content-type': 'text/csv' },
    'a',
    'must be application/x-protobuf or application/json',
  ],
  ['an unknown encoding', 415, 3, { ...protobuf, 'content-encoding': 'br' }, 'a', 'content-encoding is "br"'],
  ['protobuf cut short', 400, 3, protobuf, Uint8Array.of(10, 200), 'Cannot decode the body as OTLP protobuf'],
  ['JSON cut short', 400, 3, json, '{"resourceSpans":[', 'Cannot decode the body as OTLP json'],
  ['JSON of a wrong kind', 400, 3, json, '{"resourceSpans":7}', 'resourceSpans is 7, expected a list'],
  ['no gzip', 400, 3, { ...json, 'content-encoding': 'gzip' }, '{}', 'Cannot inflate the body as gzip'],
  ['no zstd', 400, 3, { ...protobuf, 'content-encoding': 'zstd' }, 'zstd', 'Cannot inflate the body as zstd'],
  ['gzip cut short', 400, 3, { ...json, 'content-encoding': 'gzip' }, gzipSync('{}').subarray(0, 15), 'Cannot inflate'],
  ['a large body', 413, 8, protobuf, tooLarge, 'The body is larger than 20971520 bytes'],
  ['a gzip bomb', 413, 8, { ...protobuf, 'content-encoding': 'gzip' }, gigabyte, 'The inflated body is larger'],
  [
    'a zstd bomb',
    413,
    8,
    { ...json, 'content-encoding': 'zstd' },
    zstdCompressSync(Buffer.alloc(256 * 1024 * 1024)),
    'The inflated body is larger',
  ],
  ['millions of empty objects', 413, 8, json, `{"resourceSpans":[${'{},'.repeat(5_000_000)}{}]}`, 'send fewer records'],
])('%s is answered by %i, and not to be sent again', async (_what, status, code, headers, body, message) => {
  const overHttp = await post('/v1/traces', headers, body)
  const without = await (await appOf()).app.request('/v1/traces', { method: 'POST', headers, body: Buffer.from(body) })
  expect(overHttp.headers.get('retry-after')).toBeNull()
  const isProtobuf = headers['content-type'] === 'application/x-protobuf'
  expect(overHttp.headers.get('content-type')).toBe(isProtobuf ? 'application/x-protobuf' : 'application/json')
  expect([overHttp.status, without.status]).toEqual([status, status])
  if (message.startsWith('content-type is')) return
  for (const response of [overHttp, without]) {
    expect(await statusOf(response)).toEqual({ code, message: expect.stringContaining(message) })
  }
})

test('a resource that is repeated for each span into gigabytes is refused', async () => {
  const value = { stringValue: 'x'.repeat(1_000_000) }
  const request = requestOf(Array.from({ length: 100 }, () => ({ traceId: nextTraceId() })))
  request.resourceSpans[0]?.resource.attributes.push({ key: 'a', value })
  const response = await post('/v1/traces', json, JSON.stringify(request))
  expect(response.status).toBe(413)
  expect(await statusOf(response)).toMatchObject({ message: expect.stringContaining('Resources repeated') })
})

test('too much in flight is answered by 429 with the time to wait, and nothing stays held', async () => {
  const { length } = protobufOf([{ traceId: nextTraceId() }])
  const { app, metrics } = await appOf({ inFlightBytesMax: 1.5 * length })
  const send = (headers: Record<string, string>, body: string | Uint8Array) =>
    app.request('/v1/traces', { method: 'POST', headers, body: Buffer.from(body) })
  const [taken, refused] = await Promise.all([
    send(protobuf, protobufOf([{ traceId: nextTraceId() }])),
    send(protobuf, protobufOf([{ traceId: nextTraceId() }])),
  ])
  expect([taken?.status, refused?.status]).toEqual([200, 429])
  expect(refused?.headers.get('retry-after')).toBe('1')
  expect(refused && (await statusOf(refused))).toMatchObject({ code: 8 })
  expect(metrics.get('headwater_otlp_in_flight_bytes')).toBe(0)
  expect((await send(protobuf, protobufOf([{ traceId: nextTraceId() }]))).status).toBe(200)
})

test.each([
  ['GET', '/', 404, 5],
  ['POST', '/v1/spans', 404, 5],
  ['GET', '/v1/traces', 405, 12],
  ['PUT', '/v1/logs', 405, 12],
])('%s %s is answered by %i', async (method, path, status, code) => {
  const response = await fetch(`${collector.url}${path}`, { method })
  expect(response.status).toBe(status)
  expect(response.headers.get('allow')).toBe(status === 405 ? 'POST' : null)
  expect(await statusOf(response)).toMatchObject({ code })
})

test('metrics are left out, counted and told', async () => {
  const points = { dataPoints: [{}, {}] }
  const sent = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ sum: points }, { summary: points }] }] }] }
  expect(await (await post('/v1/metrics', json, JSON.stringify(sent))).json()).toEqual({
    partialSuccess: { rejectedDataPoints: '4', errorMessage: 'metrics are not kept; traces and logs are' },
  })
  // resource_metrics { scope_metrics { metrics { gauge { data_points {} } } } }
  const onePoint = Uint8Array.of(0x0a, 8, 0x12, 6, 0x12, 4, 0x2a, 2, 0x0a, 0)
  const answered = exportTraceResponse.decode(await bytesOf(await post('/v1/metrics', protobuf, onePoint)))
  expect(exportTraceResponse.toObject(answered, { longs: String })).toMatchObject({
    partialSuccess: { rejectedSpans: '1' },
  })
  const { metrics } = collector
  const fate = (outcome: string) => metrics.sum('headwater_ingest_records_total', { signal: 'metrics', outcome })
  await expect.poll(() => [fate('received'), fate('rejected')]).toEqual([5, 5])
})

test('log records are in ClickHouse when the answer comes', async () => {
  const traceId = nextTraceId()
  const record = {
    timeUnixNano: `${Date.now()}000000`,
    severityText: 'ERROR',
    body: { stringValue: 'out of stock' },
    traceId,
  }
  const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] })
  const response = await post('/v1/logs', json, body)
  expect([response.status, await response.text()]).toEqual([200, '{}'])
  const stored = await world.store.clickhouse.query({
    query: 'SELECT Body, SeverityText FROM otel_logs WHERE TraceId = {traceId:String}',
    query_params: { traceId },
    format: 'JSONEachRow',
  })
  expect(await stored.json()).toEqual([{ Body: 'out of stock', SeverityText: 'ERROR' }])
  expect((await post('/v1/logs', protobuf, Uint8Array.of(0x0a, 9))).status).toBe(400)
})

function preflight(origin: string): Promise<Response> {
  const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' }
  return fetch(`${collector.url}/v1/traces`, { method: 'OPTIONS', headers: { origin, ...asked } })
}

test('configured origins may post from their pages, others may not', async () => {
  const allowed = await preflight('https://shop.example')
  expect(allowed.status).toBe(204)
  expect(allowed.headers.get('access-control-allow-origin')).toBe('https://shop.example')
  expect(allowed.headers.get('access-control-allow-headers')).toBe('content-type')
  expect((await preflight('https://elsewhere.example')).headers.get('access-control-allow-origin')).toBeNull()
  const posted = await post('/v1/traces', { ...json, origin: 'https://shop.example' }, '{}')
  expect(posted.headers.get('access-control-allow-origin')).toBe('https://shop.example')
})

test('each span is stored or rejected, and the metrics and the ledger in ClickHouse say how many', async () => {
  const collecting = await appOf()
  const { app, metrics } = collecting
  const traceId = nextTraceId()
  const body = jsonOf([{ traceId }, { traceId, spanId: 'c7ad6b7169203331' }, { traceId, spanId: '' }])
  await app.request('/v1/traces', { method: 'POST', headers: json, body })
  const fate = (outcome: string, reason = '') =>
    metrics.get('headwater_ingest_records_total', { signal: 'traces', key: '', outcome, reason })
  expect([fate('received'), fate('stored'), fate('rejected', 'span_id')]).toEqual([3, 2, 1])
  expect(metrics.sum('headwater_ingest_pending_records')).toBe(0)
  expect(metrics.get('headwater_otlp_requests_total', { signal: 'traces', status: '200' })).toBe(1)
  expect(metrics.get('headwater_otlp_in_flight_bytes')).toBe(0)
  const now = new Date()
  const window = { since: new Date(now.getTime() - 60_000), until: new Date(now.getTime() + 60_000) }
  const sums = await readLedger(world.store, { ...window, limit: 10 })
  const { received, stored, rejected, duplicate, reasons } = sums.find(({ signal }) => signal === 'traces') ?? {
    received: 0,
    stored: 0,
    rejected: 0,
    duplicate: 0,
    reasons: [],
  }
  expect(received).toBe(stored + rejected + duplicate)
  expect(reasons).toContainEqual({ outcome: 'rejected', reason: 'span_id', records: expect.any(Number) })
})

test('a sender that hangs up half-way leaves nothing held', async () => {
  const before = collector.metrics.get('headwater_otlp_requests_total', { signal: 'traces', status: '400' })
  const socket = createConnection(collector.port, '127.0.0.1')
  const head =
    'POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"re'
  socket.write(head)
  await expect.poll(() => collector.metrics.get('headwater_otlp_in_flight_bytes')).toBe(4)
  socket.destroy()
  await expect.poll(() => collector.metrics.get('headwater_otlp_in_flight_bytes')).toBe(0)
  expect(collector.metrics.get('headwater_otlp_requests_total', { signal: 'traces', status: '400' })).toBe(before + 1)
})

async function firstHeartbeat(): Promise<unknown> {
  const result = await world.store.clickhouse.query({
    query: 'SELECT Collector, SpansReceived, At > now() - 60 AS fresh FROM collector_heartbeats ORDER BY At LIMIT 1',
    format: 'JSONEachRow',
  })
  return result.json()
}

test('a collector that lives says so with what it received', async () => {
  await expect.poll(firstHeartbeat).toEqual([{ Collector: expect.stringContaining('/'), SpansReceived: 0, fresh: 1 }])
})

test('a taken port is one clear line', async () => {
  await expect(world.start({ port: collector.port })).rejects.toThrow(
    `Cannot listen for OTLP on 127.0.0.1:${collector.port}: another process listens there; stop it or set HEADWATER_OTLP_PORT`,
  )
})

test('stopping answers what is in flight and takes nothing new', async () => {
  const stopping = await world.start({}, { limits: { blocks: { lingerMs: 60_000 } } })
  const traceId = nextTraceId()
  const init = { method: 'POST', headers: json, body: jsonOf([{ traceId }]) }
  const waiting = fetch(`${stopping.url}/v1/traces`, init)
  await expect.poll(() => stopping.metrics.get('headwater_otlp_body_bytes_total')).toBeGreaterThan(0)
  const stopped = stopping.stop()
  expect((await fetch(`${stopping.url}/readyz`)).status).toBe(503)
  await stopped
  expect((await waiting).status).toBe(200)
  expect(await storedSpans(traceId)).toHaveLength(1)
  await expect(fetch(`${stopping.url}/v1/traces`, init)).rejects.toThrow('fetch failed')
})

test('whoever watches finds out that it lives, is ready, and what it counts', async () => {
  const ask = async (path: string) => (await fetch(`${collector.url}${path}`)).text()
  expect([await ask('/livez'), await ask('/readyz')]).toEqual(['ok\n', 'ok\n'])
  expect(await ask('/metrics')).toContain('headwater_ingest_records_total{signal="traces"')
})
