import { connectStore } from '@headwater/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pages } from './routes/console.ts'
import { incident, iso, keepIncident, nowMs, secondsAgo, startWorld, traceId, type World } from './test-world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

const post = (body: unknown, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

test('a reported change is kept, with the time it is by default, and listed latest first', async () => {
  const first = await world.get('/api/v1/changes', post({ kind: 'deploy', service: 'math', version: '2.0.0' }))
  expect(first.status).toBe(201)
  expect(first.body).toEqual({
    id: expect.any(String),
    kind: 'deploy',
    service: 'math',
    version: '2.0.0',
    description: null,
    at: iso(nowMs),
  })
  await world.get(
    '/api/v1/changes',
    post({ kind: 'flag', service: 'pdf', description: 'new fonts', at: '2026-01-31T12:00:00+02:00' }),
  )
  const { body } = await world.get('/api/v1/changes')
  expect(body.items.map((change) => [change.service, change['at']])).toEqual([
    ['math', iso(nowMs)],
    ['pdf', '2026-01-31T10:00:00.000Z'],
  ])
  expect((await world.get('/api/v1/changes?service=pdf')).body.items).toHaveLength(1)
  expect((await world.get(`/api/v1/changes?until=${iso(secondsAgo(1))}`)).body.items).toHaveLength(1)
  const page = await world.get('/api/v1/changes?limit=1')
  expect((await world.get(`/api/v1/changes?limit=1&cursor=${String(page.body.nextCursor)}`)).body.items).toMatchObject([
    { service: 'pdf' },
  ])
})

const say = (path: string, body: unknown, method = 'POST') =>
  world.get(`/api/v1/incidents/${path}`, { ...post(body), method })

test('who acknowledges an incident looks after it; the first one stays, and comments are kept in order', async () => {
  await keepIncident(world, incident('ack'))
  const { status, body } = await say('ack/acknowledge', { by: 'ada' })
  expect([status, body['acknowledged']]).toEqual([200, { by: 'ada', at: iso(nowMs) }])
  expect((await say('ack/acknowledge', { by: 'ben' })).body['acknowledged']).toMatchObject({ by: 'ada' })
  await say('ack/comments', { by: 'ada', text: 'rolling back' })
  await say('ack/comments', { by: 'ben', text: 'thanks' })
  const read = await world.get('/api/v1/incidents/ack')
  expect(read.body['comments']).toEqual([
    { by: 'ada', at: iso(nowMs), text: 'rolling back' },
    { by: 'ben', at: iso(nowMs), text: 'thanks' },
  ])
  expect(read.body).toMatchObject({ state: 'open', acknowledged: { by: 'ada' }, resolvedBy: null })
})

test('who resolves an incident ends it for all; again is no error, and nobody can look after it any more', async () => {
  await keepIncident(world, incident('over'))
  const resolved = await say('over/resolve', { by: 'ada' })
  expect(resolved.body).toMatchObject({ state: 'resolved', resolvedAt: iso(nowMs), resolvedBy: 'ada' })
  expect((await say('over/resolve', { by: 'ben' })).body).toMatchObject({ resolvedBy: 'ada' })
  expect((await say('over/acknowledge', { by: 'ben' })).status).toBe(409)
  const ids = async (state: string) =>
    (await world.get(`/api/v1/incidents?state=${state}`)).body.items.map(({ id }) => id)
  expect(await ids('open')).not.toContain('over')
  expect(await ids('resolved')).toContain('over')
  const state = await world.get('/api/v1/state')
  expect(Number(state.body['closedGoingOn'])).toBeGreaterThan(0)
  const trail = await world.store.clickhouse.query({
    query: `SELECT State AS state, JSONExtractString(Document, 'resolvedBy') AS by FROM incident_events WHERE IncidentId = 'over'`,
    format: 'JSONEachRow',
  })
  expect(await trail.json()).toEqual([{ state: 'resolved', by: 'ada' }])
})

test('verdicts make the score: right by how sure the cause was told, with the last one of each incident', async () => {
  const [first] = incident('sure').causes
  if (first === undefined) throw new Error('The incident has no cause')
  await keepIncident(world, incident('sure', { confidence: 0.93 }))
  await keepIncident(world, incident('unsure', { confidence: 0.6 }))
  await keepIncident(world, incident('none', { causes: [], confidence: 0 }))
  await say('sure/verdict', { by: 'ada', cause: 'wrong' }, 'PUT')
  const { body } = await say('sure/verdict', { by: 'ada', cause: 'right' }, 'PUT')
  expect(body['verdict']).toEqual({
    by: 'ada',
    at: iso(nowMs),
    cause: 'right',
    actual: null,
    judged: { service: 'math', operation: 'POST /evaluate', kind: 'errors', confidence: 0.93 },
  })
  const wrong = await say('unsure/verdict', { by: 'ada', cause: 'wrong', actual: { service: 'pdf' } }, 'PUT')
  expect(wrong.body['verdict']).toMatchObject({ cause: 'wrong', actual: { service: 'pdf' } })
  expect((await say('none/verdict', { by: 'ada', cause: 'wrong' }, 'PUT')).body.error['message']).toContain(
    'tells no cause',
  )
  const score = await world.get('/api/v1/score')
  expect(score.body).toMatchObject({ judged: 2, right: 1, share: 0.5 })
  const bands = score.body['bands']!.map(({ from, to, judged, right, share }) => [from, to, judged, right, share])
  expect(bands).toEqual([
    [0, 0.25, 0, 0, null],
    [0.25, 0.5, 0, 0, null],
    [0.5, 0.75, 1, 0, 0],
    [0.75, 0.9, 0, 0, null],
    [0.9, 1, 1, 1, 1],
  ])
})

test.each([
  ['POST', 'acknowledge', {}, 400, 'by: missing: give a text'],
  ['POST', 'resolve', { by: 'x'.repeat(201) }, 400, `by: "${'x'.repeat(199)}: use at most 200 characters`],
  ['POST', 'comments', { by: 'ada', text: '' }, 400, 'text: "": leave it out, or give a text'],
  ['PUT', 'verdict', { by: 'ada', cause: 'maybe' }, 400, 'cause: "maybe": use right or wrong'],
  [
    'PUT',
    'verdict',
    { by: 'ada', cause: 'right', actual: { service: 'a' } },
    400,
    'actual: goes with wrong only: leave it out, or say wrong',
  ],
  ['PUT', 'verdict', { by: 'ada', cause: 'wrong', actual: {} }, 400, 'actual.service: missing: give a text'],
])('%s %s that says %j is refused', async (method, deed, given, expected, message) => {
  const { status, body } = await say(`any/${deed}`, given, method)
  expect([
    status,
    body.error['details']!.map(({ field, message: mend }) => `${String(field)}: ${String(mend)}`),
  ]).toEqual([expected, [message]])
})

test('an incident takes a hundred comments, and a deed on one that is not there is 404', async () => {
  await keepIncident(world, incident('talk'))
  for (let i = 0; i < 100; i += 1) await say('talk/comments', { by: 'ada', text: `${i}` })
  expect((await say('talk/comments', { by: 'ada', text: 'more' })).status).toBe(409)
  expect((await world.get('/api/v1/incidents/talk')).body['comments']).toHaveLength(100)
  expect((await say('nowhere/resolve', { by: 'ada' })).status).toBe(404)
})

test.each([
  ['services?since=yesterday', 'since', '"yesterday": use RFC 3339, such as 2026-01-31T12:00:00Z'],
  [
    'services?since=2026-01-31T12:00:00Z&until=2026-01-31T11:00:00Z',
    'since',
    '"2026-01-31T12:00:00Z" is not before until: use an earlier since or a later until',
  ],
  ['executions?limit=0', 'limit', '"0": use a whole number from 1 to 200'],
  ['executions?limit=201', 'limit', '"201": use a whole number from 1 to 200'],
  ['executions?limit=many', 'limit', '"many": use a whole number from 1 to 200'],
  ['executions?status=bad', 'status', '"bad": use ok, error or running'],
  ['executions?cursor=xyz', 'cursor', '"xyz": use the nextCursor of the page before, unchanged, or leave it out'],
  ['executions?user=', 'user', '"": leave it out, or give a value'],
  ['executions?colour=red', 'colour', 'is not known here: leave it out'],
  ['executions?limit=1&limit=2', 'limit', '["1","2"]: use a whole number from 1 to 200'],
  ['executions/ABC', 'flowId', '"ABC": use 32 lowercase hex digits'],
  ['executions/ABC/explain', 'flowId', '"ABC": use 32 lowercase hex digits'],
  ['traces/..%2f', 'traceId', '"../": use 32 lowercase hex digits'],
  ['incidents?state=closed', 'state', '"closed": use open or resolved'],
  ['graph?until=9999-01-01T00:00:00Z', 'until', '"9999-01-01T00:00:00Z": use a year from 1970 to 2096'],
  ['impact', 'service', 'missing: give one value'],
])('%s is refused: %s %s', async (path, field, message) => {
  const { status, body, headers } = await world.get(`/api/v1/${path}`)
  expect(status).toBe(400)
  expect(body.error).toEqual({
    code: 'invalid_request',
    message: `The request cannot be understood: see ${field}`,
    details: [{ field, message }],
    requestId: headers.get('x-request-id'),
    traceId: null,
  })
})

test.each([
  [{ kind: 'rename', service: 'math' }, 400, 'kind', '"rename": use deploy, flag or configuration'],
  [{ kind: 'deploy' }, 400, 'service', 'missing: give a text'],
  [{ kind: 'deploy', service: 'x'.repeat(501) }, 400, 'service', `"${'x'.repeat(199)}: use at most 500 characters`],
  [{ kind: 'deploy', service: 'math', at: 7 }, 400, 'at', '7: use RFC 3339, such as 2026-01-31T12:00:00Z'],
  [{ kind: 'deploy', service: 'math', who: 'me' }, 400, 'who', 'is not known here: leave it out'],
  ['[]', 400, 'body', '[]: send a JSON object'],
])('a change that reads %j is refused', async (given, expected, field, message) => {
  const { status, body } = await world.get('/api/v1/changes', post(given))
  expect([status, body.error.details]).toEqual([expected, [{ field, message }]])
})

test.each([
  [post('{'), 400, 'invalid_request'],
  [post('kind=deploy', { 'content-type': 'application/x-www-form-urlencoded' }), 415, 'unsupported_media_type'],
  [post('{"kind":"deploy"}', { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
  [post({ kind: 'deploy', service: 'math', description: 'x'.repeat(70_000) }), 413, 'body_too_large'],
  [post({ kind: 'deploy', service: 'math' }, { origin: 'https://evil.example' }), 403, 'origin_refused'],
])('a body that cannot be taken is refused: %j', async (init, expected, code) => {
  const { status, body } = await world.get('/api/v1/changes', init)
  expect([status, body.error.code]).toEqual([expected, code])
})

test('what is not there is 404, and a method that is not possible is 405', async () => {
  expect((await world.get('/api/v2/services')).body.error).toMatchObject({
    code: 'not_found',
    message: 'There is nothing at /api/v2/services: see /openapi.json',
  })
  const wrong = await world.get('/api/v1/services', { method: 'DELETE' })
  expect([wrong.status, wrong.body.error.code, wrong.headers.get('allow')]).toEqual([
    405,
    'method_not_allowed',
    'GET, HEAD',
  ])
})

test('an answer bears the request’s ID and trace, where they can be one', async () => {
  const trace = traceId('call')
  const known = await world.get('/nowhere', {
    headers: { 'x-request-id': 'my-7', traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  })
  expect(known.body.error).toMatchObject({ requestId: 'my-7', traceId: trace })
  const forged = await world.get('/nowhere', { headers: { 'x-request-id': '<script>' } })
  expect(forged.body.error.requestId).toMatch(/^[0-9a-f-]{36}$/)
})

test.each(['evil.example', 'evil.example:8012', '127.0.0.1.evil.example', '10.0.0.1:8012', ''])(
  'a page cannot name us by a name of its own: %j',
  async (host) => {
    const { status, body } = await world.get('/api/v1/services', { headers: { host } })
    expect([status, body.error.code]).toEqual([403, 'host_refused'])
  },
)

test.each(['localhost:8012', '127.0.0.1:1', '[::1]:8012', 'headwater.localhost'])(
  'a loopback name is ours: %s',
  async (host) => {
    expect((await world.get('/api/v1/services', { headers: { host } })).status).toBe(200)
  },
)

test('a page from elsewhere cannot read: no CORS header is ever sent', async () => {
  const { headers } = await world.get('/api/v1/services', { headers: { origin: 'https://evil.example' } })
  expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
})

test('with a token, all but the health checks ask for it', async () => {
  const api = world.serve({ settings: { host: '0.0.0.0', token: 'right' } })
  const status = async (path: string, authorization?: string) =>
    (
      await api.request(path, {
        headers: { host: 'any.example', ...(authorization !== undefined && { authorization }) },
      })
    ).status
  for (const path of ['/api/v1/services', '/openapi.json', '/metrics', '/api/v1/incidents']) {
    expect([
      path,
      await status(path),
      await status(path, 'Bearer wrong'),
      await status(path, 'Basic right'),
      await status(path, 'Bearer right'),
    ]).toEqual([path, 401, 401, 401, 200])
  }
  expect([await status('/livez'), await status('/readyz')]).toEqual([200, 200])
  const refused = await api.request('/api/v1/services')
  expect(refused.headers.get('www-authenticate')).toBe('Bearer')
  expect(await refused.json()).toMatchObject({
    error: { code: 'unauthorized', message: expect.stringContaining('missing') },
  })
})

test('health says which part is not ready, and why', async () => {
  expect((await world.api.request('/livez')).status).toBe(200)
  expect(await world.get('/readyz')).toMatchObject({
    status: 200,
    body: { ready: true, parts: { clickhouse: { ok: true }, postgres: { ok: true } } },
  })
  const behind = world.serve({ readiness: () => ({ analyzer: { ok: false, reason: 'it lost its lease' } }) })
  const answer = await behind.request('/readyz')
  expect([answer.status, await answer.json()]).toMatchObject([
    503,
    { ready: false, parts: { analyzer: { reason: 'it lost its lease' } } },
  ])
})

test('while an engine is away, readiness names it, questions are 503 with Retry-After, and the rest goes on', async () => {
  // Nobody listens on the discard port of this machine.
  const store = connectStore({
    clickhouseUrl: 'http://u:p@127.0.0.1:9/headwater',
    databaseUrl: 'postgres://u:p@127.0.0.1:9/headwater',
  })
  try {
    const api = world.serve({ store })
    const ready = await api.request('/readyz')
    expect([ready.status, await ready.json()]).toMatchObject([
      503,
      {
        parts: { clickhouse: { ok: false, reason: expect.stringContaining('ECONNREFUSED') }, postgres: { ok: false } },
      },
    ])
    for (const path of [
      'services',
      'graph',
      'executions',
      `executions/${traceId('a')}`,
      `executions/${traceId('a')}/explain`,
      `traces/${traceId('a')}`,
      'incidents',
      'incidents/i',
      'impact?service=a',
      'changes',
    ]) {
      const answer = await api.request(`/api/v1/${path}`)
      expect([path, answer.status, answer.headers.get('retry-after')]).toEqual([path, 503, '5'])
      expect(await answer.json()).toMatchObject({
        error: { code: 'engine_unavailable', message: expect.stringMatching(/(ClickHouse|PostgreSQL) is away/) },
      })
    }
    expect((await api.request('/livez')).status).toBe(200)
    expect((await api.request('/metrics')).status).toBe(200)
  } finally {
    await store.close()
  }
})

test('a failure of ours is 500, logged with the request, and tells the caller nothing of our insides', async () => {
  const logged: string[] = []
  const store = {
    ...world.store,
    get clickhouse(): never {
      throw new Error('secret of the house')
    },
  }
  const api = world.serve({ store, log: (message) => logged.push(message) })
  const answer = await api.request('/api/v1/services', { headers: { 'x-request-id': 'r-1' } })
  expect(answer.status).toBe(500)
  expect(JSON.stringify(await answer.json())).not.toContain('secret')
  expect(logged).toEqual(['Cannot answer GET /api/v1/services (request r-1)'])
})

test('requests are counted by route, and paths that are none under one name', async () => {
  const api = world.serve()
  for (const path of ['/readyz', '/livez', `/api/v1/traces/${traceId('a')}`, '/x', '/y']) await api.request(path)
  const text = await (await api.request('/metrics')).text()
  for (const line of [
    'route="/readyz",status="200"} 1',
    'route="/api/v1/traces/:traceId",status="404"} 1',
    'route="unknown",status="404"} 2',
  ]) {
    expect(text).toContain(`headwater_api_requests_total{${line}`)
  }
})

interface Described {
  openapi: string
  paths: Record<
    string,
    Record<
      string,
      {
        summary: string
        parameters?: { name: string; required?: boolean; schema: object }[]
        responses: Record<string, object>
      }
    >
  >
  components: { schemas: Record<string, object> }
}

test('OpenAPI 3.1 describes every route, each with its answers, and refers to nothing that is missing', async () => {
  const described = (await (await world.api.request('/openapi.json')).json()) as Described
  expect(described.openapi).toBe('3.1.0')
  const served = world.api.routes
    .filter(({ method, path }) => method !== 'ALL' && path !== '/openapi.json' && !pages.includes(path))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{[^}]+\})?/g, '{$1}')}`)
  const documented = Object.entries(described.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(documented.toSorted()).toEqual([...new Set(served)].toSorted())
  expect(documented).toContain('GET /api/v1/executions/{flowId}/explain')
  // A session has no content, and who asks for what goes on without a WebSocket is told to take one.
  const unusual: Record<string, string> = { '/api/v1/session': '204', '/ws': '426' }
  for (const [path, methods] of Object.entries(described.paths)) {
    for (const route of Object.values(methods)) {
      expect(route.summary).not.toBe('')
      const usual = route === described.paths['/api/v1/changes']?.['post'] ? '201' : '200'
      expect(Object.keys(route.responses)).toContain(unusual[path] ?? usual)
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect((route.parameters ?? []).filter(({ name }) => named.includes(name))).toHaveLength(named.length)
    }
  }
  const references = [...JSON.stringify(described).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name)
  expect(new Set(references)).toContain('Error')
  for (const name of references) expect(Object.keys(described.components.schemas)).toContain(name)
  const limit = described.paths['/api/v1/executions']?.['get']?.parameters?.find(({ name }) => name === 'limit')
  expect(limit).toMatchObject({ schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } })
  expect(limit?.required ?? false).toBe(false)
})
