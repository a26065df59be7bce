// The spans of OpenTelemetry's own instrumentations for the same requests, and where ours are others, and why.

import { expect, test } from 'vitest'
import { type Framework, applicationOf, askForAll, frameworks, peerSource } from './test-matrix.ts'
import { type ReceivedSpan, type Receiver, startApp, startReceiver } from './testing.ts'

const stock = `
const { NodeSDK } = require('@opentelemetry/sdk-node')
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici')
const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express')
const sdk = new NodeSDK({
  serviceName: process.env.OTEL_SERVICE_NAME,
  traceExporter: new OTLPTraceExporter(),
  instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation(), new ExpressInstrumentation()],
  metricReaders: [],
  logRecordProcessors: [],
})
sdk.start()
process.on('SIGTERM', () => sdk.shutdown().then(() => process.exit()))
`

/** What ours have and theirs have not, with `+`, the other way round with `-`, or what is another, and why. */
type Differences = Record<string, string>

const ofAll: Differences = {
  '+ SERVER flow.id': 'the run that the request belongs to',
  '+ SERVER flow.name': 'the kind of work that it is',
  '+ CLIENT flow.id': 'likewise',
  '- SERVER /t1/orders/42 url.query': 'a query holds tokens and names of people',
  '- SERVER client.address': 'of somebody outside it is personal; of a trusted peer network.peer.address says it',
  '- CLIENT url.query': 'as for the server; an opt-in by the conventions',
  '- CLIENT url.path': 'url.full says it; the conventions know it for servers only',
  '- CLIENT url.scheme': 'url.full says it; an opt-in by the conventions',
  '- CLIENT user_agent.original': 'the same for all requests of a process; an opt-in by the conventions',
  '- CLIENT http.request.method_original': 'the conventions want it only where it differs, and it never does here',
  '~ CLIENT url.full': 'without its query, as for the server',
  '- SERVER /waiting/7 http.response.status_code': 'the client went away without an answer: nobody has seen this 200',
}

const ofHttp: Differences = {
  '+ CLIENT /payments flow.name': 'as the caller says; without routes nobody else can',
}

const ofExpress: Differences = {
  '+ CLIENT flow.name': 'known as soon as the request is routed',
  '- INTERNAL': 'a span for each middleware and each handler costs more than it tells',
  '~ CLIENT parent': 'the request, since a handler has no span of its own',
  '~ SERVER /no/such/thing name': 'a router that has been passed through is no route that was taken',
  '- SERVER /no/such/thing http.route': 'likewise',
  '+ SERVER /broken/7 exception': 'on the span that failed; theirs is on that of the handler',
}

/** OpenTelemetry has given these up to their own authors: by itself it sees no more of them than node:http. */
const ofOthers: Differences = {
  '+ CLIENT flow.name': 'known as soon as the request is routed',
  '+ SERVER http.route': 'the conventions want it where it is known',
  '~ SERVER name': 'with the route in it, by the conventions',
  '+ SERVER /broken/7 exception': 'what the handler has thrown, which node:http does not see',
}

test.each([
  ['node:http', { ...ofAll, ...ofHttp }],
  ['Hono', { ...ofAll, ...ofOthers }],
  ['Fastify 5', { ...ofAll, ...ofOthers }],
  ['Express 4', { ...ofAll, ...ofExpress }],
  ['Express 5', { ...ofAll, ...ofExpress }],
] as const)(
  '%s: names, kinds, parents, attributes and events are those of OpenTelemetry’s',
  async (name, differences) => {
    const framework = frameworks.find((each) => each.name === name) as Framework
    const receiver = await startReceiver()
    const peer = await startApp({ source: peerSource, env: environmentOf('peer', receiver) })
    const ours = await spansOf('ours', framework, receiver, peer.url)
    const theirs = await spansOf('theirs', framework, receiver, peer.url)
    expect(differencesOf(ours, theirs).toSorted()).toEqual(Object.keys(differences).toSorted())
  },
)

function environmentOf(service: string, { url }: Receiver): Record<string, string> {
  return { OTEL_SERVICE_NAME: service, OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '20' }
}

async function spansOf(service: 'ours' | 'theirs', framework: Framework, receiver: Receiver, peerUrl: string) {
  const app = await startApp({
    ...applicationOf(framework, 'CommonJS', service === 'theirs' ? stock : ''),
    registered: service === 'ours',
    env: { ...environmentOf(service, receiver), NEXT_URL: peerUrl },
  })
  await askForAll(app)
  await receiver.wanted(1, (span) => span.service === service && span.attributes['url.path'] === '/waiting/7')
  await app.ended('SIGTERM')
  return receiver.spans.filter((span) => span.service === service)
}

/** Each difference once, with the path of the request if it is not one of all requests. */
function differencesOf(ours: ReceivedSpan[], theirs: ReceivedSpan[]): string[] {
  const [mine, others] = [byPath(ours), byPath(theirs)]
  expect([...mine.keys()].toSorted()).toEqual([...others.keys()].toSorted())
  const found = new Map<string, string[]>()
  for (const [path, span] of mine) {
    const other = others.get(path) as ReceivedSpan
    for (const [sign, what] of differencesBetween(factsOf(span, ours), factsOf(other, theirs))) {
      const key = `${sign} ${span.kind} ${what}`
      found.set(key, [...(found.get(key) ?? []), `${sign} ${path} ${what}`])
    }
  }
  const extra = new Set([...theirs, ...ours].filter(({ kind }) => kind === 'INTERNAL').map(({ kind }) => `- ${kind}`))
  return [...extra, ...[...found].flatMap(([key, each]) => (each.length === 1 ? each : key))]
}

/** Spans of requests by what they are of: `SERVER /checkout`. */
function byPath(spans: ReceivedSpan[]): Map<string, ReceivedSpan> {
  const requests = spans.filter(({ kind }) => kind !== 'INTERNAL')
  const found = new Map(requests.map((span) => [`${span.kind} ${pathOf(span)}`, span]))
  expect(found.size).toBe(requests.length)
  return found
}

function pathOf({ attributes }: ReceivedSpan): string {
  const { 'url.path': path, 'url.full': url } = attributes
  return new URL(typeof url === 'string' ? url : String(path), 'http://localhost').pathname
}

/** What is compared of a span; of what is another in each run, only whether it is there. */
function factsOf(span: ReceivedSpan, all: ReceivedSpan[]): Map<string, unknown> {
  const parent = all.find(({ spanId }) => spanId === span.parentSpanId)
  const facts = new Map<string, unknown>([
    ['name', span.name],
    ['parent', parent?.kind ?? span.parentSpanId],
    ['error', span.isError],
    ['message', span.statusMessage],
    ...Object.entries(span.attributes),
    ...span.events.map(({ name }): [string, string] => [name, '']),
  ])
  for (const changing of ['flow.id', span.kind === 'SERVER' ? 'server.port' : '', 'network.peer.port']) {
    if (facts.has(changing)) facts.set(changing, typeof facts.get(changing))
  }
  return facts
}

function differencesBetween(ours: Map<string, unknown>, theirs: Map<string, unknown>): [sign: string, what: string][] {
  return [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((what): [string, string][] => {
    if (!theirs.has(what)) return [['+', what]]
    if (!ours.has(what)) return [['-', what]]
    return ours.get(what) === theirs.get(what) ? [] : [['~', what]]
  })
}
