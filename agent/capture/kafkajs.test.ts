// Debian has no package of Kafka. With Java and the jars of `org.apache.kafka:kafka_2.13`, `kafka.Kafka server.properties` is one;
// HEADWATER_TEST_KAFKA tells where it runs.

import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type App, type AppOptions, type ReceivedSpan, type Receiver, startApp, startReceiver } from '../testing.ts'

const broker = process.env['HEADWATER_TEST_KAFKA'] ?? ''
if (broker === '')
  process.stderr.write('kafkajs.test.ts: HEADWATER_TEST_KAFKA names no broker, so kafkajs is not tested\n')

type Kind = 'mjs' | 'cjs'
const kafkaJs = '{ Kafka, logLevel, Partitioners }'
const agent = '{ agentCounters, currentFlow, withConsumer, withFlow, withProducer }'
const imports: Readonly<Record<Kind, string>> = {
  mjs: `import kafkajs from 'kafkajs'\nimport ${agent} from '@headwater/agent'`,
  cjs: `const kafkajs = require('kafkajs')\nconst ${agent} = require('@headwater/agent')`,
}
const helpers = `
  const ${kafkaJs} = kafkajs
  const topic = process.env.TOPIC
  const print = (value) => console.log(JSON.stringify(value))
  const kafka = new Kafka({ brokers: [process.env.BROKER], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 10 } })
  const withSender = async (work, options = {}) => {
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...options })
    await producer.connect()
    await work(producer)
    await producer.disconnect()
  }
  /** Consumes until \`handlers\` call \`enough\`. */
  const receive = async (handlers) => {
    const consumer = kafka.consumer({ groupId: 'printers-' + topic, maxWaitTimeInMs: 50 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise((enough) => consumer.run(handlers(enough)))
    await consumer.disconnect()
  }
`

/** A service that does `work` and ends. */
function service(name: string, work: string, more: { kind?: Kind; env?: Record<string, string> } = {}): AppOptions {
  const { kind = 'mjs', env = {} } = more
  const source = `${imports[kind]}\n${helpers}\nasync function main() {\n${work}\n}\nvoid main()`
  return { file: `app.${kind}`, source, env: { OTEL_SERVICE_NAME: name, ...env } }
}

const kindIs = (wanted: string) => (span: ReceivedSpan) => span.kind === wanted
const send = `await withSender((producer) =>
  withFlow('POST /report', () => producer.send({ topic, messages: [{ key: 'k', value: 'five', headers: { month: '5' } }] })))`

describe.skipIf(broker === '').each(['lean', 'sdk'])('kafkajs, %s tracing', (tracing) => {
  /** Runs services one after the other, each until it ends, with a topic of their own. */
  async function run(receiver: Receiver, services: AppOptions[]): Promise<{ topic: string; apps: App[] }> {
    const topic = `reports-${randomUUID()}`
    const apps = []
    for (const { env, ...rest } of services) {
      const app = await startApp({
        ...rest,
        serves: false,
        env: {
          HEADWATER_TRACING: tracing,
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
          BROKER: broker,
          TOPIC: topic,
          ...env,
        },
      })
      expect(await app.ended()).toMatchObject({ code: 0 })
      expect(app.stderr()).toBe('')
      apps.push(app)
    }
    return { topic, apps }
  }

  test.each([
    ['mjs', 'cjs'],
    ['cjs', 'mjs'],
  ] as const)('a flow that begins in a %s service goes on in the consumer of a %s one', async (sender, consuming) => {
    const receiver = await startReceiver()
    const handle = `await receive((enough) => ({ eachMessage: async ({ message }) => {
      const headers = Object.entries(message.headers).map(([name, value]) => [name, value.toString()])
      print({ key: message.key.toString(), value: message.value.toString(), headers, flow: currentFlow() })
      enough()
    } }))`
    const { topic, apps } = await run(receiver, [
      service('shop', send, { kind: sender }),
      service('printer', handle, { kind: consuming }),
    ])
    const [entry] = await receiver.wanted(1, kindIs('INTERNAL'))
    const [producer] = await receiver.wanted(1, kindIs('PRODUCER'))
    const [consumer] = await receiver.wanted(1, kindIs('CONSUMER'))
    const shared = {
      'messaging.system': 'kafka',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': '0',
      'messaging.kafka.offset': 0,
      'flow.id': entry?.traceId,
      'flow.name': 'POST /report',
    }
    expect(producer).toMatchObject({
      service: 'shop',
      name: `send ${topic}`,
      parentSpanId: entry?.spanId,
      attributes: { ...shared, 'messaging.operation.name': 'send', 'messaging.operation.type': 'send' },
    })
    expect(producer?.attributes).not.toHaveProperty('messaging.batch.message_count')
    expect(consumer).toMatchObject({
      service: 'printer',
      name: `process ${topic}`,
      parentSpanId: undefined,
      isError: false,
      links: [{ traceId: producer?.traceId, spanId: producer?.spanId }],
      attributes: {
        ...shared,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.consumer.group.name': `printers-${topic}`,
        'service.peer.name': 'shop',
      },
    })
    expect(consumer?.traceId).not.toBe(producer?.traceId)
    expect(JSON.parse(apps[1]?.stdout() ?? '')).toEqual({
      key: 'k',
      value: 'five',
      headers: [
        ['month', '5'],
        ['traceparent', expect.any(String)],
        ['baggage', expect.any(String)],
      ],
      flow: { id: entry?.traceId, name: 'POST /report' },
    })
    expect(receiver.spans).toHaveLength(3)
  })

  test('each attempt has a span, and one that throws fails it', async () => {
    const receiver = await startReceiver()
    await run(receiver, [
      service('shop', send),
      service(
        'printer',
        `let attempts = 0
        await receive((enough) => ({ eachMessage: async () => {
          attempts += 1
          if (attempts === 1) throw Object.assign(new RangeError('no paper'), { retriable: true })
          enough()
        } }))`,
      ),
    ])
    const [producer] = await receiver.wanted(1, kindIs('PRODUCER'))
    const consumers = await receiver.wanted(2, kindIs('CONSUMER'))
    const links = [{ traceId: producer?.traceId, spanId: producer?.spanId }]
    expect(consumers).toMatchObject([
      {
        isError: true,
        events: [{ name: 'exception', attributes: { 'exception.message': 'no paper' } }],
        attributes: { 'error.type': 'RangeError', 'flow.id': producer?.traceId },
        links,
      },
      { isError: false, attributes: { 'flow.id': producer?.traceId }, links },
    ])
  })

  test('a batch that is sent is one span, one that is received a run linked to its messages, which go on by hand', async () => {
    const receiver = await startReceiver()
    const { topic } = await run(receiver, [
      service(
        'shop',
        `await withSender(async (producer) => {
          const messages = (count) => Array.from({ length: count }, () => ({ value: 'five' }))
          await withFlow('a', () => producer.send({ topic, messages: messages(100) }))
          await withFlow('b', () => producer.sendBatch({ topicMessages: [{ topic, messages: messages(30) }, { topic, messages: messages(1) }] }))
        })`,
      ),
      service(
        'printer',
        `let received = 0
        await receive((enough) => ({ eachBatch: async ({ batch }) => {
          const described = { destination: topic, system: 'kafka' }
          const { headers } = batch.messages.at(-1)
          await withConsumer(headers, described, async () => undefined)
          withConsumer(batch.messages.map((message) => message.headers), described, () => undefined)
          received += batch.messages.length
          if (received === 131) enough()
        } }))`,
      ),
    ])
    const [a, b] = await receiver.wanted(2, kindIs('PRODUCER'))
    expect([a, b]).toMatchObject([
      { name: `send ${topic}`, attributes: { 'messaging.batch.message_count': 100, 'flow.name': 'a' } },
      { name: `send ${topic}`, attributes: { 'messaging.batch.message_count': 31, 'flow.name': 'b' } },
    ])
    const isBatch = (span: ReceivedSpan) => 'messaging.batch.message_count' in span.attributes
    const batches = receiver.spans.filter((span) => span.kind === 'CONSUMER' && isBatch(span))
    const counts = batches.map(({ attributes }) => Number(attributes['messaging.batch.message_count']))
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(131)
    for (const { links, attributes, traceId } of batches) {
      expect(links).toHaveLength(Math.min(Number(attributes['messaging.batch.message_count']), 128))
      expect(attributes).toMatchObject({ 'flow.id': traceId, 'flow.name': `process ${topic}` })
    }
    const singles = receiver.spans.filter((span) => span.kind === 'CONSUMER' && !isBatch(span))
    expect(singles.at(-1)).toMatchObject({ links: [{ spanId: b?.spanId }], attributes: { 'flow.name': 'b' } })
    expect(singles).toHaveLength(batches.length)
  })

  test('messages of a transaction, of a class and from another message go on from here, and what the user gives stays', async () => {
    const receiver = await startReceiver()
    const { apps } = await run(receiver, [
      service(
        'shop',
        `class Report { #month = 'five'; get value() { return this.#month } }
        const copied = Object.freeze({ value: 'five', headers: Object.freeze({ traceparent: 'old', tracestate: 'a=b', list: ['1', '2'] }) })
        const record = Object.freeze({ topic, messages: Object.freeze([new Report(), copied]) })
        await withSender(async (producer) => {
          const transaction = await producer.transaction()
          await transaction.send(record)
          await transaction.commit()
        }, { transactionalId: topic, idempotent: true, maxInFlightRequests: 1 })
        let received = 0
        await receive((enough) => ({ eachMessage: async ({ message }) => {
          print([message.value.toString(), Object.keys(message.headers)])
          received += 1
          if (received === 2) enough()
        } }))`,
      ),
    ])
    const [producer] = await receiver.wanted(1, kindIs('PRODUCER'))
    const consumers = await receiver.wanted(2, kindIs('CONSUMER'))
    for (const { links } of consumers) expect(links).toMatchObject([{ spanId: producer?.spanId }])
    const printed = apps[0]
      ?.stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(printed).toEqual([
      ['five', ['traceparent', 'baggage']],
      ['five', ['list', 'traceparent', 'baggage']],
    ])
  })

  test('a message that is sent and handled by hand has no second span', async () => {
    const receiver = await startReceiver()
    await run(receiver, [
      service(
        'shop',
        `const described = { destination: topic, system: 'kafka' }
        await withSender((producer) => withFlow('a', () =>
          withProducer(described, (headers) => producer.send({ topic, messages: [{ value: 'five', headers }] }))))
        await receive((enough) => ({ eachMessage: async ({ message }) => withConsumer(message.headers, described, enough) }))`,
      ),
    ])
    await receiver.wanted(1, kindIs('CONSUMER'))
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
        `let received = 0
        await receive((enough) => ({ eachMessage: async () => { received += 1; if (received === 2) enough() } }))
        print(agentCounters())`,
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
    expect(JSON.parse(apps[2]?.stdout() ?? '')).toMatchObject({ flowsUnproven: 1, capturesFailed: 0 })
  })

  test('headers are left alone where nothing is to be carried, and a send that fails does as without the agent', async () => {
    const receiver = await startReceiver()
    const failing = `const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
      for (const messages of [[{ value: 'five' }], [{ key: 'k' }], undefined]) {
        await producer.send({ topic, messages }).catch(({ name, message }) => print([name, message]))
      }`
    const { apps } = await run(receiver, [
      service('off', send, { env: { OTEL_SDK_DISABLED: 'true' } }),
      service('unpropagated', send, { env: { OTEL_PROPAGATORS: 'none' } }),
      service(
        'printer',
        `let received = 0
        await receive((enough) => ({ eachMessage: async ({ message }) => {
          print(Object.keys(message.headers))
          received += 1
          if (received === 2) enough()
        } }))`,
      ),
      service('failing', failing),
      service('failing', failing, { env: { OTEL_SDK_DISABLED: 'true' } }),
    ])
    expect(apps[2]?.stdout()).toBe('["month"]\n["month"]\n')
    expect(apps[3]?.stdout()).toBe(apps[4]?.stdout())
    expect(apps[3]?.stdout()).toContain('The producer is disconnected')
    const failed = await receiver.wanted(1, ({ service: name, isError }) => name === 'failing' && isError)
    expect(failed[0]).toMatchObject({ attributes: { 'error.type': 'KafkaJSError' }, events: [{ name: 'exception' }] })
  })
})
