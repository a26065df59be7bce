// Whatever happens around it, a service with the agent behaves as one without, and what was lost is counted.

import { createServer } from 'node:http'
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

const collectors: [string, Answer, counted: keyof AgentCounters | undefined][] = [
  ['that never answers', () => undefined, undefined],
  [
    'that says 429 and when to come again',
    (_, response) => response.writeHead(429, { 'retry-after': '60' }).end(),
    undefined,
  ],
  ['that says 503', (_, response) => response.writeHead(503).end(), undefined],
  [
    'that says 503 and to wait for ever',
    (_, response) => response.writeHead(503, { 'retry-after': '9'.repeat(400) }).end(),
    undefined,
  ],
  ['that refuses', (_, response) => response.writeHead(400).end('no'), 'spansLost'],
  ['that has moved', (_, response) => response.writeHead(301, { location: '/elsewhere' }).end(), 'spansLost'],
  ['that talks nonsense', (request) => request.socket.end('nonsense\r\n\r\n'), undefined],
  ['that answers with noise', (_, response) => response.end(Buffer.from('ff0a80ff12', 'hex')), 'spansExported'],
  ['that hangs up', (request) => request.socket.destroy(), undefined],
  [
    'whose answer never ends',
    (_, response) => void setInterval(() => response.write('x'.repeat(65_536)), 1).unref(),
    'spansExported',
  ],
]

describe.each(['lean', 'sdk'])('%s tracing', (tracing) => {
  const startApp = ({ env, ...rest }: AppOptions) =>
    startAppIn({ ...rest, env: { HEADWATER_TRACING: tracing, ...env } })

  test.each(collectors)('beside a collector %s', async (_what, answer, counted) => {
    const { url } = await listen(
      createServer((request, response) => void request.resume().on('end', () => answer?.(request, response as never))),
    )
    const app = await startApp({ source: served, env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } })
    for (let turn = 0; turn < 10; turn += 1) expect(await (await fetch(app.url)).text()).toBe('served')
    // The SDK's exporter has retries of its own.
    const least = counted !== undefined && tracing === 'lean' ? 1 : 0
    await expect.poll(async () => (await countersOf(app.url))[counted ?? 'spansEnded']).toBeGreaterThanOrEqual(least)
    const counters = await countersOf(app.url)
    expect(counters.spansExported + counters.spansDropped + counters.spansLost).toBeLessThanOrEqual(counters.spansEnded)
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
      const used = () => { gc(); const { arrayBuffers, heapUsed } = process.memoryUsage(); return { arrayBuffers, heapUsed } }
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
