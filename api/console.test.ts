// What the console asks for beside the rest of the API: the map of now, over HTTP and WebSocket, time series, flows, search,
// the details of a run; and how it is served and let in.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { startApi } from './start.ts'
import {
  incident,
  iso,
  keepIncident,
  minute,
  nowMs,
  rawSpan,
  secondsAgo,
  settledTrace,
  startWorld,
  traceId,
  type World,
} from './test-world.ts'

let world: World
const hostile = '<img src=x onerror=alert(1)>\u202Egnp'

beforeAll(async () => {
  world = await startWorld()
  const calls = { at: secondsAgo(600), service: 'math', operation: 'POST /evaluate', kind: 'sync', caller: 'gateway' }
  await world.insert('chain_health_metrics', [
    minute({ ...calls, calls: 40, errors: 2, ms: 20, flow: 'POST /report' }),
    { ...minute({ ...calls, at: secondsAgo(300), calls: 10, errors: 5, ms: 80, flow: 'GET /sum' }), Version: '2.0.0' },
    minute({
      at: secondsAgo(300),
      service: 'gateway',
      operation: 'POST /report',
      calls: 12,
      ms: 50,
      flow: 'POST /report',
    }),
  ])
  await world.insert('chain_health_metrics_10s', [
    { ...minute({ ...calls, calls: 30, errors: 6 }), Window: Math.floor(secondsAgo(40) / 10_000) * 10 },
    { ...minute({ ...calls, calls: 500 }), Window: Math.floor(secondsAgo(300) / 10_000) * 10 },
  ])
  await world.insert('chain_execution_traces', [
    settledTrace({
      trace: 'a',
      at: secondsAgo(120),
      ms: 100,
      services: ['gateway', 'math'],
      failed: true,
      user: 'ada',
    }),
    settledTrace({ trace: 'a2', flow: 'a', name: 'other', at: secondsAgo(100), ms: 9_000, services: ['worker'] }),
    settledTrace({ trace: 'b', at: secondsAgo(90), ms: 300, services: ['gateway'], user: 'bob' }),
  ])
  const of = { trace: 'a', service: 'math', name: 'POST /evaluate' }
  await world.insert('otel_traces', [
    rawSpan({
      ...of,
      span: 's1',
      at: secondsAgo(120),
      ms: 400,
      failed: true,
      message: hostile,
      attributes: { 'http.route': '/evaluate', 'user.id': 'ada', version: 'bad' },
    }),
    rawSpan({
      ...of,
      trace: 'b',
      span: 's2',
      at: secondsAgo(90),
      ms: 8,
      attributes: { 'http.route': '/evaluate', version: 'good' },
    }),
    rawSpan({
      ...of,
      trace: 'b',
      span: 's3',
      at: secondsAgo(80),
      ms: 9,
      attributes: { 'http.route': '/evaluate', version: 'good' },
    }),
    rawSpan({ trace: 'b', span: 's4', at: secondsAgo(70), ms: 2_000, service: 'pdf', name: 'render' }),
  ])
  await world.insert('otel_logs', [
    {
      Timestamp: `${Math.floor(secondsAgo(119) / 1_000)}.000000000`,
      TraceId: traceId('a'),
      SpanId: '',
      SeverityText: 'ERROR',
      ServiceName: 'math',
      Body: hostile,
    },
    {
      Timestamp: `${Math.floor(secondsAgo(119) / 1_000)}.000000000`,
      TraceId: traceId('elsewhere'),
      SpanId: '',
      SeverityText: 'INFO',
      ServiceName: 'math',
      Body: 'not of this run',
    },
  ])
  await keepIncident(world, incident('open-one'))
})
afterAll(() => world.stop())

test('now: the last minute on the map, and the open incidents beside it', async () => {
  const { status, body } = await world.get('/api/v1/now')
  expect(status).toBe(200)
  const nodes = body['nodes'] as unknown as { id: string; state: string; calls: number; errors: number }[]
  expect(nodes.find(({ id }) => id === 'math')).toMatchObject({ state: 'cause', calls: 30, errors: 6 })
  expect(nodes.find(({ id }) => id === 'gateway')).toMatchObject({ state: 'hit', calls: 0 })
  expect(body['incidents']).toMatchObject([{ id: 'open-one', usersAffected: 4 }])
})

test('traffic: a service, one of its operations, and a flow by its entries', async () => {
  const { body } = await world.get('/api/v1/traffic?service=math')
  expect(body).toMatchObject({ stepSeconds: 60 })
  expect(body['points']).toMatchObject([
    { calls: 40, errors: 2 },
    { calls: 10, errors: 5 },
  ])
  expect((body['points'] as unknown as { p95Ms: number }[])[1]?.p95Ms).toBeCloseTo(80, -1)
  expect(body['versions']).toMatchObject([{ version: '2.0.0', calls: 10, errors: 5 }])
  expect((await world.get('/api/v1/traffic?service=math&operation=none')).body['points']).toEqual([])
  expect((await world.get('/api/v1/traffic?flow=POST%20/report')).body['points']).toMatchObject([{ calls: 12 }])
  const week = await world.get(`/api/v1/traffic?service=math&since=${iso(secondsAgo(7 * 86_400))}`)
  expect(week.body).toMatchObject({ stepSeconds: 42 * 60 })
})

test('flows: runs are counted once each, by their first trace', async () => {
  const { body } = await world.get('/api/v1/flows')
  expect(body.items).toMatchObject([
    { name: 'POST /report', runs: 2, failed: 1, users: 2, services: ['gateway', 'math', 'worker'] },
  ])
  expect((await world.get('/api/v1/flows?name=other')).body.items).toEqual([])
})

test.each([
  ['service=math', ['s3', 's2', 's1']],
  ['service=math&status=error', ['s1']],
  ['status=ok&minMs=9', ['s4', 's3']],
  ['maxMs=9', ['s2']],
  ['operation=render', ['s4']],
  ['user=ada', ['s1']],
  ['attribute=version%3Dgood', ['s3', 's2']],
  ['attribute=version%3Dgood&attribute=http.route%3D/evaluate&minMs=8.5', ['s3']],
  ['attribute=service.name%3Dpdf', ['s4']],
  ['text=EVALU', ['s3', 's2', 's1']],
  ['text=onerror', ['s1']],
  ['flow=POST%20/report&service=math', ['s3', 's2', 's1']],
  ['flow=none', []],
  [`until=${iso(secondsAgo(85))}`, ['s2', 's1']],
])('search: spans by %s', async (query, found) => {
  const { status, body } = await world.get(`/api/v1/spans?${query}`)
  expect(status).toBe(200)
  const ids = found.map((name) => Buffer.from(name).toString('hex').padEnd(16, '0'))
  expect(body.items.map((span) => span['spanId'])).toEqual(ids)
})

test('search: pages go on where the one before ended', async () => {
  const first = await world.get('/api/v1/spans?limit=3')
  const next = await world.get(`/api/v1/spans?limit=3&cursor=${String(first.body.nextCursor)}`)
  expect([first.body.items.length, next.body.items.length, next.body.nextCursor]).toEqual([3, 1, null])
})

test.each([
  ['spans?minMs=fast', 'minMs', '"fast": use milliseconds, such as 250 or 0.5'],
  [
    'spans?attribute=novalue',
    'attribute',
    '"novalue": use name=value, such as http.response.status_code=500, at most 8 times',
  ],
  ['spans/heat?status=bad', 'status', '"bad": use ok or error'],
  ['spans/differences?chosenSince=soon', 'chosenSince', '"soon": use RFC 3339, such as 2026-01-31T12:00:00Z'],
  ['traffic?service=', 'service', '"": leave it out, or give a value'],
])('%s is refused: %s', async (path, field, message) => {
  const { status, body } = await world.get(`/api/v1/${path}`)
  expect(status).toBe(400)
  expect(body.error['details']).toEqual([{ field, message }])
})

test('the map of time by duration holds every span once', async () => {
  const { body } = await world.get('/api/v1/spans/heat')
  const cells = body['cells'] as unknown as { column: number; bucket: number; spans: number; errors: number }[]
  expect(cells.reduce((sum, { spans }) => sum + spans, 0)).toBe(4)
  // 400 ms: ⌊4 · log2(400)⌋ = 34.
  expect(cells.filter(({ errors }) => errors > 0)).toMatchObject([{ bucket: 34, spans: 1 }])
  expect(Math.max(...cells.map(({ column }) => column))).toBeLessThan(60)
})

test('what sets the failed spans apart is told first, with both shares', async () => {
  const { body } = await world.get('/api/v1/spans/differences?service=math&chosenStatus=error')
  expect(body).toMatchObject({ chosen: 1, others: 2 })
  const told = body['differences'] as unknown as { name: string; value: string; chosen: number; others: number }[]
  expect(told).toContainEqual({ name: 'version', value: 'bad', chosen: 1, others: 0 })
  expect(told).toContainEqual({ name: 'version', value: 'good', chosen: 0, others: 1 })
  expect(told.map(({ name }) => name)).not.toContain('http.route')
  const slow = await world.get('/api/v1/spans/differences?chosenMinMs=100')
  expect(slow.body).toMatchObject({ chosen: 2, others: 2 })
})

test("a run's logs are those of its traces, as they came", async () => {
  const { body } = await world.get(`/api/v1/executions/${traceId('a')}/logs`)
  expect(body).toMatchObject({ items: [{ severity: 'ERROR', body: hostile }], truncated: false })
  expect((await world.get(`/api/v1/executions/${traceId('nobody')}/logs`)).status).toBe(404)
})

test('what is usual for a run is what was so in the hour before it', async () => {
  const { body } = await world.get(`/api/v1/executions/${traceId('a')}/usual`)
  expect(body.items).toContainEqual(
    expect.objectContaining({ service: 'math', operation: 'POST /evaluate', calls: 50 }),
  )
})

/** An API with the console's files, as a real server. */
async function serve(token?: string) {
  const directory = mkdtempSync(join(tmpdir(), 'headwater-console-'))
  mkdirSync(join(directory, 'assets'))
  writeFileSync(join(directory, 'index.html'), '<!doctype html><title>Headwater</title>')
  writeFileSync(join(directory, 'assets', 'app-abc.js'), 'export {}')
  writeFileSync(join(directory, 'secret.env'), 'TOKEN=1')
  const api = await startApi({
    store: world.store,
    settings: { host: '127.0.0.1', port: 0, token },
    metricsText: () => '',
    now: () => nowMs,
    consoleDirectory: directory,
  })
  onTestFinished(async () => {
    await api.stop()
    rmSync(directory, { recursive: true })
  })
  return api
}

test('the console is served to everybody, under a policy that lets nothing else run', async () => {
  const { url } = await serve('secret')
  for (const path of ['/', '/incidents/some-id', `/runs/${traceId('a')}`, '/search?service=math']) {
    const response = await fetch(`${url}${path}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).not.toContain('unsafe')
    expect(policy).not.toContain('http')
    expect(await response.text()).toContain('<title>Headwater')
  }
  const script = await fetch(`${url}/assets/app-abc.js`)
  expect(script.headers.get('cache-control')).toContain('immutable')
  expect(script.headers.get('content-encoding')).toBe('gzip')
  for (const path of ['/secret.env', '/assets/../secret.env', '/assets/%2e%2e/secret.env', '/assets/', '/index.html']) {
    // Without the token, whatever is no file of the console is not even said to be absent.
    expect([401, 404]).toContain((await fetch(`${url}${path}`)).status)
  }
})

test('the token is given once, for a cookie; then questions and the WebSocket are answered', async () => {
  const { url } = await serve('secret')
  const give = (token: string, headers = {}) =>
    fetch(`${url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ token }),
    })
  expect((await fetch(`${url}/api/v1/now`)).status).toBe(401)
  expect((await give('wrong')).status).toBe(401)
  expect((await give('secret', { origin: 'https://elsewhere.example' })).status).toBe(403)
  const given = await give('secret')
  expect(given.status).toBe(204)
  const cookie = (given.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  expect((await fetch(`${url}/api/v1/now`, { headers: { cookie } })).status).toBe(200)

  const at = url.replace('http', 'ws')
  expect(await refusalOf(new WebSocket(`${at}/ws`))).toBe(401)
  expect(await refusalOf(new WebSocket(`${at}/ws`, { headers: { cookie, origin: 'https://elsewhere.example' } }))).toBe(
    403,
  )
  expect(await refusalOf(new WebSocket(`${at}/nothing`, { headers: { cookie } }))).toBe(404)
  const socket = new WebSocket(`${at}/ws`, { headers: { cookie, origin: url } })
  const [message] = (await once(socket, 'message')) as [Buffer]
  expect(JSON.parse(gunzipSync(message).toString())).toMatchObject({ incidents: [{ id: 'open-one' }] })
  socket.close()

  const ended = await fetch(`${url}/api/v1/session`, { method: 'DELETE', headers: { cookie } })
  expect(ended.headers.get('set-cookie')).toContain('Max-Age=0')
})

async function refusalOf(socket: WebSocket): Promise<number | undefined> {
  const refused = new Promise<number | undefined>((resolve) => {
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode))
    socket.on('open', () => resolve(101))
  })
  const status = await refused
  socket.on('error', () => undefined)
  socket.terminate()
  return status
}

test('/ws asked for without an upgrade says what it is', async () => {
  const response = await world.api.request('/ws')
  expect(response.status).toBe(426)
})

test('without a build, the place of the console tells how to get one', async () => {
  const response = await world.api.request('/')
  expect(response.status).toBe(404)
  expect(await response.text()).toContain('npm start')
})
