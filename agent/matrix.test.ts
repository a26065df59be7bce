// In each framework, as an ES module and as CommonJS, on each Node, with either tracing: the same requests, the same spans.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { applicationOf, askForAll, caller, frameworks, paths, peerSource } from './test-matrix.ts'
import { type App, type ReceivedSpan, type Receiver, nodeAt, nodes, startApp, startReceiver } from './testing.ts'

const cells = nodes.flatMap((version) =>
  ['lean', 'sdk'].flatMap((tracing) =>
    frameworks.flatMap((framework) =>
      (['ESM', 'CommonJS'] as const).map((modules) => ({ version, tracing, framework, modules })),
    ),
  ),
)

const ends: (() => Promise<void> | void)[] = []
const over = (end: () => Promise<void> | void) => void ends.push(end)
let shared: { receiver: Receiver; peer: App }

beforeAll(async () => {
  const receiver = await startReceiver(over)
  shared = { receiver, peer: await startApp({ source: peerSource, env: environmentOf('peer', receiver), over }) }
})
afterAll(async () => {
  for (const end of ends.toReversed()) await end()
})

function environmentOf(service: string, { url }: Receiver): Record<string, string> {
  return { OTEL_SERVICE_NAME: service, OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '20' }
}

// Kind, name, status, exception, and the flow's name as far as it is known when the span ends.
const withRoutes = `
  SERVER GET /:tenant/orders/:id 200 in "GET /:tenant/orders/:id"
    CLIENT GET 200 in "GET /:tenant/orders/:id"
      SERVER GET /stock/:sku 200 in "GET /:tenant/orders/:id"
    CLIENT GET 200 in "GET /:tenant/orders/:id"
      SERVER GET /prices/:sku 200 in "GET /:tenant/orders/:id"
    CLIENT GET 200 in "GET /:tenant/orders/:id"
      SERVER GET /ratings/:sku 200 in "GET /:tenant/orders/:id"
  SERVER POST /checkout 200 in "buying" of the caller
    CLIENT POST 200 in "buying"
      SERVER POST /payments 200 in "buying"
  SERVER GET /missing/:id 404 in "GET /missing/:id"
  SERVER GET 404 in "GET"
  SERVER GET /broken/:id 500 error 500, TypeError: no paper in "GET /broken/:id"
  SERVER GET /missing/:id 404 in "GET /missing/:id"
  SERVER GET /waiting/:id no answer in "GET /waiting/:id"`

const withoutRoutes = `
  SERVER GET 200 in "GET"
    CLIENT GET 200
      SERVER GET /stock/:sku 200
    CLIENT GET 200
      SERVER GET /prices/:sku 200
    CLIENT GET 200
      SERVER GET /ratings/:sku 200
  SERVER POST 200 in "buying" of the caller
    CLIENT POST 200 in "buying"
      SERVER POST /payments 200 in "buying"
  SERVER GET 404 in "GET"
  SERVER GET 404 in "GET"
  SERVER GET 500 error 500 in "GET"
  SERVER GET 404 in "GET"
  SERVER GET no answer in "GET"`

test.for(cells)('$framework.name, $modules, Node $version, $tracing', async (cell, { skip }) => {
  const { version, tracing, framework, modules } = cell
  const node = nodeAt(version)
  if (node === undefined) return skip(`Node ${version} is not installed; npm brings it for Linux on x64`)
  const { receiver, peer } = shared
  const service = `${framework.name} ${modules} ${version} ${tracing}`
  const app = await startApp({
    ...applicationOf(framework, modules),
    node,
    env: { ...environmentOf(service, receiver), HEADWATER_TRACING: tracing, NEXT_URL: peer.url },
  })
  const answers = await askForAll(app)
  const spans = await spansOf(service, app, receiver)

  expect(storyOf(spans)).toBe(framework.hasRoutes ? withRoutes : withoutRoutes)
  for (const { attributes, name } of spans.filter((span) => span.kind === 'SERVER')) {
    const { 'http.request.method': method, 'http.route': route } = attributes
    expect(name).toBe(route === undefined ? method : `${text(method)} ${text(route)}`)
  }
  expect(answers).toEqual([
    { status: 200, flowId: flowOf('/t1/orders/42', spans) },
    { status: 200, flowId: flowOf('/checkout', spans) },
    { status: 404, flowId: flowOf('/no/such/thing', spans) },
    { status: 500, flowId: flowOf('/broken/7', spans) },
    { status: 404, flowId: flowOf('/missing/7', spans) },
    { status: 0, flowId: undefined },
  ])
  expect(flowOf('/checkout', spans)).toBe(caller.flowId)
  expect(flowOf('/waiting/7', spans)).not.toBe('')
  expect(app.stderr()).not.toContain('headwater:')
})

/** All spans of the requests, the peer's too. */
async function spansOf(service: string, app: App, receiver: Receiver): Promise<ReceivedSpan[]> {
  const isOwn = (span: ReceivedSpan) => span.service === service
  await receiver.wanted(1, (span) => isOwn(span) && span.attributes['url.path'] === '/waiting/7')
  await app.ended('SIGTERM')
  const own = receiver.spans.filter(isOwn)
  const calls = new Set(own.flatMap(({ kind, spanId }) => (kind === 'CLIENT' ? spanId : [])))
  const served = await receiver.wanted(calls.size, ({ parentSpanId = '' }) => calls.has(parentSpanId))
  return [...own, ...served]
}

/** Spans below their parents, in the order in which they were asked for. */
function storyOf(spans: ReceivedSpan[]): string {
  const inOrder = spans.toSorted((a, b) => paths.indexOf(pathOf(a)) - paths.indexOf(pathOf(b)))
  const below = (parent: ReceivedSpan, indent: string): string =>
    inOrder
      .filter(({ parentSpanId }) => parentSpanId === parent.spanId)
      .map((span) => `\n${indent}${lineOf(span)}${below(span, `${indent}  `)}`)
      .join('')
  return rootsOf(inOrder)
    .map((span) => `\n  ${lineOf(span)}${below(span, '    ')}`)
    .join('')
}

function pathOf({ attributes }: ReceivedSpan): string {
  return text(attributes['url.path'] ?? new URL(text(attributes['url.full'])).pathname)
}

function rootsOf(spans: ReceivedSpan[]): ReceivedSpan[] {
  const known = new Set(spans.map(({ spanId }) => spanId))
  return spans.filter(({ parentSpanId = '' }) => !known.has(parentSpanId))
}

function lineOf({ kind, name, attributes, isError, events, parentSpanId, traceId }: ReceivedSpan): string {
  const { 'http.response.status_code': status = 'no answer', 'error.type': errorType, 'flow.name': flow } = attributes
  const exceptions = events.map((event) => {
    const { 'exception.type': type, 'exception.message': message } = event.attributes
    return `, ${text(type)}: ${text(message)}`
  })
  const error = isError || errorType !== undefined ? ` error ${text(errorType)}` : ''
  const from = parentSpanId === caller.spanId && traceId === caller.traceId ? ' of the caller' : ''
  const within = flow === undefined ? '' : ` in "${text(flow)}"`
  return `${kind} ${name} ${text(status)}${error}${exceptions.join('')}${within}${from}`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The flow of a request, which all of its spans bear: the trace's ID, or what the caller says. */
function flowOf(path: string, spans: ReceivedSpan[]): string {
  const root = rootsOf(spans).find((span) => pathOf(span) === path)
  const all = spans.filter(({ traceId }) => traceId === root?.traceId)
  const flowId = root?.traceId === caller.traceId ? caller.flowId : (root?.traceId ?? '')
  expect(all.map(({ attributes }) => attributes['flow.id'])).toEqual(all.map(() => flowId))
  return flowId
}
