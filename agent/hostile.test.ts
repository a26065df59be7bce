// What strangers send: never believed, never the end of the service, never more than a bounded piece of it kept.

import { once } from 'node:events'
import { type OutgoingHttpHeaders, connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { AgentCounters } from './counters.ts'
import { type App, type AppOptions, type Receiver, startApp as startAppIn, startReceiver } from './testing.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const good = `00-${traceId}-00f067aa0ba902b7-01`
const forgedId = 'c0ffee00c0ffee00c0ffee00c0ffee00'
const long = 'x'.repeat(7_000)

const service = `
  import express from 'express'
  import { agentCounters, currentFlow } from '@headwater/agent'
  const app = express()
  app.get('/counters', (request, response) => response.json(agentCounters()))
  app.get('/headers', (request, response) => response.json(request.headers))
  app.use(async (request, response) => {
    const next = await fetch('http://127.0.0.1:' + server.address().port + '/headers')
    response.json({ flow: currentFlow()?.id, sent: await next.json() })
  })
  const server = app.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
`

const http2Service = `
  import http2 from 'node:http2'
  import { agentCounters, currentFlow } from '@headwater/agent'
  const server = http2.createServer((request, response) =>
    response.end(JSON.stringify({ flow: currentFlow().id, counters: agentCounters() })))
  server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
`

/** Lines of headers as Node's client takes them. */
function asHeaders(lines: string[]): OutgoingHttpHeaders {
  const found: Record<string, string[]> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    ;(found[line.slice(0, colon)] ??= []).push(line.slice(colon + 1).trim())
  }
  return found
}

/** Sends lines as they are: clients would refuse to. */
async function raw(url: string, lines: string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write([...lines, 'host: a', 'connection: close', '', ''].join('\r\n'), 'latin1')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  await once(socket, 'close')
  return text
}

const headers: [string, string[]][] = [
  ['a traceparent of zeros', [`traceparent: 00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`]],
  ['a traceparent in capitals', [`traceparent: ${good.toUpperCase()}`]],
  ['a traceparent of version ff', [`traceparent: ff${good.slice(2)}`]],
  ['a traceparent with more than version 00 has', [`traceparent: ${good}-and-more`]],
  ['a traceparent that is too short', ['traceparent: 00-4bf9']],
  ['an endless traceparent', [`traceparent: cc${good.slice(2)}-${long}`]],
  ['two traceparents', [`traceparent: ${good}`, `traceparent: ${good}`]],
  ['bytes that are no text', ['traceparent: \u00ff\u0080\u00fe', 'baggage: \u00ff=\u00fe', 'tracestate: \u00ff']],
  ['an endless tracestate', [`traceparent: ${good}`, `tracestate: a=${long}`]],
  [
    'a tracestate with many members',
    [`traceparent: ${good}`, `tracestate: ${Array.from({ length: 500 }, (_, n) => `k${n}=v`).join(',')}`],
  ],
  ['a tracestate that lies about its weight', [`traceparent: ${good}`, 'tracestate: ot=th:ffffffffffffff;rv:zz']],
  ['baggage of commas', [`baggage: ${','.repeat(7_000)}`]],
  ['baggage with broken escapes', ['baggage: a=%,b=%zz,flow.id=%E0%A4%A']],
  ['baggage that names __proto__', [`baggage: __proto__=1,constructor=2,flow.id=${forgedId}`]],
  [
    'baggage with a member for each of ours, twice',
    [`baggage: flow.id=${forgedId},flow.id=${traceId},flow.name=a,flow.name=b`],
  ],
  ['an x-flow-id that is none', ['x-flow-id: DROP TABLE']],
  ['several x-flow-ids', [`x-flow-id: ${forgedId}`, `x-flow-id: ${traceId}`]],
  ['an endless x-flow-id', [`x-flow-id: ${long}`]],
  ['an endless name of the user agent', [`user-agent: ${long}`]],
  ['an endless list of proxies', [`x-forwarded-for: ${Array.from({ length: 500 }, () => '10.0.0.1').join(',')}`]],
  ['a list of proxies that is none', ['forwarded: for="[::1', 'x-forwarded-for: \u00ff,,,;']],
  ['a method that nobody knows', ['x-none: 1']],
]

describe.each(['lean', 'sdk'])('%s tracing', (tracing) => {
  const startApp = ({ env, ...rest }: AppOptions) =>
    startAppIn({ ...rest, env: { HEADWATER_TRACING: tracing, ...env } })

  test('nothing that a stranger sends is believed, and the service answers as ever', async () => {
    const receiver = await startReceiver()
    const app = await startApp({ source: service, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } })
    for (const [what, lines] of headers) {
      const flows = [`baggage: flow.id=${forgedId},flow.name=stolen,service.name=liar`, `x-flow-id: ${forgedId}`]
      const answer = await raw(app.url, ['GET /a HTTP/1.1', 'x-forwarded-for: 203.0.113.9', ...lines, ...flows])
      expect([what, answer.split('\r\n')[0]]).toEqual([what, 'HTTP/1.1 200 OK'])
      expect([what, answer]).not.toEqual([what, expect.stringContaining(forgedId)])
      expect([what, answer]).not.toEqual([what, expect.stringContaining('stolen')])
    }
    const servers = await receiver.wanted(
      headers.length,
      ({ kind, parentSpanId }) => kind === 'SERVER' && !parentSpanId,
    )
    for (const { attributes, links, traceId: own } of servers) {
      expect(attributes['flow.id']).toBe(own)
      expect(attributes['service.peer.name']).toBeUndefined()
      expect(links.length).toBeLessThanOrEqual(1)
    }
    const counters = (await (await fetch(`${app.url}/counters`)).json()) as AgentCounters
    expect(counters).toMatchObject({ flowsUntrusted: headers.length, capturesFailed: 0 })
    expect(app.stderr()).toBe('')
  })

  test('nor is it over HTTP/2, which has a door of its own', async () => {
    const receiver = await startReceiver()
    const app = await startApp({ source: http2Service, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } })
    const client = connectHttp2(app.url)
    onTestFinished(() => client.destroy())
    const ask = async (path: string, more: OutgoingHttpHeaders) => {
      const stream = client.request({ ':path': path, ...more })
      const [answer] = (await once(stream, 'response')) as [Record<string, string>]
      return {
        told: answer['x-flow-id'],
        body: JSON.parse(await textOf(stream)) as { flow: string; counters: AgentCounters },
      }
    }
    for (const [at, [what, lines]] of headers.entries()) {
      const { told, body } = await ask(`/${at}`, {
        ...asHeaders(lines),
        'x-flow-id': forgedId,
        'x-forwarded-for': '203.0.113.9',
      })
      expect([what, told, body.flow]).toEqual([what, expect.not.stringContaining(forgedId), told])
    }
    const { body } = await ask('/counters', {})
    expect(body.counters).toMatchObject({ flowsUntrusted: headers.length, capturesFailed: 0 })
    const spans = await receiver.wanted(headers.length + 1, ({ kind }) => kind === 'SERVER')
    for (const { attributes, traceId: own, parentSpanId } of spans) {
      expect([attributes['flow.id'], parentSpanId]).toEqual([own, undefined])
      expect(attributes).not.toHaveProperty('service.peer.name')
    }
    expect(app.stderr()).toBe('')
  })

  describe('of a peer that is trusted', () => {
    // One service meets all of them, one after the other.
    const ends: (() => Promise<void> | void)[] = []
    const over = (end: () => Promise<void> | void) => void ends.push(end)
    let receiver: Receiver
    let app: App
    beforeAll(async () => {
      receiver = await startReceiver(over)
      app = await startApp({ source: service, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }, over })
    })
    afterAll(async () => {
      for (const end of ends.toReversed()) await end()
    })

    const cells = headers.map(([what, lines], at) => [what, lines, `/${at}`] as const)
    test.each(cells)('%s ends in a run with an ID that is one', async (_what, lines, path) => {
      const answer = await raw(app.url, [`GET ${path} HTTP/1.1`, ...lines])
      expect(answer).toContain('HTTP/1.1 200 OK')
      const flow = /^x-flow-id: ([0-9a-f]{32})\r$/m.exec(answer)?.[1]
      const [span] = await receiver.wanted(
        1,
        ({ kind, attributes }) => kind === 'SERVER' && attributes['url.path'] === path,
      )
      expect(span?.attributes['flow.id']).toBe(flow)
      expect(span?.traceState.length).toBeLessThanOrEqual(512)
      // What the service sends on is no longer than what may be sent.
      const sent = JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)) as {
        sent: Record<string, string>
      }
      expect(Object.values(sent.sent).join('').length).toBeLessThan(9_500)
      const counters = (await (await fetch(`${app.url}/counters`)).json()) as AgentCounters
      expect(counters.capturesFailed).toBe(0)
    })
  })

  test('names of spans do not grow with the methods and paths that strangers think of', async () => {
    const receiver = await startReceiver()
    const app = await startApp({
      source: `
        import express from 'express'
        const app = express()
        app.get('/orders/:id', (request, response) => response.end())
        const server = app.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
      `,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    })
    const requests = [
      'GET /orders/1',
      'GET /orders/2',
      'GET /wp-admin.php',
      'PROPFIND /x',
      'MKCOL /y',
      'POST /orders/3',
    ]
    for (const request of requests) await raw(app.url, [`${request} HTTP/1.1`])
    const spans = await receiver.wanted(requests.length, ({ kind }) => kind === 'SERVER')
    expect([...new Set(spans.map(({ name }) => name))].toSorted()).toEqual(['GET', 'GET /orders/:id', 'HTTP', 'POST'])
    expect(spans.find(({ name }) => name === 'HTTP')?.attributes).toMatchObject({ 'http.request.method': '_OTHER' })
  })
})
