import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Broker, hasRabbitMq, startRabbitMq } from '../test-brokers.ts'
import { programOf } from '../test-readme.ts'
import { type App, type AppOptions, type ReceivedSpan, type Receiver, startApp, startReceiver } from '../testing.ts'

if (!hasRabbitMq)
  process.stderr.write('amqplib.test.ts: no rabbitmq-server is installed here, so amqplib is not tested\n')

let rabbitMq: Broker | undefined
beforeAll(async () => {
  if (hasRabbitMq) rabbitMq = await startRabbitMq()
})
afterAll(() => rabbitMq?.stop())

type Api = 'promises' | 'callbacks'
type Kind = 'mjs' | 'cjs'

/** In quotes, as they stand in the source of an application. */
const modules: Readonly<Record<Api, string>> = { promises: `'amqplib'`, callbacks: `'amqplib/callback_api'` }
const agent = '{ agentCounters, currentFlow, inject, withConsumer, withFlow, withProducer }'
const imports = (api: Api, kind: Kind) =>
  kind === 'mjs'
    ? `import amqplib from ${modules[api]}\nimport { trace } from '@opentelemetry/api'\nimport ${agent} from '@headwater/agent'`
    : `const amqplib = require(${modules[api]})\nconst { trace } = require('@opentelemetry/api')\nconst ${agent} = require('@headwater/agent')`

/** Makes `connection`, `channel` and the queue, and `end`. */
const beginnings: Readonly<Record<Api, string>> = {
  promises: `
    const connection = await amqplib.connect(process.env.AMQP_URL)
    const channel = await connection.createChannel()
    await channel.assertQueue(queue)
    const end = async () => { await channel.close(); await connection.close() }`,
  callbacks: `
    const connection = await promisify(amqplib.connect)(process.env.AMQP_URL)
    const channel = await promisify(connection.createChannel.bind(connection))()
    await promisify(channel.assertQueue.bind(channel))(queue, {})
    const end = async () => { await promisify(channel.close.bind(channel))(); await promisify(connection.close.bind(connection))() }`,
}

/** A service that does `work`, in which it calls \`end\`. */
function service(
  name: string,
  work: string,
  more: { api?: Api; kind?: Kind; env?: Record<string, string> } = {},
): AppOptions {
  const { api = 'promises', kind = 'mjs', env = {} } = more
  const source = `
    ${imports(api, kind)}
    const { promisify } = process.getBuiltinModule('util')
    const print = (value) => console.log(JSON.stringify(value))
    const queue = process.env.QUEUE
    const body = Buffer.from('five')
    async function main() { ${beginnings[api]}\n${work} }
    void main()
  `
  return { file: `app.${kind}`, source, env: { OTEL_SERVICE_NAME: name, ...env } }
}

/** Spans are sent in the order of their ends. */
const endedInOrder = ({ spans }: Receiver, first: ReceivedSpan, second: ReceivedSpan) =>
  spans.indexOf(first) < spans.indexOf(second)
const kindIs = (wanted: string) => (span: ReceivedSpan) => span.kind === wanted
const send = `withFlow('POST /report', () => channel.sendToQueue(queue, body, { headers: { month: 5 }, messageId: 'm-1' })); await end()`

describe.skipIf(!hasRabbitMq).each(['lean', 'sdk'])('amqplib, %s tracing', (tracing) => {
  /** Runs services one after the other, each until it ends, with a queue of their own. */
  async function run(receiver: Receiver, services: AppOptions[]): Promise<{ queue: string; apps: App[] }> {
    const queue = `reports-${randomUUID()}`
    const apps = []
    for (const { env, ...rest } of services) {
      const app = await startApp({
        ...rest,
        serves: false,
        env: {
          HEADWATER_TRACING: tracing,
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
          AMQP_URL: `amqp://127.0.0.1:${rabbitMq?.port}`,
          QUEUE: queue,
          ...env,
        },
      })
      await app.ended()
      apps.push(app)
    }
    return { queue, apps }
  }

  test.each([
    ['promises', 'mjs', 'callbacks', 'cjs'],
    ['callbacks', 'mjs', 'promises', 'cjs'],
    ['promises', 'cjs', 'promises', 'mjs'],
    ['callbacks', 'cjs', 'callbacks', 'mjs'],
  ] as const)('a flow goes on from %s (%s) to %s (%s)', async (fromApi, fromKind, toApi, toKind) => {
    const receiver = await startReceiver()
    const consume = `channel.consume(queue, (message) => {
      print({ headers: message.properties.headers, body: message.content.toString(), flow: currentFlow() })
      channel.ack(message)
      void end()
    })`
    const { queue, apps } = await run(receiver, [
      service('shop', send, { api: fromApi, kind: fromKind }),
      service('printer', consume, { api: toApi, kind: toKind }),
    ])
    const [entry] = await receiver.wanted(1, kindIs('INTERNAL'))
    const [producer] = await receiver.wanted(1, kindIs('PRODUCER'))
    const [consumer] = await receiver.wanted(1, kindIs('CONSUMER'))
    const shared = {
      'messaging.system': 'rabbitmq',
      'messaging.destination.name': queue,
      'messaging.rabbitmq.destination.routing_key': queue,
      'messaging.message.id': 'm-1',
      'server.address': '127.0.0.1',
      'server.port': rabbitMq?.port,
      'flow.id': entry?.traceId,
      'flow.name': 'POST /report',
    }
    expect(producer).toMatchObject({
      service: 'shop',
      name: `send ${queue}`,
      parentSpanId: entry?.spanId,
      attributes: { ...shared, 'messaging.operation.name': 'send', 'messaging.operation.type': 'send' },
    })
    expect(consumer).toMatchObject({
      service: 'printer',
      name: `process ${queue}`,
      parentSpanId: undefined,
      isError: false,
      links: [{ traceId: producer?.traceId, spanId: producer?.spanId }],
      attributes: {
        ...shared,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.rabbitmq.message.delivery_tag': 1,
        'service.peer.name': 'shop',
      },
    })
    expect(consumer?.traceId).not.toBe(producer?.traceId)
    expect(JSON.parse(apps[1]?.stdout() ?? '')).toEqual({
      headers: { month: 5, traceparent: expect.any(String), baggage: expect.any(String) },
      body: 'five',
      flow: { id: entry?.traceId, name: 'POST /report' },
    })
    expect(receiver.spans).toHaveLength(3)
  })

  test('a message is handled when its callback is done and it is acknowledged', async () => {
    const receiver = await startReceiver()
    await run(receiver, [
      service('shop', `for (let i = 0; i < 4; i += 1) channel.sendToQueue(queue, body); await end()`),
      service(
        'printer',
        `const print = () => setImmediate(() => trace.getTracer('printer').startSpan('print').end())
        const messages = []
        channel.consume(queue, (message) => {
          messages.push(message)
          print()
          if (messages.length === 3) setImmediate(() => channel.ack(message, true))
          if (messages.length === 4) setImmediate(() => { channel.ackAll(); void end() })
        })`,
        { api: 'callbacks' },
      ),
    ])
    const consumers = await receiver.wanted(4, kindIs('CONSUMER'))
    const prints = await receiver.wanted(4, ({ name }) => name === 'print')
    for (const consumer of consumers) {
      const print = prints.find(({ parentSpanId }) => parentSpanId === consumer.spanId)
      expect(consumer.isError).toBe(false)
      expect(print && endedInOrder(receiver, print, consumer)).toBe(true)
    }
  })

  test('an async callback’s promise ends the span, and its failure is the span’s and the service’s', async () => {
    const receiver = await startReceiver()
    const { apps } = await run(receiver, [
      service('shop', `for (const type of ['good', 'bad']) channel.sendToQueue(queue, body, { type }); await end()`),
      service(
        'printer',
        `process.once('unhandledRejection', (error) => { print(error.message); void end() })
        await channel.consume(queue, async ({ properties }) => {
          await undefined
          trace.getTracer('printer').startSpan(properties.type).end()
          if (properties.type === 'bad') throw new RangeError('no paper')
        }, { noAck: true })`,
      ),
    ])
    const [good, bad] = await receiver.wanted(2, kindIs('CONSUMER'))
    const [goodPrint] = await receiver.wanted(1, ({ name }) => name === 'good')
    expect(good).toMatchObject({ isError: false, spanId: goodPrint?.parentSpanId })
    expect(good && goodPrint && endedInOrder(receiver, goodPrint, good)).toBe(true)
    expect(bad).toMatchObject({
      isError: true,
      attributes: { 'error.type': 'RangeError' },
      events: [{ name: 'exception', attributes: { 'exception.message': 'no paper' } }],
    })
    expect(apps[1]?.stdout()).toBe('"no paper"\n')
  })

  test('a message that is refused, or whose channel closes before it is acknowledged, has failed', async () => {
    const receiver = await startReceiver()
    await run(receiver, [
      service('shop', `for (let i = 0; i < 4; i += 1) channel.sendToQueue(queue, body); await end()`),
      service(
        'printer',
        `const answers = [
          async (message) => channel.nack(message, false, false),
          (message) => { setImmediate(() => channel.reject(message, false)) },
          (message) => { setImmediate(() => channel.nackAll(false)) },
          () => { setImmediate(end) },
        ]
        await channel.prefetch(1)
        await channel.consume(queue, (message) => answers.shift()(message))`,
      ),
    ])
    const consumers = await receiver.wanted(4, kindIs('CONSUMER'))
    const types = consumers.map(({ isError, attributes }) => isError && attributes['error.type'])
    expect(types).toEqual(['nack', 'reject', 'nack', 'channel_closed'])
  })

  test('a service that acknowledges nothing has at most 1,024 spans that wait for it', async () => {
    const receiver = await startReceiver()
    await run(receiver, [
      service(
        'printer',
        `let received = 0
        await channel.consume(queue, () => { received += 1; if (received === 1_030) void end() })
        for (let i = 0; i < 1_030; i += 1) channel.sendToQueue(queue, body)`,
        { env: { OTEL_BSP_MAX_QUEUE_SIZE: '4096' } },
      ),
    ])
    const consumers = await receiver.wanted(1_030, kindIs('CONSUMER'))
    const isClosed = ({ attributes }: ReceivedSpan) => attributes['error.type'] === 'channel_closed'
    expect(consumers.filter(isClosed)).toHaveLength(1_024)
    expect(consumers.filter(({ isError }) => !isError)).toHaveLength(6)
  })

  test('with confirmation a message is sent when the broker has taken it, and has failed when it has not', async () => {
    const receiver = await startReceiver()
    const { apps } = await run(receiver, [
      service(
        'shop',
        `const full = queue + '-full'
        await channel.assertQueue(full, { exclusive: true, arguments: { 'x-max-length': 0, 'x-overflow': 'reject-publish' } })
        const confirming = await connection.createConfirmChannel()
        const outcomes = []
        const sent = (to) => new Promise((resolve) => {
          const confirmed = (error) => { outcomes.push(error?.message ?? currentFlow().name); resolve() }
          withFlow(to, () => confirming.sendToQueue(to, body, { headers: {} }, confirmed))
        })
        await sent(queue)
        await sent(full)
        confirming.publish('', queue, body)
        await confirming.waitForConfirms()
        print(outcomes)
        await end()`,
      ),
    ])
    const [taken, refused, unheard, ...more] = await receiver.wanted(3, kindIs('PRODUCER'))
    expect([taken?.isError, refused?.isError, unheard?.isError]).toEqual([false, true, false])
    expect(refused).toMatchObject({ statusMessage: 'message nacked', attributes: { 'error.type': 'Error' } })
    expect(JSON.parse(apps[0]?.stdout() ?? '')).toEqual([taken?.attributes['flow.name'], 'message nacked'])
    expect(more).toEqual([])
  })

  test('an exchange is one destination, whatever the routing keys, and names that the broker makes name nothing', async () => {
    const receiver = await startReceiver()
    const { queue } = await run(receiver, [
      service(
        'shop',
        `const exchange = queue + '-exchange'
        await channel.assertExchange(exchange, 'topic', { autoDelete: true })
        await channel.bindQueue(queue, exchange, 'order.*')
        const { queue: reply } = await channel.assertQueue('', { exclusive: true })
        const handled = (from) => new Promise((resolve) => void channel.consume(from, resolve, { noAck: true }))
        const arrivals = [handled(queue), handled(reply)]
        channel.publish(exchange, 'order.42', body)
        channel.sendToQueue(reply, body)
        await Promise.all(arrivals)
        await end()`,
      ),
    ])
    const producers = await receiver.wanted(2, kindIs('PRODUCER'))
    const consumers = await receiver.wanted(2, kindIs('CONSUMER'))
    expect(producers).toMatchObject([
      {
        name: `send ${queue}-exchange`,
        attributes: {
          'messaging.destination.name': `${queue}-exchange`,
          'messaging.rabbitmq.destination.routing_key': 'order.42',
        },
      },
      { name: 'send', attributes: { 'messaging.destination.anonymous': true } },
    ])
    expect(consumers.map(({ name }) => name).toSorted()).toEqual(['process', `process ${queue}`])
  })

  test('a message that is sent on is this service’s, and what the user gives stays as it is', async () => {
    const receiver = await startReceiver()
    const { apps } = await run(receiver, [
      service('shop', send),
      service(
        'printer',
        `const arrivals = []
        await channel.consume(queue, (message) => {
          channel.ack(message)
          arrivals.push(message.properties.headers)
          if (arrivals.length === 2) return void end()
          const headers = Object.freeze({ ...message.properties.headers, tracestate: 'a=b' })
          channel.sendToQueue(queue, message.content, Object.freeze({ headers }))
          print(headers.traceparent === message.properties.headers.traceparent)
        })`,
      ),
    ])
    const [first, second] = await receiver.wanted(2, kindIs('PRODUCER'))
    const consumers = await receiver.wanted(2, kindIs('CONSUMER'))
    expect(second).toMatchObject({ service: 'printer', parentSpanId: consumers[0]?.spanId, traceState: '' })
    expect(consumers).toMatchObject([
      { links: [{ spanId: first?.spanId }], attributes: { 'service.peer.name': 'shop' } },
      { links: [{ spanId: second?.spanId }], attributes: { 'service.peer.name': 'printer' } },
    ])
    expect(consumers[1]?.attributes['flow.id']).toBe(first?.traceId)
    expect(apps[1]?.stdout()).toBe('true\n')
    expect(apps[1]?.stderr()).toBe('')
  })

  test('a message that is sent and handled by hand has no second span', async () => {
    const receiver = await startReceiver()
    const { apps } = await run(receiver, [
      service(
        'shop',
        `const described = { destination: queue, system: 'rabbitmq' }
        await channel.consume(queue, (message) => withConsumer(message.properties.headers, described, () => {
          print(currentFlow().name)
          channel.ack(message)
          void end()
        }))
        withFlow('a', () => withProducer(described, (headers) => channel.sendToQueue(queue, body, { headers })))`,
      ),
    ])
    await receiver.wanted(1, kindIs('CONSUMER'))
    expect(apps[0]?.stdout()).toBe('"a"\n')
    expect(receiver.spans.map(({ kind }) => kind).toSorted()).toEqual(['CONSUMER', 'INTERNAL', 'PRODUCER'])
  })

  test('with a shared key a message that is not signed with it begins a run, linked to its sender, and is counted', async () => {
    const receiver = await startReceiver()
    const key = { HEADWATER_SHARED_KEY: 'a key that is long enough' }
    const { apps } = await run(receiver, [
      service('shop', send, { env: key }),
      service('forger', send, { env: { HEADWATER_SHARED_KEY: 'another that is long enough' } }),
      service(
        'printer',
        `let arrived = 0
        await channel.consume(queue, (message) => {
          channel.ack(message)
          arrived += 1
          if (arrived === 2) { print(agentCounters()); void end() }
        })`,
        { env: key },
      ),
    ])
    const [signed, forged] = await receiver.wanted(2, kindIs('PRODUCER'))
    const [afterSigned, afterForged] = await receiver.wanted(2, kindIs('CONSUMER'))
    expect(afterSigned).toMatchObject({
      links: [{ spanId: signed?.spanId }],
      attributes: { 'flow.id': signed?.traceId },
    })
    expect(afterForged).toMatchObject({
      links: [{ spanId: forged?.spanId }],
      attributes: { 'flow.id': afterForged?.traceId },
    })
    expect(afterForged?.attributes).not.toHaveProperty('service.peer.name')
    expect(JSON.parse(apps[2]?.stdout() ?? '')).toMatchObject({ flowsUnproven: 1, capturesFailed: 0 })
  })

  test('whatever headers a stranger’s message has, it is handled, in a run of its own', async () => {
    const receiver = await startReceiver()
    const { apps } = await run(receiver, [
      service(
        'stranger',
        `const long = 'x'.repeat(20_000)
        for (const headers of [
          { traceparent: 5, tracestate: true, baggage: { 'flow.id': 1 } },
          { traceparent: ['00'], tracestate: null, baggage: Buffer.from([255, 254]) },
          { traceparent: long, tracestate: long, baggage: long },
          { baggage: 'flow.id=none,flow.id=%E0%A4%A', 'x-flow-id': long },
          {},
        ]) channel.sendToQueue(queue, body, { headers })
        await end()`,
        { env: { OTEL_SDK_DISABLED: 'true' } },
      ),
      service(
        'printer',
        `let arrived = 0
        await channel.consume(queue, (message) => {
          channel.ack(message)
          arrived += 1
          if (arrived === 5) { print(agentCounters()); void end() }
        })`,
      ),
    ])
    const consumers = await receiver.wanted(5, kindIs('CONSUMER'))
    for (const { attributes, traceId, links } of consumers)
      expect([attributes['flow.id'], links]).toEqual([traceId, []])
    expect(JSON.parse(apps[1]?.stdout() ?? '')).toMatchObject({ flowsMalformed: 2, capturesFailed: 0 })
  })

  test('headers are left alone where nothing is to be carried', async () => {
    const receiver = await startReceiver()
    const { apps } = await run(receiver, [
      service('off', send, { env: { OTEL_SDK_DISABLED: 'true' } }),
      service('unpropagated', send, { env: { OTEL_PROPAGATORS: 'none' } }),
      service(
        'printer',
        `for (let i = 0; i < 2; i += 1) print((await channel.get(queue, { noAck: true })).properties.headers)
        await end()`,
      ),
    ])
    expect(apps[2]?.stdout()).toBe('{"month":5}\n{"month":5}\n')
    await receiver.wanted(1, kindIs('PRODUCER'))
    expect(receiver.spans.filter(kindIs('CONSUMER'))).toEqual([])
  })
})

describe.skipIf(!hasRabbitMq)('A service with amqplib', () => {
  test.each([
    ['that only connects sends nothing', 'await end()', 0, /^$/],
    [
      'dies of an async callback that fails',
      `await channel.consume(queue, async () => { throw new RangeError('no paper') }); channel.sendToQueue(queue, body)`,
      1,
      'RangeError: no paper',
    ],
    [
      'does not die of a callback’s failing promise that it handles itself',
      `await channel.consume(queue, () => {
        const failing = Promise.reject(new RangeError('no paper'))
        failing.catch(() => setImmediate(end))
        return failing
      }, { noAck: true })
      channel.sendToQueue(queue, body)`,
      0,
      /^$/,
    ],
    [
      'loses its channel to a callback that throws',
      `channel.on('error', ({ message, code }) => { process.stderr.write(message + ' ' + code); void connection.close() })
      await channel.consume(queue, () => { throw new RangeError('no paper') })
      channel.sendToQueue(queue, body)`,
      0,
      'no paper 541',
    ],
    [
      'sees what amqplib refuses',
      `await channel.close()
      try { channel.sendToQueue(queue, body) } catch ({ name }) { process.stderr.write(name) }
      await connection.close()`,
      0,
      'IllegalOperationError',
    ],
  ])('%s, as without the agent', async (_story, work, code, message) => {
    const receiver = await startReceiver()
    for (const registered of [true, false]) {
      const { env, ...rest } = service('shop', work)
      const app = await startApp({
        ...rest,
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
          AMQP_URL: `amqp://127.0.0.1:${rabbitMq?.port}`,
          QUEUE: `reports-${randomUUID()}`,
          ...env,
        },
        registered,
        serves: false,
      })
      expect(await app.ended()).toMatchObject({ code, signal: null })
      expect(app.stderr()).toMatch(message)
    }
  })

  test('of the README: the consumer goes on with the flow of who has sent the message', async () => {
    const receiver = await startReceiver()
    await startApp({
      source: programOf('RabbitMQ').replace('localhost:5672', `127.0.0.1:${rabbitMq?.port}`),
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
      serves: false,
    })
    const [producer] = await receiver.wanted(1, kindIs('PRODUCER'))
    const [consumer] = await receiver.wanted(1, kindIs('CONSUMER'))
    expect(consumer).toMatchObject({
      links: [{ spanId: producer?.spanId }],
      attributes: { 'flow.id': producer?.traceId },
    })
  })
})
