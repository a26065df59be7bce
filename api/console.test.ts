// What the console asks for beside the rest of the API: the map of now, over HTTP and WebSocket, time series, flows, search,
// the details of a run; and how it is served and let in.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { once } from 'node:events'
import { consoleDirectory } from '@headwater/console'
import type { Cause } from '@headwater/vocabulary'
import { type Browser, chromium, type Page, startBrowser, withoutChromium } from '@headwater/console/testing'
import axe from 'axe-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { startApi } from './start.ts'
import {
  call,
  incident,
  iso,
  keepAlert,
  keepIncident,
  minute,
  nowMs,
  rawSpan,
  secondsAgo,
  settledTrace,
  spanId,
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
      user: hostile,
    }),
    settledTrace({ trace: 'a2', flow: 'a', name: 'other', at: secondsAgo(100), ms: 9_000, services: ['worker'] }),
    settledTrace({ trace: 'b', at: secondsAgo(90), ms: 300, services: ['gateway'], user: 'bob' }),
  ])
  await world.insert('chain_dependency_events', [
    call({
      trace: 'a',
      at: secondsAgo(120),
      service: 'math',
      operation: 'POST /evaluate',
      kind: 'sync',
      caller: 'gateway',
      callerOperation: 'POST /report',
      failed: true,
      user: 'ada',
    }),
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
  await keepIncident(world, incident('open-one', { causes: incident('').causes.map(withMore) }))
  const told = { incident: 'open-one', at: secondsAgo(580) }
  await keepAlert(world, { ...told, destination: 'oncall' })
  await keepAlert(world, {
    ...told,
    destination: 'team',
    state: 'waiting',
    reason: 'it answered 503: \u202Egnp',
    attempts: 3,
  })
})
afterAll(() => world.stop())

/** What tells its bad calls from good ones, and evidence in calls per call. */
function withMore(cause: Cause): Cause {
  return {
    ...cause,
    attribute: { name: 'service.version', value: '2.0.0', badShare: 0.9, goodShare: 0.02 },
    evidence: [
      ...cause.evidence,
      {
        signal: 'cache-misses',
        sentence: 'It asked the cache, and then the database',
        expected: 0.05,
        seen: 0.8,
        unit: 'calls',
        query: null,
      },
    ],
  }
}

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
  ['flow=POST%20/report&status=error', ['s1']],
  ['flow=other&status=error', []],
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
    explainPast: () => Promise.reject(new Error('Nobody asks here')),
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

if (chromium === undefined) process.stderr.write(`${withoutChromium}, so nobody walks the console\n`)

describe.skipIf(chromium === undefined)('in a browser', () => {
  const patienceMs = 60_000
  const timeout = 300_000
  let browser: Browser | undefined
  beforeAll(async () => {
    browser = await startBrowser()
  }, timeout)
  afterAll(() => browser?.close())

  /** A page on a console of its own, and all that a browser finds wrong with it. */
  async function open({
    token,
    width = 1440,
    scheme = 'light',
  }: { token?: string; width?: number; scheme?: string } = {}) {
    if (browser === undefined) throw new Error('The browser did not start')
    const api = await startApi({
      store: world.store,
      settings: { host: '127.0.0.1', port: 0, token },
      metricsText: () => '',
      explainPast: () => Promise.reject(new Error('Nobody asks here')),
      now: () => nowMs,
      consoleDirectory,
    })
    const context = await browser.createBrowserContext()
    onTestFinished(async () => {
      await context.close()
      await api.stop()
    })
    const page = await context.newPage()
    page.setDefaultTimeout(patienceMs)
    await page.setViewport({ width, height: 900 })
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
    const wrong: string[] = []
    page.on('pageerror', (error) => wrong.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') wrong.push(message.text())
    })
    page.on('request', (request) => {
      if (new URL(request.url()).host !== new URL(api.url).host) wrong.push(`asked ${request.url()}`)
    })
    return { page, wrong, go: (path: string) => page.goto(`${api.url}${path}`) }
  }

  const says = (page: Page, text: string) =>
    page.waitForFunction(`document.querySelector('main')?.innerText.includes(${JSON.stringify(text)})`)

  /** What axe finds that keeps somebody out. */
  async function barriers(page: Page): Promise<string[]> {
    await page.evaluate(axe.source)
    const { violations } = (await page.evaluate('axe.run()')) as axe.AxeResults
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' ')}`)
  }

  test('the way of somebody whom an alert woke: incident, run, service, map', { timeout }, async () => {
    const { page, wrong, go } = await open()
    await go('/incidents/open-one')
    await says(page, 'math fails')
    await says(page, '52 % of calls fail, 0 % before')
    await says(page, 'service.version = 2.0.0 90 % of its calls are bad, 2.0 % of the others')
    await says(page, '0.05 per call')
    await says(page, '0.8 per call')
    expect(
      await page.evaluate(`[...document.querySelectorAll('.path li strong')].map((each) => each.innerText)`),
    ).toEqual(['gateway', 'math'])
    expect(await barriers(page)).toEqual([])

    await says(page, 'oncall was told of it')
    await says(page, 'team could not be told yet, which is tried again (3 attempts: it answered 503: ⟨U+202E⟩gnp)')
    await page.click('.incident a[href^="/?incident="]')
    await page.waitForSelector('.service.cause.way')
    await says(page, 'gateway → math, the way of the incident')
    expect(new URL(page.url()).searchParams.get('incident')).toBe('open-one')
    expect(await page.$$('.react-flow__edge.way')).toHaveLength(1)
    expect(await barriers(page)).toEqual([])
    await page.goBack()
    await says(page, 'math fails')

    await page.type('.deeds input', 'Ada')
    await page.click('.deeds button.primary')
    await says(page, 'Ada looks after it')
    await page.type('textarea', `rolled back ${hostile}`)
    await page.click('.comment-form button[type=submit]')
    await says(page, 'rolled back <img src=x onerror=alert(1)>⟨U+202E⟩gnp')
    const kept = await world.get('/api/v1/incidents/open-one')
    expect(kept.body).toMatchObject({
      acknowledged: { by: 'Ada' },
      comments: [{ by: 'Ada', text: `rolled back ${hostile}` }],
    })

    await page.waitForSelector('[aria-labelledby=examples] a[data-row]')
    await page.click('[aria-labelledby=examples] a[data-row]')
    await says(page, 'What failed first')
    expect(new URL(page.url()).pathname).toBe(`/runs/${traceId('a')}`)
    await page.waitForSelector('.line.first-failure')
    // The address has what was chosen, for whoever gets it.
    await page.$$eval('.waterfall button', (buttons) => buttons[2]?.click())
    await page.waitForFunction(`location.search.includes('only=errors')`)
    await page.reload()
    await page.waitForSelector('.waterfall button:nth-of-type(3)[aria-pressed=true]')
    await page.waitForSelector('.line.first-failure')
    await page.click('.line.first-failure')
    await page.waitForSelector('.details')
    // What was sent with the span comes once it is looked at.
    await page.waitForFunction(`document.querySelector('.details').innerText.includes('http.route')`)
    await says(page, 'TypeError')
    await says(page, '<img src=x onerror=alert(1)>')
    expect(page.url()).toContain('span=')
    expect(await barriers(page)).toEqual([])

    await page.click('.details a[href^="/service"]')
    await says(page, 'What would be hit if it failed')
    await page.waitForSelector('.charts canvas')
    await says(page, 'POST /evaluate')

    await page.click('.bar a[href="/"]')
    await page.waitForSelector('.react-flow__node .service.cause')
    await page.waitForFunction(`document.querySelector('.live').innerText.startsWith('live')`)
    expect(await barriers(page)).toEqual([])
    expect(await page.$$('img[src="x"]')).toEqual([])
    expect(wrong).toEqual([])
  })

  test('the map is whole again after its window has become another', { timeout }, async () => {
    const { page, wrong, go } = await open()
    await go('/')
    await page.waitForSelector('.react-flow__node')
    const isWhole = `(() => {
      const map = document.querySelector('.map').getBoundingClientRect()
      return [...document.querySelectorAll('.react-flow__node')].every((node) => {
        const { left, right, top, bottom } = node.getBoundingClientRect()
        return left >= map.left && right <= map.right && top >= map.top && bottom <= map.bottom
      })
    })()`
    await page.waitForFunction(isWhole)
    await page.setViewport({ width: 390, height: 844 })
    await page.waitForFunction(`innerWidth === 390 && ${isWhole}`)
    expect(wrong).toEqual([])
  })

  test('search answers as one types, and its address says all of it; dark, on a phone', { timeout }, async () => {
    const { page, wrong, go } = await open({ width: 390, scheme: 'dark' })
    await go('/search')
    await page.waitForSelector('.words input')
    await page.type('.words input', 'service:math status:error >100ms')
    await page.waitForFunction(`document.querySelectorAll('.results .rows li').length === 1`)
    await says(page, '<img src=x onerror=alert(1)>')
    const asked = new URL(page.url()).searchParams
    expect([asked.get('service'), asked.get('status'), asked.get('minMs')]).toEqual(['math', 'error', '100'])
    await go(`/search?${asked.toString()}`)
    await page.waitForFunction(`document.querySelector('.words input')?.value.includes('status:error')`)
    await page.waitForSelector('.heat rect')
    expect(await barriers(page)).toEqual([])
    // A part of the map can be chosen without a pointer.
    await page.evaluate(`document.querySelector('.heat svg').focus()`)
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.down('Shift')
    for (const key of ['ArrowRight', 'ArrowUp'] as const) await page.keyboard.press(key)
    await page.keyboard.up('Shift')
    await page.keyboard.press('Enter')
    await says(page, 'chosen: 362 ms – 512 ms')
    expect(new URL(page.url()).searchParams.get('min')).toBe(String(Math.round(2 ** (34 / 4) * 1e6) / 1e6))
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    await go('/incidents/open-one')
    await says(page, 'math fails')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    expect(wrong).toEqual([])
  })

  test(
    'every page keeps nobody out and fits its window, light and dark, whatever telemetry says',
    { timeout },
    async () => {
      const service = `shop ${hostile}`
      const operation = `POST /${hostile}`
      const huge = `${hostile} ${'x'.repeat(20_000)}`
      const calls = { at: secondsAgo(240), service, operation, calls: 20, errors: 10, ms: 30, flow: hostile }
      await world.insert('chain_health_metrics', [
        minute({ ...calls, kind: 'sync', caller: 'gateway', callerOperation: 'POST /report' }),
        { ...minute({ ...calls, at: secondsAgo(180) }), Version: hostile },
      ])
      await world.insert('chain_health_metrics_10s', [
        { ...minute({ ...calls, kind: 'sync', caller: 'gateway' }), Window: Math.floor(secondsAgo(40) / 10_000) * 10 },
      ])
      await world.insert('chain_execution_traces', [
        settledTrace({
          trace: 'hostile',
          name: hostile,
          at: secondsAgo(60),
          services: [service],
          failed: true,
          user: huge,
        }),
      ])
      await world.insert('chain_dependency_events', [
        call({ trace: 'hostile', name: hostile, at: secondsAgo(60), service, operation, failed: true, user: huge }),
      ])
      await world.insert('otel_traces', [
        rawSpan({
          trace: 'hostile',
          span: 'h1',
          at: secondsAgo(60),
          service,
          name: operation,
          failed: true,
          message: huge,
          attributes: { [hostile]: hostile, 'db.query.text': huge, 'user.id': hostile },
        }),
      ])
      const [cause] = incident('').causes
      if (cause === undefined) throw new Error('An incident has a cause')
      const told = { ...cause, service, operation, path: [{ service, operation }] }
      await keepIncident(
        world,
        incident('hostile', {
          title: huge,
          causes: [told],
          impact: { ...incident('').impact, services: [service], flows: [] },
        }),
      )
      const shown = '<img src=x onerror=alert(1)>⟨U+202E⟩gnp'
      const of = (path: string, name: string) => `${path}?name=${encodeURIComponent(name)}`
      const pages: [string, string][] = [
        ['/', '.service.cause'],
        ['/?as=table', 'table'],
        ['/incidents', '.rows.incidents'],
        ['/incidents/hostile', '.path'],
        [`/runs/${traceId('hostile')}?span=${spanId('h1')}`, '.details .attributes'],
        [`/search?service=${encodeURIComponent(service)}`, '.results .rows li'],
        [of('/service', service), '.charts canvas'],
        [of('/flow', hostile), '.rows li'],
        ['/flows', 'table'],
        ['/services', 'table'],
      ]
      const { page, wrong, go } = await open()
      for (const { width, scheme } of [
        { width: 1440, scheme: 'dark' },
        { width: 390, scheme: 'light' },
      ]) {
        await page.setViewport({ width, height: 900 })
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
        for (const [path, part] of pages) {
          await go(path)
          await page.waitForSelector(`main ${part}`)
          await says(page, shown)
          expect([path, width, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([
            path,
            width,
            width,
          ])
          expect([path, scheme, await barriers(page)]).toEqual([path, scheme, []])
          expect(await page.$$('img[src="x"]')).toEqual([])
        }
      }
      expect(wrong).toEqual([])
    },
  )

  test(
    'the token is asked for once, keys lead everywhere, and what is absent says what to do',
    { timeout },
    async () => {
      const { page, go } = await open({ token: 'secret' })
      await go('/incidents')
      await says(page, 'asks for its token')
      await page.type('input[type=password]', 'secret')
      await page.keyboard.press('Enter')
      await says(page, 'math fails')
      // No script can read what stands for the token.
      expect(await page.evaluate('document.cookie')).toBe('')
      await page.keyboard.press('KeyG')
      await page.keyboard.press('KeyN')
      await page.waitForSelector('.react-flow__node')
      await go(`/runs/${traceId('nobody')}`)
      await says(page, 'There is no flow run or trace')
      await says(page, 'HEADWATER_RETENTION')
      await go('/start')
      await says(page, 'Send the first span')
      expect(await barriers(page)).toEqual([])
    },
  )
})
