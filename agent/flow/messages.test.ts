import { expect, test } from 'vitest'
import { startApp, startReceiver } from '../testing.ts'

test('a message’s consumer continues the flow in a trace of its own, linked to the producer', async () => {
  const receiver = await startReceiver()
  await startApp({
    source: `
      import { setUser, withConsumer, withFlow, withProducer } from '@headwater/agent'
      const queue = { destination: 'reports', system: 'memory' }
      const messages = []
      withFlow('POST /report', () => withProducer(queue, (carrier) => messages.push(carrier)))
      await withConsumer(messages[0], queue, async () => { setUser('u-1'); await undefined })
    `,
    env: { OTEL_SERVICE_NAME: 'reports', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    serves: false,
  })
  const [entry] = await receiver.wanted(1, ({ kind }) => kind === 'INTERNAL')
  const [producer] = await receiver.wanted(1, ({ kind }) => kind === 'PRODUCER')
  const [consumer] = await receiver.wanted(1, ({ kind }) => kind === 'CONSUMER')
  const flow = { 'flow.id': entry?.traceId, 'flow.name': 'POST /report' }
  const queue = { 'messaging.system': 'memory', 'messaging.destination.name': 'reports' }
  expect(producer).toMatchObject({
    name: 'send reports',
    parentSpanId: entry?.spanId,
    attributes: { ...flow, ...queue, 'messaging.operation.type': 'send' },
  })
  expect(consumer).toMatchObject({
    name: 'process reports',
    parentSpanId: undefined,
    links: [{ traceId: producer?.traceId, spanId: producer?.spanId }],
    attributes: {
      ...flow,
      ...queue,
      'messaging.operation.type': 'process',
      'service.peer.name': 'reports',
      'user.id': 'u-1',
    },
  })
  expect(consumer?.traceId).not.toBe(producer?.traceId)
})

test('a batch starts a run linked to all its messages, and each message’s own span continues its flow', async () => {
  const receiver = await startReceiver()
  await startApp({
    source: `
      import { withConsumer, withFlow, withProducer } from '@headwater/agent'
      const queue = { destination: 'reports', system: 'memory' }
      const messages = []
      const send = () => withProducer(queue, (carrier) => messages.push(carrier))
      withFlow('a', send)
      withFlow('b', send)
      withConsumer(messages, queue, () => { for (const each of messages) withConsumer(each, queue, () => undefined) })
    `,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    serves: false,
  })
  const producers = await receiver.wanted(2, ({ kind }) => kind === 'PRODUCER')
  const consumers = await receiver.wanted(3, ({ kind }) => kind === 'CONSUMER')
  const links = producers.map(({ traceId, spanId }) => ({ traceId, spanId }))
  const batch = consumers.find((span) => span.links.length === 2)
  const single = consumers.filter((span) => span !== batch)
  expect(batch).toMatchObject({
    links,
    attributes: { 'messaging.batch.message_count': 2, 'flow.name': 'process reports', 'flow.id': batch?.traceId },
  })
  expect(single.map((span) => span.attributes['flow.name'])).toEqual(['a', 'b'])
  expect(new Set(consumers.map(({ traceId }) => traceId)).size).toBe(3)
})

test('a failing handler fails its span, and a message without attributes starts a run', async () => {
  const receiver = await startReceiver()
  const app = await startApp({
    source: `
      import { withConsumer } from '@headwater/agent'
      const queue = { destination: 'reports', system: 'memory' }
      const failing = withConsumer({}, queue, async () => { throw new RangeError('no paper') })
      console.log((await failing.catch((error) => error)).message)
    `,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    serves: false,
  })
  const [consumer] = await receiver.wanted(1, ({ kind }) => kind === 'CONSUMER')
  expect(consumer).toMatchObject({
    isError: true,
    links: [],
    attributes: { 'flow.id': consumer?.traceId, 'error.type': 'RangeError' },
    events: [{ name: 'exception', attributes: { 'exception.message': 'no paper' } }],
  })
  await app.ended()
  expect(app.stdout()).toBe('no paper\n')
})

test('with a shared key a message must be signed, and a request from its handler is no message', async () => {
  const receiver = await startReceiver()
  const app = await startApp({
    source: `
      import http from 'node:http'
      import { context } from '@opentelemetry/api'
      import { agentCounters, currentFlow, extract, inject, withConsumer, withFlow } from '@headwater/agent'
      const queue = { destination: 'reports', system: 'memory' }
      const carrier = withFlow('signed', () => ({ id: currentFlow().id, message: inject({}) }))
      const forged = { ...carrier.message, baggage: carrier.message.baggage.replace('signed', 'forged') }
      const seen = (message) => context.with(extract(message), () => currentFlow())
      const server = http.createServer((request, response) => response.end(JSON.stringify(request.headers)))
      server.listen(0, '127.0.0.1', () => withConsumer(carrier.message, queue, () => {
        const lookup = (host, options, done) => done(null, [{ address: '127.0.0.1', family: 4 }])
        http.get({ host: 'api.example.com', port: server.address().port, lookup }, (response) => {
          response.on('data', (text) => {
            console.log(JSON.stringify({ id: carrier.id, intact: seen(carrier.message), forged: seen(forged) ?? null,
              headers: JSON.parse(text), counters: agentCounters() }))
            server.close()
            server.closeAllConnections()
          })
        })
      }))
    `,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, HEADWATER_SHARED_KEY: 'a key that is long enough' },
    serves: false,
  })
  await app.ended()
  const { id, intact, forged, headers, counters } = JSON.parse(app.stdout())
  expect(intact).toEqual({ id, name: 'signed' })
  expect(forged).toBe(null)
  expect(counters).toMatchObject({ flowsUnproven: 1 })
  expect(headers).toHaveProperty('traceparent')
  expect(headers).not.toHaveProperty('baggage')
  expect(headers).not.toHaveProperty('x-flow-id')
})

test('a rejection that nobody handles stays one, and a query that runs when it is looked at runs once', async () => {
  const receiver = await startReceiver()
  const app = await startApp({
    source: `
      import { withFlow } from '@headwater/agent'
      let runs = 0
      const lazy = { then: (done) => { runs += 1; return Promise.resolve(7).then(done) } }
      console.log(await withFlow('query', () => lazy), runs)
      process.on('unhandledRejection', (error) => console.log(error.message))
      withFlow('report', async () => { throw new Error('no paper') })
    `,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    serves: false,
  })
  await app.ended()
  expect(app.stdout()).toBe('7 1\nno paper\n')
  expect((await receiver.wanted(2, () => true)).map(({ name, isError }) => [name, isError])).toEqual([
    ['query', false],
    ['report', true],
  ])
})
