// What an instrumented web service sends all day: a server span, its middleware, a query or two, a call to a peer.
import { ROOT_CONTEXT, SeverityNumber, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { LoggerProvider } from '@opentelemetry/sdk-logs'
import { TracerProvider } from '@opentelemetry/sdk-trace'
import { logProcessors, spanProcessors } from './exporters.mjs'

const requests = 100
const startSeconds = 1_795_741_200

const resource = defaultResource().merge(
  resourceFromAttributes({
    'service.name': 'storefront',
    'service.namespace': 'shop',
    'service.version': '4.11.0',
    'service.instance.id': '6f2ad1f8-5ab5-4cf7-a4b4-4a7c3d1cf8c1',
    'deployment.environment.name': 'production',
    'host.name': 'web-1',
    'host.arch': 'amd64',
    'os.type': 'linux',
    'process.pid': 4711,
    'process.executable.name': 'node',
    'process.command_args': ['node', '--enable-source-maps', 'server.js'],
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'k8s.pod.name': 'storefront-7d5b9c6f4-x2lqz',
    'k8s.namespace.name': 'shop',
  }),
)

const routes = [
  { method: 'GET', route: '/products/:id', path: (n) => `/products/${n}`, table: 'products' },
  { method: 'GET', route: '/basket', path: () => '/basket', table: 'basket_items' },
  { method: 'POST', route: '/basket/items', path: () => '/basket/items', table: 'basket_items' },
  { method: 'POST', route: '/checkout', path: () => '/checkout', table: 'orders' },
]

/** Numbers in [0, 1) that are the same at every recording (mulberry32). */
function chance(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const random = chance(3)
const below = (limit) => Math.floor(random() * limit)

/** A moment so many microseconds after the recording's start. */
const at = (microseconds) => [
  startSeconds + Math.floor(microseconds / 1_000_000),
  (microseconds % 1_000_000) * 1_000 + 321,
]

const tracers = new TracerProvider({
  resource,
  spanProcessors: spanProcessors('ordinary-traces', [
    { encoding: 'protobuf', compression: 'gzip' },
    { encoding: 'json', compression: 'gzip' },
  ]),
})
const loggers = new LoggerProvider({
  resource,
  processors: logProcessors('ordinary-logs', [{ encoding: 'protobuf', compression: 'gzip' }]),
})
const http = tracers.getTracer('@opentelemetry/instrumentation-http', '0.301.0')
const express = tracers.getTracer('@opentelemetry/instrumentation-express', '0.72.0')
const pg = tracers.getTracer('@opentelemetry/instrumentation-pg', '0.77.0')
const undici = tracers.getTracer('@opentelemetry/instrumentation-undici', '0.34.0')
const logger = loggers.getLogger('@opentelemetry/instrumentation-pino', '0.70.0')

function serve(request) {
  const { method, route, path, table } = routes[below(routes.length)]
  const isFailing = random() < 0.05
  const url = path(1_000 + below(9_000))
  const start = request * 7_919 + below(5_000)
  const server = http.startSpan(
    `${method} ${route}`,
    {
      kind: SpanKind.SERVER,
      startTime: at(start),
      attributes: {
        'http.request.method': method,
        'url.scheme': 'https',
        'url.path': url,
        'server.address': 'shop.example',
        'server.port': 443,
        'client.address': `203.0.113.${1 + below(250)}`,
        'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
        'network.protocol.version': '1.1',
        'network.peer.address': '10.0.3.17',
        'network.peer.port': 32_768 + below(28_000),
        'user.id': `u-${below(2_000)}`,
      },
    },
    ROOT_CONTEXT,
  )
  const inServer = trace.setSpan(ROOT_CONTEXT, server)
  for (const name of ['jsonParser', 'cookieParser']) {
    const middleware = express.startSpan(
      `middleware - ${name}`,
      { startTime: at(start + 90), attributes: { 'express.name': name, 'express.type': 'middleware' } },
      inServer,
    )
    middleware.end(at(start + 120 + below(80)))
  }
  const query = pg.startSpan(
    `${method === 'GET' ? 'SELECT' : 'INSERT'} ${table}`,
    {
      kind: SpanKind.CLIENT,
      startTime: at(start + 400),
      attributes: {
        'db.system.name': 'postgresql',
        'db.namespace': 'shop',
        'db.collection.name': table,
        'db.query.text':
          method === 'GET' ? `SELECT * FROM ${table} WHERE id = $1` : `INSERT INTO ${table} VALUES ($1, $2, $3)`,
        'server.address': 'db.internal',
        'server.port': 5_432,
      },
    },
    inServer,
  )
  const queried = start + 900 + below(4_000)
  query.end(at(queried))
  const status = isFailing ? 503 : 200
  const call = undici.startSpan(
    method,
    {
      kind: SpanKind.CLIENT,
      startTime: at(queried + 50),
      attributes: {
        'http.request.method': method,
        'url.full': `http://prices.internal:8080/v2/quote?product=${below(9_000)}`,
        'server.address': 'prices.internal',
        'server.port': 8_080,
        'service.peer.name': 'prices',
        'http.response.status_code': status,
      },
    },
    inServer,
  )
  const called = queried + 300 + below(isFailing ? 90_000 : 6_000)
  if (isFailing) {
    call.setAttribute('error.type', '503')
    call.setStatus({ code: SpanStatusCode.ERROR })
    server.addEvent('exception', {
      'exception.type': 'UpstreamError',
      'exception.message': 'prices answered 503',
      'exception.stacktrace': 'UpstreamError: prices answered 503\n    at quote (file:///srv/shop/quote.js:41:11)',
    })
    server.setStatus({ code: SpanStatusCode.ERROR, message: 'prices answered 503' })
  }
  call.end(at(called))
  server.setAttributes({ 'http.route': route, 'http.response.status_code': isFailing ? 502 : 200 })
  logger.emit({
    timestamp: at(called + 20),
    observedTimestamp: at(called + 21),
    severityNumber: isFailing ? SeverityNumber.ERROR : SeverityNumber.INFO,
    severityText: isFailing ? 'error' : 'info',
    body: `${method} ${url} ${isFailing ? 502 : 200}`,
    attributes: { 'http.route': route, 'log.iostream': 'stdout', duration_ms: (called - start) / 1_000 },
    context: inServer,
  })
  server.end(at(called + 40))
}

for (let request = 0; request < requests; request += 1) serve(request)
await tracers.shutdown()
await loggers.shutdown()
