// One service in each framework, as an ES module and as CommonJS, and what it is asked for.

import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { App, AppOptions } from './testing.ts'

export interface Framework {
  name: string
  /** Whether it knows which route a request has taken. */
  hasRoutes: boolean
  /** What is imported, by the same words in both kinds of modules. */
  imports: Record<string, string>
  source: string
  modules?: Record<string, string>
}

/** What the service does in all frameworks. */
const work = `
const next = process.env.NEXT_URL
const byHttp = (path) => new Promise((resolve, reject) => {
  http.get(next + path, (response) => response.resume().on('end', resolve)).on('error', reject)
})
async function order(id) {
  await (await fetch(next + '/stock/' + id + '?token=secret')).text()
  await byHttp('/prices/' + id + '?token=secret')
  await axios.get(next + '/ratings/' + id, { params: { token: 'secret' } })
  return { id }
}
async function pay({ amount }) {
  await (await fetch(next + '/payments', { method: 'POST', body: String(amount) })).text()
  return { paid: amount }
}
function fail() { throw new TypeError('no paper') }
function wait() { console.log('waiting') }
const started = (server) => console.log('listening ' + server.address().port)
`
const imports = { http: 'node:http', axios: 'axios' }

const express = `
const shop = express()
const orders = express.Router({ mergeParams: true })
orders.get('/orders/:id', (request, response, next) => order(request.params.id).then((done) => response.json(done), next))
shop.use((request, response, next) => next())
shop.post('/checkout', express.json(), (request, response, next) => pay(request.body).then((done) => response.json(done), next))
shop.get('/missing/:id', (request, response) => response.status(404).json({}))
shop.get('/broken/:id', fail)
shop.get('/waiting/:id', wait)
shop.use('/:tenant', orders)
const server = shop.listen(0, '127.0.0.1', () => started(server))
`

export const frameworks: readonly Framework[] = [
  {
    name: 'node:http',
    hasRoutes: false,
    imports,
    source: `
const json = (response, status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const server = http.createServer(async (request, response) => {
  const { pathname } = new URL(request.url, next)
  const [, first, second, third] = pathname.split('/')
  try {
    if (second === 'orders') json(response, 200, await order(third))
    else if (first === 'checkout') {
      // By its events, which Node from 24 on emits in no context.
      let text = ''
      request.on('data', (chunk) => { text += chunk })
      request.on('end', async () => json(response, 200, await pay(JSON.parse(text))))
    }
    else if (first === 'broken') fail()
    else if (first === 'waiting') wait()
    else json(response, 404, {})
  } catch { json(response, 500, {}) }
})
server.listen(0, '127.0.0.1', () => started(server))
`,
  },
  {
    name: 'Express 4',
    hasRoutes: true,
    imports: { ...imports, express: 'express' },
    source: express,
    modules: { express: 'express-4' },
  },
  { name: 'Express 5', hasRoutes: true, imports: { ...imports, express: 'express' }, source: express },
  {
    name: 'Hono',
    hasRoutes: true,
    imports: { ...imports, '{ Hono }': 'hono', '{ serve }': '@hono/node-server' },
    source: `
const shop = new Hono()
const orders = new Hono()
orders.get('/orders/:id', async (c) => c.json(await order(c.req.param('id'))))
shop.use((c, next) => next())
shop.post('/checkout', async (c) => c.json(await pay(await c.req.json())))
shop.get('/missing/:id', (c) => c.json({}, 404))
shop.get('/broken/:id', async () => fail())
shop.get('/waiting/:id', () => new Promise(wait))
shop.route('/:tenant', orders)
const server = serve({ fetch: shop.fetch, port: 0, hostname: '127.0.0.1' }, () => started(server))
`,
  },
  {
    name: 'Fastify 5',
    hasRoutes: true,
    imports: { ...imports, '{ fastify }': 'fastify' },
    source: `
const shop = fastify()
shop.addHook('onRequest', async () => undefined)
shop.post('/checkout', ({ body }) => pay(body))
shop.get('/missing/:id', (request, reply) => reply.code(404).send({}))
shop.get('/broken/:id', fail)
shop.get('/waiting/:id', () => new Promise(wait))
shop.register(async (orders) => orders.get('/orders/:id', ({ params }) => order(params.id)), { prefix: '/:tenant' })
shop.listen({ port: 0, host: '127.0.0.1' }).then(() => started(shop.server))
`,
  },
]

/** The service as an application; `before` runs first, in a CommonJS one. */
export function applicationOf(framework: Framework, kind: 'ESM' | 'CommonJS', before = ''): AppOptions {
  const lines = Object.entries(framework.imports).map(([names, from]) =>
    kind === 'ESM'
      ? `import ${names} from ${JSON.stringify(from)}`
      : `const ${names} = require(${JSON.stringify(from)})`,
  )
  return {
    file: kind === 'ESM' ? 'app.mjs' : 'app.cjs',
    source: [before, ...lines, work, framework.source].join('\n'),
    ...(framework.modules ? { modules: framework.modules } : {}),
  }
}

/** A service that is asked by the others. */
export const peerSource = `
import express from 'express'
const peer = express()
const answer = (request, response) => response.json({})
peer.get('/stock/:sku', answer)
peer.get('/prices/:sku', answer)
peer.get('/ratings/:sku', answer)
peer.post('/payments', answer)
const server = peer.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
`

/** The trace and the flow that one of the requests comes in. */
export const caller = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  flowId: 'c0ffee00c0ffee00c0ffee00c0ffee00',
}

/** What is asked for, in that order, with what the service asks for then. */
export const paths: readonly string[] = `
  /t1/orders/42 /stock/42 /prices/42 /ratings/42
  /checkout /payments /missing/1
  /no/such/thing /broken/7 /missing/7 /waiting/7`
  .trim()
  .split(/\s+/)

/** Asks for everything once, one after the other; tells what `x-flow-id` the answers had. */
export async function askForAll(app: App): Promise<{ status: number; flowId: string | undefined }[]> {
  return [
    await ask(app, '/t1/orders/42?token=secret'),
    await askInTwoChunks(app),
    await ask(app, '/no/such/thing'),
    await ask(app, '/broken/7'),
    await ask(app, '/missing/7'),
    await askAndGoAway(app),
  ]
}

async function ask(app: App, path: string) {
  const asked = request(app.url + path, { agent: false }).end()
  return answerOf(asked)
}

/** By the second chunk the service has the first: it has answered something else since. */
async function askInTwoChunks(app: App) {
  const asked = request(`${app.url}/checkout`, {
    agent: false,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
      expect: '100-continue',
      traceparent: `00-${caller.traceId}-${caller.spanId}-01`,
      baggage: `flow.id=${caller.flowId},flow.name=buying`,
    },
  })
  asked.flushHeaders()
  await once(asked, 'continue')
  await new Promise((resolve) => asked.write('{"amo', resolve))
  await ask(app, '/missing/1')
  asked.end('unt":7}')
  return answerOf(asked)
}

async function askAndGoAway(app: App) {
  const asked = request(`${app.url}/waiting/7`, { agent: false }).end()
  asked.on('error', () => undefined)
  while (!app.stdout().includes('waiting')) await new Promise((resolve) => setImmediate(resolve))
  asked.destroy()
  return { status: 0, flowId: undefined }
}

async function answerOf(asked: ReturnType<typeof request>) {
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  const flowId = response.headers['x-flow-id']
  return { status: response.statusCode ?? 0, flowId: typeof flowId === 'string' ? flowId : undefined }
}
