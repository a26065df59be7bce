// Where work goes on outside of the request that began it: child processes, worker threads, WebSockets, HTTP/2.

import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { testPair } from '../test-certificate.ts'
import { type AppOptions, type Receiver, startApp as startAppIn, startReceiver } from '../testing.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const otherFlowId = 'c0ffee00c0ffee00c0ffee00c0ffee00'

describe.each(['lean', 'sdk'])('%s tracing', (tracing) => {
  const startApp = ({ env, ...rest }: AppOptions) =>
    startAppIn({ ...rest, env: { HEADWATER_TRACING: tracing, ...env } })
  const script = (source: string, receiver: Receiver) =>
    startApp({ source, env: { OTEL_SERVICE_NAME: 'app', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }, serves: false })

  test('a child process goes on with the run that has started it, and its environment stays as the service wants it', async () => {
    const receiver = await startReceiver()
    const app = await script(
      `
        import { execFile } from 'node:child_process'
        import { promisify } from 'node:util'
        import { withFlow } from '@headwater/agent'
        const child = \`import { withConsumer, currentFlow } from '@headwater/agent'; import { trace } from '@opentelemetry/api'
          trace.getTracer('child').startActiveSpan('work', (span) => { console.log(currentFlow().id, process.env.MINE); span.end() })\`
        const run = (env) => promisify(execFile)(process.execPath, [...process.execArgv, '--input-type=module', '-e', child], { env })
        await withFlow('nightly report', async () => {
          console.log((await run({ ...process.env, MINE: '1' })).stdout)
          console.log((await run({ ...process.env, TRACEPARENT: '00-${traceId}-00f067aa0ba902b7-01', BAGGAGE: '' })).stdout)
        })
      `,
      receiver,
    )
    await app.ended()
    const [parent] = await receiver.wanted(1, ({ name }) => name === 'nightly report')
    const children = receiver.spans.filter(({ name }) => name === 'work')
    expect(children[0]).toMatchObject({
      traceId: parent?.traceId,
      parentSpanId: parent?.spanId,
      attributes: { 'flow.id': parent?.traceId, 'flow.name': 'nightly report' },
    })
    expect(children[1]).toMatchObject({ traceId, parentSpanId: '00f067aa0ba902b7' })
    expect(app.stdout()).toContain(`${parent?.traceId} 1`)
  })

  test('a worker thread is traced, and its work goes on with a run that a message hands over', async () => {
    const receiver = await startReceiver()
    const app = await script(
      `
        import { once } from 'node:events'
        import { writeFileSync } from 'node:fs'
        import { Worker } from 'node:worker_threads'
        import { inject, withFlow } from '@headwater/agent'
        writeFileSync('worker.mjs', \`
          import { parentPort } from 'node:worker_threads'
          import { withConsumer, withFlow } from '@headwater/agent'
          withFlow('cleaning', () => undefined)
          parentPort.once('message', (headers) => withConsumer(headers, { destination: 'pool', system: 'threads' }, () => undefined))
        \`)
        await withFlow('nightly report', async () => {
          const worker = new Worker('./worker.mjs')
          worker.postMessage(inject({}))
          await once(worker, 'exit')
        })
      `,
      receiver,
    )
    await app.ended()
    const [run] = await receiver.wanted(1, ({ name }) => name === 'nightly report')
    const [handed] = await receiver.wanted(1, ({ name }) => name === 'process pool')
    const [own] = await receiver.wanted(1, ({ name }) => name === 'cleaning')
    expect(handed).toMatchObject({
      links: [{ traceId: run?.traceId, spanId: run?.spanId }],
      attributes: { 'flow.id': run?.traceId, 'flow.name': 'nightly report' },
    })
    expect(own?.attributes['flow.id']).toBe(own?.traceId)
  })

  test('each message of a WebSocket is a piece of work, of the run that a trusted peer has opened the connection in', async () => {
    const receiver = await startReceiver()
    const app = await startApp({
      source: `
        import { once } from 'node:events'
        import { WebSocketServer } from 'ws'
        import { currentFlow } from '@headwater/agent'
        const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
        server.on('connection', (socket) => socket.on('message', (data) => socket.send(data + ' ' + currentFlow().id)))
        await once(server, 'listening')
        console.log('listening ' + server.address().port)
      `,
      env: { OTEL_SERVICE_NAME: 'app', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    })
    const client = await startApp({
      source: `
        import { once } from 'node:events'
        import { WebSocket } from 'ws'
        const open = async (headers) => {
          const client = new WebSocket('${app.url.replace('http', 'ws')}/chat?token=secret', { headers })
          await once(client, 'open')
          client.send('hello')
          console.log(String((await once(client, 'message'))[0]))
          client.close()
          await once(client, 'close')
        }
        await open({ 'x-flow-id': '${otherFlowId}' })
        await open({ 'x-flow-id': '${otherFlowId}', 'x-forwarded-for': '203.0.113.9' })
      `,
      registered: false,
      serves: false,
    })
    await client.ended()
    const messages = await receiver.wanted(2, ({ name }) => name === 'websocket message')
    expect(messages[0]).toMatchObject({
      kind: 'CONSUMER',
      parentSpanId: undefined,
      attributes: { 'flow.id': otherFlowId, 'url.path': '/chat' },
    })
    expect(messages[1]?.attributes).toMatchObject({ 'flow.id': messages[1]?.traceId, 'flow.name': 'websocket message' })
    expect(client.stdout()).toBe(`hello ${otherFlowId}\nhello ${messages[1]?.traceId}\n`)
  })

  test('a request of HTTP/2 has a server span, its flow, and its context until its body has come', async () => {
    const receiver = await startReceiver()
    const app = await startApp({
      source: http2Server,
      env: { OTEL_SERVICE_NAME: 'app', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    })
    const client = connect(app.url)
    onTestFinished(() => client.destroy())
    const known = await post(client, '/orders?token=secret', { 'x-flow-id': otherFlowId })
    const broken = await post(client, '/broken', {})
    const [order, failed] = await receiver.wanted(2, ({ kind }) => kind === 'SERVER')
    expect(order).toMatchObject({
      name: 'POST',
      isError: false,
      attributes: {
        'flow.id': otherFlowId,
        'url.path': '/orders',
        'network.protocol.version': '2',
        'http.response.status_code': 200,
      },
    })
    expect(failed).toMatchObject({ isError: true, attributes: { 'error.type': '500' } })
    expect(known).toEqual({ flow: otherFlowId, told: otherFlowId })
    expect(broken).toEqual({ flow: failed?.traceId, told: failed?.traceId })
  })

  test('over TLS spans are made, flows go on and spans are sent as they are without', async () => {
    const receiver = await startReceiver(undefined, testPair)
    const app = await startApp({
      files: { 'cert.pem': testPair.cert, 'key.pem': testPair.key },
      source: `
        import { readFileSync } from 'node:fs'
        import https from 'node:https'
        const [cert, key] = [readFileSync('cert.pem'), readFileSync('key.pem')]
        const server = https.createServer({ cert, key }, (request, response) => response.end(request.headers['x-flow-id']))
        server.listen(0, '127.0.0.1', () => {
          https.get({ host: 'localhost', port: server.address().port, path: '/orders?token=secret', ca: cert }, (response) => {
            response.on('data', (text) => console.log(String(text))).on('end', () => server.close())
          })
        })
      `,
      env: {
        OTEL_SERVICE_NAME: 'app',
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url.replace('127.0.0.1', 'localhost'),
        OTEL_EXPORTER_OTLP_CERTIFICATE: 'cert.pem',
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: 'cert.pem',
        OTEL_EXPORTER_OTLP_CLIENT_KEY: 'key.pem',
      },
      serves: false,
    })
    expect(await app.ended()).toMatchObject({ code: 0 })
    const [client] = await receiver.wanted(1, ({ kind }) => kind === 'CLIENT')
    const [server] = await receiver.wanted(1, ({ kind }) => kind === 'SERVER')
    expect(client?.attributes['url.full']).toMatch(/^https:\/\/localhost:\d+\/orders$/)
    expect(server).toMatchObject({
      parentSpanId: client?.spanId,
      attributes: { 'url.scheme': 'https', 'url.path': '/orders', 'flow.id': client?.traceId },
    })
    expect(app.stdout()).toBe(`${client?.traceId}\n`)
    expect(app.stderr()).toBe('')
  })

  test('a request to a server of HTTP/2 has a client span and carries the run on', async () => {
    const receiver = await startReceiver()
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
    const server = await startApp({ source: http2Server, env: { ...env, OTEL_SERVICE_NAME: 'server' } })
    const client = await startApp({
      source: `
        import { once } from 'node:events'
        import { connect } from 'node:http2'
        import { withFlow } from '@headwater/agent'
        const client = connect('${server.url}')
        await withFlow('nightly report', async () => {
          for (const headers of [{ ':path': '/a?token=secret' }, { ':path': '/broken' }]) {
            const stream = client.request(headers)
            await once(stream.resume(), 'close')
          }
        })
        client.close()
        await fetch('http://127.0.0.1:1').catch(() => undefined)
      `,
      env: { ...env, OTEL_SERVICE_NAME: 'client' },
      serves: false,
    })
    await client.ended()
    const [run] = await receiver.wanted(1, ({ name }) => name === 'nightly report')
    const [sent, failed] = await receiver.wanted(
      2,
      ({ kind, attributes }) => kind === 'CLIENT' && attributes['network.protocol.version'] === '2',
    )
    const [served] = await receiver.wanted(1, ({ kind }) => kind === 'SERVER')
    expect(sent).toMatchObject({
      parentSpanId: run?.spanId,
      isError: false,
      attributes: { 'url.full': `${server.url}/a`, 'server.address': '127.0.0.1', 'http.response.status_code': 200 },
    })
    expect(failed).toMatchObject({ isError: true, attributes: { 'error.type': '500' } })
    expect(served).toMatchObject({
      parentSpanId: sent?.spanId,
      attributes: { 'flow.id': run?.traceId, 'flow.name': 'nightly report', 'service.peer.name': 'client' },
    })
  })
})

const http2Server = `
  import http2 from 'node:http2'
  import { currentFlow } from '@headwater/agent'
  const server = http2.createServer((request, response) => {
    request.resume().on('end', () => {
      response.statusCode = request.url === '/broken' ? 500 : 200
      response.end(currentFlow().id)
    })
  })
  server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
`

/** Sends a body in two parts; tells the flow that the handler knew of, and the one that the answer told. */
async function post(client: ClientHttp2Session, path: string, headers: Record<string, string>) {
  const stream = client.request({ ':method': 'POST', ':path': path, ...headers })
  stream.write('a')
  setImmediate(() => stream.end('b'))
  const [answer] = (await once(stream, 'response')) as [Record<string, string>]
  return { flow: await text(stream), told: answer['x-flow-id'] }
}
