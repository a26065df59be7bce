// Whatever happens around it, a service with the agent behaves as one without, and what was lost is counted.

import { createServer } from 'node:http'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { AgentCounters } from './counters.ts'
import { type AppOptions, listen, startApp as startAppIn, startReceiver } from './testing.ts'

const served = `
  import { createServer } from 'node:http'
  import { agentCounters } from '@headwater/agent'
  const server = createServer((request, response) => {
    response.end(request.url === '/counters' ? JSON.stringify(agentCounters()) : 'served')
  })
  server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
`

async function countersOf(url: string): Promise<AgentCounters> {
  return (await (await fetch(`${url}/counters`)).json()) as AgentCounters
}

type Answer = Parameters<typeof createServer>[1]
/** What becomes of spans while the service runs. */
type Fate = 'spansWait' | 'spansLost' | 'spansExported'

const collectors: [string, Answer, Fate][] = [
  ['that never answers', () => undefined, 'spansWait'],
  [
    'that says 429 and when to come again',
    (_, response) => response.writeHead(429, { 'retry-after': '60' }).end(),
    'spansWait',
  ],
  ['that says 503', (_, response) => response.writeHead(503).end(), 'spansWait'],
  [
    'that says 503 and to wait for ever',
    (_, response) => response.writeHead(503, { 'retry-after': '9'.repeat(400) }).end(),
    'spansWait',
  ],
  ['that refuses', (_, response) => response.writeHead(400).end('no'), 'spansLost'],
  ['that has moved', (_, response) => response.writeHead(301, { location: '/elsewhere' }).end(), 'spansLost'],
  ['that talks nonsense', (request) => request.socket.end('nonsense\r\n\r\n'), 'spansWait'],
  ['that answers with noise', (_, response) => response.end(Buffer.from('ff0a80ff12', 'hex')), 'spansExported'],
  ['that hangs up', (request) => request.socket.destroy(), 'spansWait'],
  [
    'whose answer never ends',
    (_, response) => void setInterval(() => response.write('x'.repeat(65_536)), 1).unref(),
    'spansExported',
  ],
]

function fateOf({ spansExported, spansLost }: AgentCounters): Fate {
  if (spansExported > 0) return 'spansExported'
  return spansLost > 0 ? 'spansLost' : 'spansWait'
}

describe.each(['lean', 'sdk'])('%s tracing', (tracing) => {
  const startApp = ({ env, ...rest }: AppOptions) =>
    startAppIn({ ...rest, env: { HEADWATER_TRACING: tracing, ...env } })

  test.each(collectors)('beside a collector %s', async (_what, answer, fate) => {
    let asked = 0
    const { url } = await listen(
      createServer((request, response) => {
        asked += 1
        request.resume().on('end', () => answer?.(request, response as never))
      }),
    )
    const app = await startApp({ source: served, env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } })
    for (let turn = 0; turn < 10; turn += 1) expect(await (await fetch(app.url)).text()).toBe('served')
    await expect.poll(() => asked).toBeGreaterThan(0)
    // The SDK's exporter has a mind and retries of its own.
    const seen = async () => (tracing === 'lean' ? fateOf(await countersOf(app.url)) : fate)
    await expect.poll(seen).toBe(fate)
    expect(await app.ended('SIGTERM')).toMatchObject({ signal: 'SIGTERM' })
    expect(app.stderr().split('\n').length).toBeLessThanOrEqual(2)
  })

  test.each([
    ['refused', 'http://127.0.0.1:1'],
    ['unknown', 'http://collector.invalid:4318'],
  ])('beside a collector whose address is %s', async (_what, OTEL_EXPORTER_OTLP_ENDPOINT) => {
    const app = await startApp({ source: served, env: { OTEL_EXPORTER_OTLP_ENDPOINT } })
    for (let turn = 0; turn < 10; turn += 1) expect(await (await fetch(app.url)).text()).toBe('served')
    await expect.poll(app.stderr).toContain('the collector takes no spans')
    expect(await app.ended('SIGTERM')).toMatchObject({ signal: 'SIGTERM' })
  })

  test('a clock that is set on in the middle of a request makes it no longer, and the next one begins at the new time', async () => {
    const receiver = await startReceiver()
    const app = await startApp({
      source: `
        import { createServer } from 'node:http'
        const real = Date.now
        const server = createServer((request, response) => {
          const byMs = Number(new URL(request.url, 'http://localhost').searchParams.get('by'))
          Date.now = () => real() + byMs
          response.end()
        })
        server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
      `,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    })
    for (const byMs of [3_600_000, -3_600_000, 0]) await (await fetch(`${app.url}/?by=${byMs}`)).text()
    const spans = await receiver.wanted(3, ({ kind }) => kind === 'SERVER')
    for (const { startNs, endNs } of spans) {
      expect(endNs - startNs).toBeGreaterThanOrEqual(0n)
      expect(endNs - startNs).toBeLessThan(60_000_000_000n)
    }
    const [first, second, third] = spans.map(({ startNs }) => Number(startNs / 1_000_000_000n))
    expect(Math.round(((second ?? 0) - (first ?? 0)) / 600)).toBe(6)
    expect(Math.round(((third ?? 0) - (second ?? 0)) / 600)).toBe(-12)
  })

  test('in a cluster each worker is traced, and nobody dies of it', async () => {
    const receiver = await startReceiver()
    const app = await startApp({
      source: `
        import cluster from 'node:cluster'
        import { createServer } from 'node:http'
        if (cluster.isPrimary) {
          const workers = [cluster.fork(), cluster.fork()]
          let ready = 0
          cluster.on('listening', (worker, { port }) => { if (++ready === 2) console.log('listening ' + port) })
          process.on('SIGTERM', () => { for (const worker of workers) worker.kill(); process.exitCode = 3 })
        } else createServer((request, response) => response.end(String(process.pid))).listen(0, '127.0.0.1')
      `,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    })
    const pids = new Set<string>()
    await expect
      .poll(async () => pids.add(await (await fetch(app.url, { headers: { connection: 'close' } })).text()).size)
      .toBe(2)
    const spans = await receiver.wanted(pids.size, ({ kind }) => kind === 'SERVER')
    for (const { resource } of spans) expect([...pids]).toContain(String(resource['process.pid']))
    expect(await app.ended('SIGTERM')).toMatchObject({ code: 3 })
  })
})

test('however many spans nobody takes, they have no more than 4 MiB, and what goes is counted', async () => {
  const silent = await listen(createServer(() => undefined))
  const app = await startAppIn({
    source: `
      import { trace } from '@opentelemetry/api'
      import { agentCounters } from '@headwater/agent'
      const tracer = trace.getTracer('t')
      const used = () => { gc(); gc(); const { arrayBuffers, heapUsed } = process.memoryUsage(); return { arrayBuffers, heapUsed } }
      const turn = async (spans) => {
        for (let count = 0; count < spans; count += 1) {
          const span = tracer.startSpan('work', { attributes: { text: 'x'.repeat(200), count } })
          span.addEvent('done')
          span.end()
          if (count % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
      }
      await turn(1_000)
      const before = used()
      await turn(100_000)
      const after = used()
      const counters = agentCounters()
      console.log(JSON.stringify({ buffers: after.arrayBuffers, heap: after.heapUsed - before.heapUsed, counters }))
      process.exit()
    `,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: silent.url },
    flags: ['--expose-gc'],
    serves: false,
  })
  await app.ended()
  const { buffers, heap, counters } = JSON.parse(app.stdout()) as {
    buffers: number
    heap: number
    counters: AgentCounters
  }
  expect(buffers).toBeLessThan(4 * 1_048_576)
  expect(heap).toBeLessThan(1_048_576)
  expect(counters.spansEnded).toBe(101_000)
  expect(counters.spansDropped).toBeGreaterThan(90_000)
})

test('OTEL_SDK_DISABLED leaves no trace: nothing is patched, heard or sent', async () => {
  const receiver = await startReceiver()
  const app = await startAppIn({
    source: `
      import '@headwater/agent'
      import { hasSubscribers } from 'node:diagnostics_channel'
      import { trace } from '@opentelemetry/api'
      import { Worker } from 'node:worker_threads'
      const channels = ['http.server.request.start', 'http.client.request.created', 'undici:request:create', 'child_process']
      console.log(JSON.stringify({
        heard: channels.filter((name) => hasSubscribers(name)),
        provider: trace.getTracerProvider().getDelegate().constructor.name,
        listeners: ['SIGTERM', 'beforeExit', 'exit', 'uncaughtExceptionMonitor'].map((name) => process.listenerCount(name)),
        worker: Worker.name,
        keys: Object.keys(globalThis).filter((name) => /headwater/i.test(name)),
      }))
    `,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SDK_DISABLED: 'true' },
    serves: false,
  })
  await app.ended()
  expect(JSON.parse(app.stdout())).toEqual({
    heard: [],
    provider: 'NoopTracerProvider',
    listeners: [0, 0, 0, 0],
    worker: 'Worker',
    keys: [],
  })
})

/** The same program without the agent and with it. */
async function bothWays(source: string, more: AppOptions | object = {}) {
  const run = async (registered: boolean) => {
    const app = await startAppIn({
      source,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
      serves: false,
      registered,
      ...more,
    })
    const { code, signal } = await app.ended()
    return { code, signal, stdout: app.stdout() }
  }
  return { bare: await run(false), traced: await run(true) }
}

test.each([
  [
    'a list of pairs as headers',
    `
      import { createServer } from 'node:http'
      const server = createServer((request, response) => {
        response.writeHead(200, [['Content-Type', 'text/plain'], ['X-A', '1'], ['X-B', '2']]).end('served')
      })
      server.listen(0, async () => {
        const response = await fetch('http://127.0.0.1:' + server.address().port)
        console.log(response.status, response.headers.get('x-b'), await response.text())
        server.close()
      })`,
  ],
  [
    'a connection of HTTP/2 as a promise',
    `
      import http2 from 'node:http2'
      import { promisify } from 'node:util'
      const server = http2.createServer()
      server.listen(0, async () => {
        const session = await promisify(http2.connect)('http://127.0.0.1:' + server.address().port)
        console.log(session.constructor.name)
        session.close()
        server.close()
      })`,
  ],
  [
    'users and flows that are no texts',
    `
      import { extract, headwater, inject, setUser, withConsumer, withFlow } from '@headwater/agent'
      setUser(42); setUser(undefined); setUser({})
      console.log(withFlow(42, () => 'done'), withFlow(undefined, () => 'done'))
      extract(undefined); extract(null)
      inject(Object.freeze({}))
      console.log(withConsumer(undefined, { destination: 'a', system: 'b' }, () => 'handled'))
      const middleware = headwater({ user: () => 42, flow: () => ({}) })
      middleware({ method: 'GET', url: '/', headers: {} }, { prependListener() {} }, () => console.log('next'))`,
  ],
  [
    'a handler of SIGTERM that listens once',
    `
      process.once('SIGTERM', () => setTimeout(() => console.log('done'), 100))
      setTimeout(() => process.kill(process.pid, 'SIGTERM'), 10)
      setTimeout(() => undefined, 200)`,
  ],
  [
    'a handler of SIGTERM that listens once, before all others',
    `
      process.prependOnceListener('SIGTERM', () => setTimeout(() => console.log('done'), 100))
      setTimeout(() => process.kill(process.pid, 'SIGTERM'), 10)
      setTimeout(() => undefined, 200)`,
  ],
  [
    'a flow ID that the service sends itself',
    `
      import http from 'node:http'
      const server = http.createServer((request, response) => response.end(request.headers['x-flow-id']))
      server.listen(0, async () => {
        const url = 'http://127.0.0.1:' + server.address().port
        console.log(await (await fetch(url, { headers: { 'X-Flow-ID': 'theirs' } })).text())
        for (const headers of [{ 'x-flow-id': 'theirs' }, ['Host', 'a', 'X-Flow-Id', 'theirs']]) {
          await new Promise((done) => http.get(url, { headers }, (response) => {
            response.on('data', (text) => console.log(String(text))).on('end', done)
          }))
        }
        server.close()
        server.closeAllConnections()
      })`,
  ],
])('%s', async (_what, source) => {
  const { bare, traced } = await bothWays(source)
  expect(traced).toEqual(bare)
})

test('a service whose errors nobody reads lives on', async () => {
  const app = await startAppIn({
    source: `
      import { spawn } from 'node:child_process'
      const source = "process.stdin.resume(); setTimeout(() => { console.log('alive'); process.exit(0) }, 1000); fetch('http://127.0.0.1:1').catch(() => 0)"
      const child = spawn(process.execPath, [...process.execArgv, '-e', source], { stdio: ['pipe', 'pipe', 'pipe'] })
      child.stderr.destroy()
      child.stdout.pipe(process.stdout)
      child.on('exit', (code, signal) => console.log(code, signal))
    `,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_SAMPLER: 'typo' },
    serves: false,
  })
  await app.ended()
  expect(app.stdout()).toBe('alive\n0 null\n')
})

test('headers that a gateway passes on as they came are said once, and a stranger’s are not', async () => {
  const receiver = await startReceiver()
  const app = await startAppIn({
    source: `
      import http from 'node:http'
      const server = http.createServer(async (request, response) => {
        if (request.url === '/echo') {
          response.end(JSON.stringify(request.rawHeaders.filter((_, at) => /^(traceparent|baggage|x-flow-id)$/i.test(request.rawHeaders[at - at % 2]))))
          return
        }
        const url = 'http://127.0.0.1:' + server.address().port + '/echo'
        if (request.url === '/fetch') {
          const { connection, ...headers } = request.headers
          response.end(await (await fetch(url, { headers })).text())
        } else http.get(url, { headers: request.rawHeaders }, (answer) => answer.pipe(response))
      })
      server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
    `,
    env: { OTEL_SERVICE_NAME: 'gateway', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, HEADWATER_TRUST: '10.0.0.0/8' },
  })
  for (const path of ['/fetch', '/raw']) {
    const baggage = 'flow.name=EVIL,service.name=bank,tenant=forged'
    const headers = { baggage, traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }
    const sent = (await (await fetch(`${app.url}${path}`, { headers })).json()) as string[]
    expect([
      path,
      sent
        .filter((_, at) => at % 2 === 0)
        .map((name) => name.toLowerCase())
        .toSorted(),
    ]).toEqual([path, ['baggage', 'traceparent', 'x-flow-id']])
    expect(sent.join(' ')).not.toMatch(/EVIL|bank|forged|aaaa/)
  }
})

test('a request that an application makes to itself does not rename the one that it makes it for', async () => {
  const receiver = await startReceiver()
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
  const byFastify = await startAppIn({
    source: `
      import fastify from 'fastify'
      const app = fastify()
      app.get('/inner/:x', async () => 'inner')
      app.post('/batch', async () => { await app.inject('/inner/7'); return 'done' })
      await app.listen({ port: 0, host: '127.0.0.1' })
      console.log('listening ' + app.server.address().port)
    `,
    env: { ...env, OTEL_SERVICE_NAME: 'fastify' },
  })
  const byHono = await startAppIn({
    source: `
      import { serve } from '@hono/node-server'
      import { Hono } from 'hono'
      const app = new Hono()
      app.get('/inner/:x', (c) => c.text('inner'))
      app.post('/batch', async (c) => { await app.request('/inner/7'); return c.text('done') })
      serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log('listening ' + port))
    `,
    env: { ...env, OTEL_SERVICE_NAME: 'hono' },
  })
  for (const { url } of [byFastify, byHono]) await (await fetch(`${url}/batch`, { method: 'POST' })).text()
  const spans = await receiver.wanted(2, ({ kind }) => kind === 'SERVER')
  expect(spans.map(({ service, name }) => `${service} ${name}`).toSorted()).toEqual([
    'fastify POST /batch',
    'hono POST /batch',
  ])
})

test('what an error says of an address is sent without its values, and headers for the collector are never shown', async () => {
  const receiver = await startReceiver()
  const app = await startAppIn({
    source: `
      import { withFlow } from '@headwater/agent'
      withFlow('report', async () => { await fetch('/hook?token=SECRET&user=alice') }).catch(() => undefined)
    `,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization: Bearer s3cr3t,x-ok=1,Authorization: Basic dXNl==',
    },
    serves: false,
  })
  await app.ended()
  const [span] = await receiver.wanted(1, () => true)
  const told = inspect(span?.events, { depth: 4 }) + String(span?.statusMessage)
  expect(told).toContain('/hook?token=…&user=…')
  expect(told).not.toMatch(/SECRET|alice/)
  expect(app.stderr()).toMatch(/member 1 .*\n.*member 3 /)
  expect(app.stderr()).not.toMatch(/s3cr3t|dXNl/)
})

test('a NodeSDK that starts beside the agent is told that it gets no spans, and starts', async () => {
  const app = await startAppIn({
    source: `
      import { NodeSDK } from '@opentelemetry/sdk-node'
      const sdk = new NodeSDK({ traceExporter: undefined, spanProcessors: [], logRecordProcessors: [], metricReaders: [] })
      sdk.start()
      await sdk.shutdown()
      console.log('started')`,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
    serves: false,
  })
  expect(await app.ended()).toMatchObject({ code: 0 })
  expect(app.stdout()).toContain('started')
  expect(app.stderr()).toContain('a NodeSDK starts in this process, which the agent traces already')
})
