import { createServer } from 'node:http'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type AppOptions, type Receiver, listen, startApp as startAppIn, startReceiver } from './testing.ts'

const routes = `
  const shop = express()
  const nested = express.Router()
  nested.get('/:id', async (request, response) => {
    const stock = await fetch(process.env.NEXT_URL + '/stock/7?token=secret')
    response.json(await stock.json())
  })
  shop.use((request, response, next) => next())
  shop.use('/orders', nested)
  shop.get('/stock/:sku', (request, response) => response.json(request.headers))
  shop.get('/refused', (request, response) => response.status(404).json({}))
  shop.get('/broken', async () => { throw new TypeError('no paper') })
  const server = shop.listen(0, '127.0.0.1', () => {
    process.env.NEXT_URL ??= 'http://127.0.0.1:' + server.address().port
    console.log('listening ' + server.address().port)
  })
`
const esModule = { file: 'app.mjs', source: `import express from 'express'\n${routes}` }
const commonJs = { file: 'app.cjs', source: `const express = require('express')\n${routes}` }

const publicPeer = { 'x-forwarded-for': '203.0.113.9' }
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`
const otherFlowId = 'c0ffee00c0ffee00c0ffee00c0ffee00'

function service(receiver: Receiver, name: string, more: Record<string, string> = {}) {
  return { OTEL_SERVICE_NAME: name, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...more }
}

describe.each(['lean', 'sdk'])('%s tracing', (tracing) => {
  const startApp = ({ env, ...rest }: AppOptions) =>
    startAppIn({ ...rest, env: { HEADWATER_TRACING: tracing, ...env } })

  test.each([
    ['an ES module', esModule],
    ['a CommonJS module', commonJs],
  ])('%s with Express has server spans with routes and client spans below them', async (_kind, app) => {
    const receiver = await startReceiver()
    const shop = await startApp({ ...app, env: service(receiver, 'shop') })
    const response = await fetch(`${shop.url}/orders/42?secret=1`)
    const [order] = await receiver.wanted(1, ({ name }) => name === 'GET /orders/:id')
    const [stock] = await receiver.wanted(1, ({ name }) => name === 'GET /stock/:sku')
    const [client] = await receiver.wanted(1, ({ kind }) => kind === 'CLIENT')

    expect(order).toMatchObject({ kind: 'SERVER', parentSpanId: undefined, service: 'shop', isError: false })
    expect(client).toMatchObject({ parentSpanId: order?.spanId, traceId: order?.traceId })
    expect(stock).toMatchObject({ kind: 'SERVER', parentSpanId: client?.spanId, traceId: order?.traceId })
    expect(order?.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/orders/:id',
      'http.response.status_code': 200,
      'url.path': '/orders/42',
      'flow.id': order?.traceId,
      'flow.name': 'GET /orders/:id',
    })
    expect(client?.attributes).toMatchObject({
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(shop.url).port),
      'url.full': `${shop.url}/stock/7`,
      'flow.name': 'GET /orders/:id',
    })
    expect(stock?.attributes).toMatchObject({
      'flow.id': order?.traceId,
      'flow.name': 'GET /orders/:id',
      'service.peer.name': 'shop',
    })
    expect(inspect(receiver.spans, { depth: 9 })).not.toContain('secret')
    expect(receiver.spans.map(({ kind }) => kind).toSorted()).toEqual(['CLIENT', 'SERVER', 'SERVER'])
    expect(response.headers.get('x-flow-id')).toBe(order?.traceId)
    expect(order?.resource).toMatchObject({ 'service.instance.id': expect.stringMatching(/^[0-9a-f-]{36}$/) })
  })

  test('a server error bears the exception that caused it, and a client error is the client’s', async () => {
    const receiver = await startReceiver()
    const shop = await startApp({ ...esModule, env: service(receiver, 'shop') })
    await fetch(`${shop.url}/broken`)
    await fetch(`${shop.url}/refused`)
    const [broken] = await receiver.wanted(1, ({ name }) => name === 'GET /broken')
    const [refused] = await receiver.wanted(1, ({ name }) => name === 'GET /refused')
    expect(broken).toMatchObject({ isError: true, attributes: { 'error.type': '500' } })
    expect(broken?.events).toMatchObject([
      {
        name: 'exception',
        attributes: {
          'exception.type': 'TypeError',
          'exception.message': 'no paper',
          'exception.stacktrace': expect.stringContaining('app.mjs'),
        },
      },
    ])
    expect(refused).toMatchObject({ isError: false, events: [], attributes: { 'http.response.status_code': 404 } })
  })

  test('the caller’s span fails with a client error', async () => {
    const receiver = await startReceiver()
    const { url } = await listen(createServer((_request, response) => response.writeHead(404).end()))
    await startApp({
      source: `await (await fetch('${url}')).text()`,
      env: service(receiver, 'caller'),
      serves: false,
    })
    const [client] = await receiver.wanted(1, ({ kind }) => kind === 'CLIENT')
    expect(client).toMatchObject({ isError: true, attributes: { 'error.type': '404' } })
  })

  test('a route is named as it is declared, wherever its router is mounted and whatever fails', async () => {
    const receiver = await startReceiver()
    const shop = await startApp({
      source: `
      import express, { Router } from 'express'
      const shop = express()
      const [first, second] = [Router(), Router()]
      first.get('/first', (request, response) => response.end())
      second.get('/orders/:id', (request, response, next) => next(new Error('no paper')))
      shop.use(async (request, response, next) => {
        if (request.headers['x-check']) await (await fetch(process.env.NEXT_URL)).text()
        next()
      })
      shop.use('/:tenant', first)
      shop.use('/:tenant', second)
      shop.route('/a').post((request, response) => response.end())
      shop.use((error, request, response, next) => response.status(503).end())
      const server = shop.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
    `,
      env: service(receiver, 'shop', {
        NEXT_URL: (await listen(createServer((request, response) => response.end(request.headers.baggage)))).url,
      }),
    })
    await fetch(`${shop.url}/t1/orders/42`, { headers: { 'x-check': '1' } })
    await fetch(`${shop.url}/a`, { method: 'POST' })
    await fetch(`${shop.url}/t1/no/such/thing`)
    const servers = await receiver.wanted(3, ({ kind }) => kind === 'SERVER')
    const [check] = await receiver.wanted(1, ({ kind }) => kind === 'CLIENT')
    expect(servers.map(({ name }) => name)).toEqual([
      'GET /:tenant/orders/:id',
      'POST /a',
      expect.stringMatching(/^GET/),
    ])
    expect(servers[0]).toMatchObject({ isError: true, events: [{ attributes: { 'exception.message': 'no paper' } }] })
    expect(servers[2]?.name).not.toContain('thing')
    // The check went out before the request was routed, so that it could not know the flow's name.
    expect(check?.attributes).not.toHaveProperty('flow.name', 'GET /:tenant')
  })

  const honoApp = `
  import { serve } from '@hono/node-server'
  import { Hono } from 'hono'
  import { currentFlow, headwater, setUser, withFlow } from '@headwater/agent'
  const app = new Hono()
  app.use(headwater({ serviceName: 'hono', user: (request) => request.header('x-user') }))
  const orders = new Hono()
  orders.get('/:id', (c) => c.json(currentFlow()))
  app.route('/orders', orders)
  app.post('/checkout', (c) => withFlow('checkout', () => { setUser('u-2'); return c.json(currentFlow()) }))
  app.get('/broken', () => { throw new Error('no paper') })
  serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log('listening ' + port))
`

  test.each([[true], [false]])('Hono has server spans with routes (started with register: %s)', async (registered) => {
    const receiver = await startReceiver()
    const app = await startApp({
      source: honoApp,
      registered,
      env: { ...(registered ? { OTEL_SERVICE_NAME: 'hono' } : {}), OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    })
    const response = await fetch(`${app.url}/orders/42`, { headers: { 'x-user': 'u-1' } })
    const flow = await response.json()
    const checkout = await (await fetch(`${app.url}/checkout`, { method: 'POST' })).json()
    await fetch(`${app.url}/broken`)
    await fetch(`${app.url}/nowhere`)
    const [order] = await receiver.wanted(1, ({ name }) => name === 'GET /orders/:id')
    const [bought] = await receiver.wanted(1, ({ name }) => name === 'POST /checkout')
    const [broken] = await receiver.wanted(1, ({ name }) => name === 'GET /broken')
    const [nowhere] = await receiver.wanted(1, ({ name }) => name === 'GET')

    expect(flow).toEqual({ id: order?.traceId, name: 'GET /orders/:id' })
    expect(response.headers.get('x-flow-id')).toBe(order?.traceId)
    expect(order).toMatchObject({
      kind: 'SERVER',
      service: 'hono',
      attributes: { 'http.route': '/orders/:id', 'user.id': 'u-1', 'flow.name': 'GET /orders/:id' },
    })
    expect(checkout).toEqual({ id: bought?.traceId, name: 'checkout' })
    expect(bought?.attributes).toMatchObject({ 'flow.name': 'checkout', 'user.id': 'u-2' })
    expect(broken).toMatchObject({ isError: true, events: [{ attributes: { 'exception.message': 'no paper' } }] })
    expect(nowhere?.attributes).not.toHaveProperty('http.route')
  })

  test('without register, Express’s middleware starts the agent and tells routes', async () => {
    const receiver = await startReceiver()
    const shop = await startApp({
      registered: false,
      source: `
      import express from 'express'
      import { headwater } from '@headwater/agent'
      const shop = express()
      shop.use(headwater({ serviceName: 'shop', flow: () => 'buying', user: () => { throw new Error('whose?') } }))
      shop.get('/orders/:id', (request, response) => response.json({}))
      const server = shop.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
    `,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    })
    await fetch(`${shop.url}/orders/42`)
    const [order] = await receiver.wanted(1, ({ kind }) => kind === 'SERVER')
    expect(order).toMatchObject({ name: 'GET /orders/:id', service: 'shop', attributes: { 'flow.name': 'buying' } })
  })

  test('a flow goes on in the next service, which knows who called', async () => {
    const receiver = await startReceiver()
    const stock = await startApp({ ...commonJs, env: service(receiver, 'stock') })
    const shop = await startApp({ ...esModule, env: service(receiver, 'shop', { NEXT_URL: stock.url }) })
    const response = await fetch(`${shop.url}/orders/42`, {
      headers: { traceparent, baggage: `flow.id=${otherFlowId},flow.name=buying,tenant=t1` },
    })
    const received = (await response.json()) as Record<string, string>
    const [there] = await receiver.wanted(1, ({ service: name, kind }) => name === 'stock' && kind === 'SERVER')
    expect(there).toMatchObject({
      traceId,
      attributes: { 'flow.id': otherFlowId, 'flow.name': 'buying', 'service.peer.name': 'shop' },
    })
    expect(received['x-flow-id']).toBe(otherFlowId)
    expect(received['baggage']).toBe(`tenant=t1,flow.id=${otherFlowId},flow.name=buying,service.name=shop`)
    expect(response.headers.get('x-flow-id')).toBe(otherFlowId)
  })

  test('a peer without OpenTelemetry hands its flow over by x-flow-id', async () => {
    const receiver = await startReceiver()
    const shop = await startApp({ ...esModule, env: service(receiver, 'shop') })
    const response = await fetch(`${shop.url}/stock/7`, { headers: { 'x-flow-id': otherFlowId } })
    const [span] = await receiver.wanted(1, ({ kind }) => kind === 'SERVER')
    expect(response.headers.get('x-flow-id')).toBe(otherFlowId)
    expect(span?.attributes).toMatchObject({ 'flow.id': otherFlowId })
    expect(span?.traceId).not.toBe(otherFlowId)
  })

  test.each([
    ['a public address before the proxy', publicPeer, {}],
    ['a public address among the hops', { forwarded: 'for=10.0.0.1, for="[2001:db8::1]:4711"' }, {}],
    ['an address outside of HEADWATER_TRUST', {}, { HEADWATER_TRUST: '10.0.0.0/8' }],
    ['members without the signature that the key asks for', {}, { HEADWATER_SHARED_KEY: 'a key that is long enough' }],
  ])('%s starts a new run, linked to the trace that came', async (_who, headers, env) => {
    const receiver = await startReceiver()
    const shop = await startApp({ ...esModule, env: service(receiver, 'shop', env) })
    const baggage = `flow.id=${otherFlowId},flow.name=stolen,service.name=liar`
    const response = await fetch(`${shop.url}/stock/7`, {
      headers: { traceparent, baggage, 'x-flow-id': otherFlowId, ...headers },
    })
    const [span] = await receiver.wanted(1, ({ kind }) => kind === 'SERVER')
    expect(span).toMatchObject({ parentSpanId: undefined, links: [{ traceId, spanId: '00f067aa0ba902b7' }] })
    expect(span?.traceId).not.toBe(traceId)
    expect(span?.attributes).toMatchObject({ 'flow.id': span?.traceId, 'flow.name': 'GET /stock/:sku' })
    expect(span?.attributes).not.toHaveProperty('service.peer.name')
    expect(response.headers.get('x-flow-id')).toBe(span?.traceId)
  })

  test.each([
    ['an ID that is none', `flow.id=${'0'.repeat(32)}`],
    ['an ID in capitals', `flow.id=${otherFlowId.toUpperCase()}`],
    ['a broken escape', `flow.id=${otherFlowId},flow.name=%E0%A4%A`],
    ['a name over 512 bytes', `flow.id=${otherFlowId},flow.name=${'x'.repeat(600)}`],
    ['a header over 8,192 bytes', `flow.id=${otherFlowId},rest=${'x'.repeat(8_192)}`],
    ['more than 64 members', `flow.id=${otherFlowId},${Array.from({ length: 64 }, (_, n) => `m${n}=1`).join(',')}`],
  ])('baggage with %s falls back to the trace’s ID and is counted', async (_what, baggage) => {
    const receiver = await startReceiver()
    const shop = await startApp({
      source: `
      import { createServer } from 'node:http'
      import { agentCounters } from '@headwater/agent'
      const server = createServer((request, response) => response.end(JSON.stringify(agentCounters())))
      server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
    `,
      env: service(receiver, 'shop'),
    })
    const response = await fetch(shop.url, { headers: { traceparent, baggage } })
    expect(await response.json()).toMatchObject({ flowsMalformed: 1 })
    expect(response.headers.get('x-flow-id')).toBe(traceId)
  })

  test('a signature proves a flow from any address, and the next service can prove it too', async () => {
    const receiver = await startReceiver()
    const key = { HEADWATER_SHARED_KEY: 'a key that is long enough' }
    const stock = await startApp({
      ...esModule,
      env: service(receiver, 'stock', { ...key, HEADWATER_TRUST: '10.0.0.0/8' }),
    })
    const shop = await startApp({ ...esModule, env: service(receiver, 'shop', { ...key, NEXT_URL: stock.url }) })
    const response = await fetch(`${shop.url}/orders/42`)
    await response.json()
    const [order] = await receiver.wanted(1, ({ service: name, kind }) => name === 'shop' && kind === 'SERVER')
    const [there] = await receiver.wanted(1, ({ service: name, kind }) => name === 'stock' && kind === 'SERVER')
    expect(there).toMatchObject({
      traceId: order?.traceId,
      attributes: { 'flow.id': order?.traceId, 'service.peer.name': 'shop' },
    })
  })

  test('baggage, the user’s own too, goes to trusted hosts only, and the trace to all', async () => {
    const receiver = await startReceiver()
    const { port } = await listen(createServer((request, response) => response.end(JSON.stringify(request.headers))))
    const app = await startApp({
      source: `
      import dns from 'node:dns'
      import http from 'node:http'
      dns.lookup = (host, options, done) =>
        options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
      const hosts = ['stock', 'stock.internal', 'api.example.com', 'partner.example.org']
      const byFetch = async (host) => (await fetch('http://' + host + ':${port}/')).json()
      const byHttp = (host) => new Promise((resolve) => http.get({ host, port: ${port}, headers: ['host', host + ':${port}', 'x-mine', '1'] }, (response) => {
        let text = ''
        response.on('data', (chunk) => (text += chunk)).on('end', () => resolve(JSON.parse(text)))
      }))
      const server = http.createServer(async (request, response) => {
        const seen = {}
        for (const host of hosts) seen[host] = [await byFetch(host), await byHttp(host)]
        response.end(JSON.stringify(seen))
      })
      server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
    `,
      env: service(receiver, 'app', { HEADWATER_TRUST: '.example.org' }),
    })
    const baggage = `flow.id=${otherFlowId},tenant=t1`
    const response = await fetch(app.url, { headers: { traceparent, baggage } })
    const seen = (await response.json()) as Record<string, Record<string, string>[]>
    for (const [host, requests] of Object.entries(seen)) {
      for (const headers of requests) {
        expect(headers['traceparent']).toContain(traceId)
        expect([host, headers['x-flow-id']]).toEqual([host, host === 'api.example.com' ? undefined : otherFlowId])
        expect(headers['baggage']).toBe(
          host === 'api.example.com' ? undefined : `tenant=t1,flow.id=${otherFlowId},service.name=app`,
        )
      }
      expect(requests[1]?.['x-mine']).toBe('1')
    }
  })

  const server = `
  import { createServer } from 'node:http'
  const server = createServer((request, response) => response.end('served'))
  server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
`

  test('without a collector the service works, says so in one line, and dies by the signal it gets', async () => {
    const app = await startApp({ source: server, env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' } })
    for (let request = 0; request < 20; request += 1) expect(await (await fetch(app.url)).text()).toBe('served')
    const end = await app.ended('SIGTERM')
    expect(end).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(app.stderr().trim().split('\n')).toHaveLength(1)
    expect(app.stderr()).toContain('ECONNREFUSED')
  })

  test('a collector that never answers does not hold the end of the process for long', async () => {
    const silent = await listen(createServer(() => undefined))
    const app = await startApp({
      source: `await (await fetch('${silent.url}', { signal: AbortSignal.timeout(50) }).catch(() => undefined))`,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: silent.url },
      serves: false,
    })
    const end = await app.ended()
    expect(end).toMatchObject({ code: 0 })
    // OpenTelemetry's exporter would hold it for ten.
    expect(end.afterMs).toBeLessThan(9_000)
  })

  test('what a script did just before its end arrives, and its exit code stays', async () => {
    const receiver = await startReceiver()
    const app = await startApp({
      source: `
      import { withFlow } from '@headwater/agent'
      await withFlow('nightly report', async () => { throw new Error('no paper') }).catch(() => undefined)
      process.exitCode = 3
    `,
      env: service(receiver, 'job', { OTEL_BSP_SCHEDULE_DELAY: '60000' }),
      serves: false,
    })
    expect(await app.ended()).toMatchObject({ code: 3 })
    expect(receiver.spans).toMatchObject([
      {
        name: 'nightly report',
        kind: 'INTERNAL',
        isError: true,
        attributes: { 'flow.name': 'nightly report', 'error.type': 'Error' },
      },
    ])
  })

  test('a service’s own handler of SIGTERM decides how it ends, and its last spans arrive', async () => {
    const receiver = await startReceiver()
    const app = await startApp({
      source: `${server}; process.on('SIGTERM', () => { server.close(); server.closeAllConnections(); process.exitCode = 7 })`,
      env: service(receiver, 'app', { OTEL_BSP_SCHEDULE_DELAY: '60000' }),
    })
    await (await fetch(app.url)).text()
    expect(await app.ended('SIGTERM')).toMatchObject({ code: 7 })
    expect(receiver.spans).toMatchObject([{ kind: 'SERVER', name: 'GET' }])
  })

  test('spans that a collector could not take arrive when it can', async () => {
    const receiver = await startReceiver()
    // The SDK's own exporter keeps what is retryable to itself for a while.
    receiver.answer.status = tracing === 'lean' ? 503 : 500
    const app = await startApp({ source: server, env: service(receiver, 'app') })
    await fetch(app.url)
    await expect.poll(app.stderr).toContain('spans wait')
    receiver.answer.status = 200
    const [span] = await receiver.wanted(1, ({ kind }) => kind === 'SERVER')
    expect(span?.name).toBe('GET')
  })

  test.each([
    ['OTEL_SDK_DISABLED', { OTEL_SDK_DISABLED: 'true' }],
    ['OTEL_TRACES_SAMPLER', { OTEL_TRACES_SAMPLER: 'always_off' }],
    ['OTEL_TRACES_EXPORTER', { OTEL_TRACES_EXPORTER: 'none' }],
  ])('%s turns spans off, and the service works', async (_name, env) => {
    const receiver = await startReceiver()
    const app = await startApp({ source: server, env: service(receiver, 'app', env) })
    expect(await (await fetch(app.url)).text()).toBe('served')
    expect(await app.ended('SIGTERM')).toMatchObject({ signal: 'SIGTERM' })
    expect(receiver.spans).toEqual([])
    expect(app.stderr()).toBe('')
  })

  test('a run is kept whole or not at all, whichever of its traces comes first, and says for how many it stands', async () => {
    const receiver = await startReceiver()
    const app = await startApp({
      source: server,
      env: service(receiver, 'app', { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' }),
    })
    const kept = `${'0'.repeat(18)}f${'0'.repeat(13)}`
    const left = `f${'0'.repeat(31)}`
    for (const id of [kept, left, kept, left, kept]) {
      const response = await fetch(app.url, { headers: { 'x-flow-id': id } })
      expect([await response.text(), response.headers.get('x-flow-id')]).toEqual(['served', id])
    }
    const spans = await receiver.wanted(3, ({ kind }) => kind === 'SERVER')
    for (const span of spans) expect(span).toMatchObject({ attributes: { 'flow.id': kept } })
    for (const { traceState } of spans) expect(traceState).toMatch(/^ot=.*th:c/)
    expect(new Set(spans.map(({ traceId: own }) => own)).size).toBe(3)
  })

  test('what goes wrong inside is shown when OTEL_LOG_LEVEL asks for it', async () => {
    const app = await startApp({
      source: `
        import { headwater } from '@headwater/agent'
        const middleware = headwater({ user: () => { throw new Error('whose?') } })
        middleware({ method: 'GET', url: '/', headers: {} }, { prependListener() {} }, () => undefined)
      `,
      env: { OTEL_TRACES_EXPORTER: 'none', OTEL_LOG_LEVEL: 'error' },
      serves: false,
    })
    await app.ended()
    expect(app.stderr()).toContain('an option of the middleware threw Error: whose?')
  })

  test('on a Node that is too old the service runs untraced, and one line says why', async () => {
    const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.14.0' } })`
    const app = await startApp({
      source: server,
      flags: ['--import', `data:text/javascript,${encodeURIComponent(old)}`],
    })
    const response = await fetch(app.url)
    expect(await response.text()).toBe('served')
    expect(response.headers.has('x-flow-id')).toBe(false)
    expect(app.stderr()).toMatch(/^headwater: Node 22\.14\.0 is too old .* use Node 22\.15 or newer\n$/)
  })
})
