import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Broker, hasRedis, startRedis } from '../test-brokers.ts'
import { programOf } from '../test-readme.ts'
import { type AppOptions, type ReceivedSpan, type Receiver, startApp as startAppIn, startReceiver } from '../testing.ts'

if (!hasRedis) process.stderr.write('bullmq.test.ts: no redis-server is installed here, so BullMQ is not tested\n')

let redis: Broker | undefined
beforeAll(async () => {
  if (hasRedis) redis = await startRedis()
})
afterAll(() => redis?.stop())

const bullMq = '{ DelayedError, FlowProducer, Queue, Worker }'
const agent = '{ agentCounters, currentFlow, withFlow }'
const imports = {
  mjs: `import ${bullMq} from 'bullmq'\nimport ${agent} from '@headwater/agent'`,
  cjs: `const ${bullMq} = require('bullmq')\nconst ${agent} = require('@headwater/agent')`,
}
const helpers = `
  const options = {
    connection: { host: '127.0.0.1', port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null },
    prefix: process.env.REDIS_PREFIX,
  }
  const print = (value) => console.log(JSON.stringify(value))
  const send = async (work) => {
    const queue = new Queue('reports', options)
    await work(queue)
    await queue.close()
  }
  /** Processes jobs until so many attempts are over, whatever has become of them. */
  const receive = async (attempts, processor) => {
    const worker = new Worker('reports', processor, options)
    const { promise, resolve } = Promise.withResolvers()
    const over = () => (attempts -= 1) === 0 && resolve()
    worker.on('completed', over)
    worker.on('failed', over)
    await promise
    await worker.close()
  }
`

/** A service that does `work` and ends. */
function service(name: string, work: string, more: { kind?: 'mjs' | 'cjs'; env?: Record<string, string> } = {}) {
  const { kind = 'mjs', env = {} } = more
  const source = `${imports[kind]}\n${helpers}\nasync function main() {\n${work}\n}\nvoid main()`
  return { file: `app.${kind}`, source, env: { OTEL_SERVICE_NAME: name, ...env } }
}

const kindIs = (wanted: string) => (span: ReceivedSpan) => span.kind === wanted

describe.skipIf(!hasRedis).each(['lean', 'sdk'])('BullMQ, %s tracing', (tracing) => {
  /** Runs services one after the other, each until it ends, on queues of their own. */
  async function run(receiver: Receiver, services: AppOptions[]): Promise<string[]> {
    const outputs = []
    const prefix = randomUUID()
    for (const { env, ...rest } of services) {
      const app = await startAppIn({
        ...rest,
        serves: false,
        env: {
          HEADWATER_TRACING: tracing,
          HEADWATER_INSTRUMENTATIONS: 'none',
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
          REDIS_PORT: String(redis?.port),
          REDIS_PREFIX: prefix,
          ...env,
        },
      })
      await app.ended()
      expect(app.stderr()).toBe('')
      outputs.push(app.stdout())
    }
    return outputs
  }

  test.each([
    ['mjs', 'cjs'],
    ['cjs', 'mjs'],
  ] as const)('a flow that begins in a %s service goes on in the worker of a %s one', async (sender, worker) => {
    const receiver = await startReceiver()
    const add = `await send((queue) => withFlow('POST /report', () => queue.add('monthly', { month: 5 }, { delay: 1 })))`
    const handle = `await receive(1, async (job) => { await undefined; print({ data: job.data, flow: currentFlow() }) })`
    const [, output = ''] = await run(receiver, [
      service('shop', add, { kind: sender }),
      service('printer', handle, { kind: worker }),
    ])
    const [entry] = await receiver.wanted(1, kindIs('INTERNAL'))
    const [producer] = await receiver.wanted(1, kindIs('PRODUCER'))
    const [consumer] = await receiver.wanted(1, kindIs('CONSUMER'))
    const shared = {
      'messaging.system': 'bullmq',
      'messaging.destination.name': 'reports',
      'messaging.message.id': expect.any(String),
      'bullmq.job.name': 'monthly',
      'server.address': '127.0.0.1',
      'server.port': redis?.port,
      'flow.id': entry?.traceId,
      'flow.name': 'POST /report',
    }
    expect(producer).toMatchObject({
      service: 'shop',
      name: 'send reports',
      parentSpanId: entry?.spanId,
      attributes: { ...shared, 'messaging.operation.name': 'send', 'messaging.operation.type': 'send' },
    })
    expect(consumer).toMatchObject({
      service: 'printer',
      name: 'process reports',
      parentSpanId: undefined,
      isError: false,
      links: [{ traceId: producer?.traceId, spanId: producer?.spanId }],
      attributes: {
        ...shared,
        'messaging.message.id': producer?.attributes['messaging.message.id'],
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'service.peer.name': 'shop',
      },
    })
    expect(consumer?.traceId).not.toBe(producer?.traceId)
    expect(JSON.parse(output)).toEqual({ data: { month: 5 }, flow: { id: entry?.traceId, name: 'POST /report' } })
    expect(receiver.spans).toHaveLength(3)
  })

  test('each attempt has a span: one that throws fails it, one that puts its job back does not', async () => {
    const receiver = await startReceiver()
    await run(receiver, [
      service('shop', `await send((queue) => queue.add('monthly', {}, { attempts: 2 }))`),
      service(
        'printer',
        `const attempts = [
          async (job, token) => { await job.moveToDelayed(Date.now(), token); throw new DelayedError() },
          async () => { throw new RangeError('no paper') },
          () => 'printed',
        ]
        await receive(2, (job, token) => attempts.shift()(job, token))`,
      ),
    ])
    const [producer] = await receiver.wanted(1, kindIs('PRODUCER'))
    const consumers = await receiver.wanted(3, kindIs('CONSUMER'))
    const links = [{ traceId: producer?.traceId, spanId: producer?.spanId }]
    expect(consumers).toMatchObject([
      { isError: false, events: [], links },
      {
        isError: true,
        statusMessage: 'no paper',
        events: [
          { name: 'exception', attributes: { 'exception.type': 'RangeError', 'exception.message': 'no paper' } },
        ],
        attributes: { 'error.type': 'RangeError', 'bullmq.job.attempts.made': 0, 'flow.id': producer?.traceId },
        links,
      },
      { isError: false, attributes: { 'bullmq.job.attempts.made': 1, 'flow.id': producer?.traceId }, links },
    ])
  })

  test('jobs that are added at once, as a list or as a tree, share a span and go on with its flow', async () => {
    const receiver = await startReceiver()
    await run(receiver, [
      service(
        'shop',
        `const child = { name: 'page', queueName: 'reports', data: { page: 1 } }
        const tree = { name: 'book', queueName: 'reports', children: [child, { ...child, opts: { priority: 1 } }] }
        await send((queue) => queue.addBulk([{ name: 'a', data: {} }, { name: 'b', data: {}, opts: { jobId: 'mine' } }]))
        const producer = new FlowProducer(options)
        await producer.add(tree)
        await producer.addBulk([tree])
        await producer.close()
        if (child.opts !== undefined || tree.opts !== undefined) throw new Error('The tree is another one now')`,
      ),
      service('printer', `await receive(8, () => undefined)`),
    ])
    const [bulk, tree, trees] = await receiver.wanted(3, kindIs('PRODUCER'))
    expect([bulk, tree, trees]).toMatchObject([
      { name: 'send reports', attributes: { 'messaging.batch.message_count': 2 } },
      { name: 'send reports', attributes: { 'messaging.batch.message_count': 3 } },
      { name: 'send reports', attributes: { 'messaging.batch.message_count': 3 } },
    ])
    const consumers = await receiver.wanted(8, kindIs('CONSUMER'))
    const linked = (span?: ReceivedSpan) => consumers.filter(({ links }) => links[0]?.spanId === span?.spanId)
    expect([linked(bulk).length, linked(tree).length, linked(trees).length]).toEqual([2, 3, 3])
    for (const span of [bulk, tree, trees]) {
      expect(new Set(linked(span).map(({ attributes }) => attributes['flow.id']))).toEqual(new Set([span?.traceId]))
    }
  })

  test('what is scheduled begins a run each time', async () => {
    const receiver = await startReceiver()
    await run(receiver, [
      service(
        'shop',
        `await send((queue) => withFlow('start', () => queue.upsertJobScheduler('s', { every: 20, limit: 2 })))
        await receive(2, () => undefined)`,
      ),
    ])
    const consumers = await receiver.wanted(2, kindIs('CONSUMER'))
    for (const { traceId, attributes } of consumers) {
      expect(attributes).toMatchObject({ 'flow.id': traceId, 'flow.name': 'process reports' })
    }
    expect(receiver.spans.filter(kindIs('PRODUCER'))).toEqual([])
  })

  test('with a shared key a job that is not signed with it begins a run, linked to its sender, and is counted', async () => {
    const receiver = await startReceiver()
    const add = `await send((queue) => withFlow('a', () => queue.add('monthly', {})))`
    const handle = `await receive(2, () => undefined); print(agentCounters())`
    const key = { HEADWATER_SHARED_KEY: 'a key that is long enough' }
    const outputs = await run(receiver, [
      service('shop', add, { env: key }),
      service('forger', add, { env: { HEADWATER_SHARED_KEY: 'another that is long enough' } }),
      service('printer', handle, { env: key }),
    ])
    const producers = await receiver.wanted(2, kindIs('PRODUCER'))
    const consumers = await receiver.wanted(2, kindIs('CONSUMER'))
    const signed = producers.find((span) => span.service === 'shop')
    const forged = producers.find((span) => span.service === 'forger')
    const from = (span?: ReceivedSpan) => consumers.find(({ links }) => links[0]?.spanId === span?.spanId)
    expect(from(signed)?.attributes).toMatchObject({ 'flow.id': signed?.traceId, 'service.peer.name': 'shop' })
    expect(from(forged)?.attributes).toMatchObject({ 'flow.id': from(forged)?.traceId, 'flow.name': 'process reports' })
    expect(from(forged)?.attributes).not.toHaveProperty('service.peer.name')
    expect(JSON.parse(outputs[2] ?? '')).toMatchObject({ flowsUnproven: 1, capturesFailed: 0 })
  })

  test('whatever stands where a job carries its context, the job is processed, in a run of its own', async () => {
    const receiver = await startReceiver()
    const odd = ['', '{', '[]', '5', 'null', 'x'.repeat(100_000), '{"traceparent":5,"baggage":["flow.id"]}']
    const forged = {
      traceparent: 'ff',
      tracestate: ',,',
      baggage: `flow.id=none,${'x'.repeat(9_000)}`,
      'x-flow-id': 'none',
    }
    const metadata = [...odd, JSON.stringify(forged)]
    const add = `await send(async (queue) => {
      for (const metadata of ${JSON.stringify(metadata)}) await queue.add('monthly', {}, { telemetry: { metadata } })
    })`
    const outputs = await run(receiver, [
      service('stranger', add, { env: { OTEL_SDK_DISABLED: 'true' } }),
      service('printer', `await receive(${metadata.length}, () => undefined); print(agentCounters())`),
    ])
    const consumers = await receiver.wanted(metadata.length, kindIs('CONSUMER'))
    for (const { attributes, traceId, links } of consumers)
      expect([attributes['flow.id'], links]).toEqual([traceId, []])
    expect(JSON.parse(outputs[1] ?? '')).toMatchObject({ flowsMalformed: 1, capturesFailed: 0 })
  })

  test('the options are left alone where nothing is to be carried', async () => {
    const receiver = await startReceiver()
    const add = (options: string) => `await send((queue) => queue.add('monthly', {}, ${options}))`
    const outputs = await run(receiver, [
      service('off', add('{ attempts: 1 }'), { env: { OTEL_SDK_DISABLED: 'true' } }),
      service('unpropagated', add('{ attempts: 1 }'), { env: { OTEL_PROPAGATORS: 'none' } }),
      service('discreet', add('{ attempts: 1, telemetry: { omitContext: true } }')),
      service('printer', `await receive(3, (job) => print(job.opts))`),
    ])
    const options = outputs[3]
      ?.trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(options).toEqual([{ attempts: 1 }, { attempts: 1 }, { attempts: 1, telemetry: { omitContext: true } }])
    const consumers = await receiver.wanted(3, kindIs('CONSUMER'))
    expect(consumers.flatMap(({ links }) => links)).toEqual([])
  })

  test('a queue with BullMQ’s own telemetry is left to it', async () => {
    const receiver = await startReceiver()
    const [output = ''] = await run(receiver, [
      service(
        'shop',
        `const span = { setSpanOnContext: () => 'c', setAttributes() {}, setAttribute() {}, addEvent() {}, recordException() {}, end() {} }
        const contextManager = { with: (c, work) => work(), active: () => 'c', getMetadata: () => 'own', fromMetadata: () => 'c' }
        const telemetry = { tracer: { startSpan: () => span }, contextManager }
        const queue = new Queue('reports', { ...options, telemetry })
        print((await queue.add('monthly', {})).opts)
        const worker = new Worker('reports', () => undefined, { ...options, telemetry })
        await new Promise((resolve) => worker.once('completed', resolve))
        await worker.close()
        await queue.close()`,
      ),
    ])
    expect(JSON.parse(output)).toMatchObject({ telemetry: { metadata: 'own' } })
    expect(receiver.spans).toEqual([])
  })
})

describe.skipIf(!hasRedis)('A service with BullMQ', () => {
  test.each([
    ['that only loads it ends by itself and sends nothing', `print(typeof Queue)`, 0, ''],
    [
      'dies of a send that fails and that nobody handles',
      `await send(async (queue) => { queue.add('monthly', { toJSON() { throw new RangeError('no paper') } }); await queue.waitUntilReady() })`,
      1,
      'RangeError: no paper',
    ],
    [
      'sees the send fail that it handles',
      `await send((queue) => queue.add('monthly', {}, { jobId: '0' })).catch(({ message }) => { throw new Error('seen: ' + message) })`,
      1,
      'Error: seen: JobId cannot be',
    ],
  ])('%s, as without the agent', async (_story, work, code, message) => {
    const receiver = await startReceiver()
    for (const registered of [true, false]) {
      const { env, ...rest } = service('shop', work, {
        env: { REDIS_PORT: String(redis?.port), REDIS_PREFIX: randomUUID(), OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
      })
      const app = await startAppIn({ ...rest, env, registered, serves: false })
      expect(await app.ended()).toMatchObject({ code, signal: null })
      expect(app.stderr()).toContain(message)
    }
    expect(receiver.spans.filter(kindIs('CONSUMER'))).toEqual([])
  })

  test('of the README: the job’s processor goes on with the flow of who has added it', async () => {
    const receiver = await startReceiver()
    const app = await startAppIn({
      source: programOf('BullMQ').replace('localhost', '127.0.0.1').replace('6379', String(redis?.port)),
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
      serves: false,
    })
    const [producer] = await receiver.wanted(1, kindIs('PRODUCER'))
    const [consumer] = await receiver.wanted(1, kindIs('CONSUMER'))
    expect(consumer).toMatchObject({
      links: [{ spanId: producer?.spanId }],
      attributes: { 'flow.id': producer?.traceId },
    })
    expect(app.stdout()).toBe('printed { month: 5 }\n')
  })

  test('a processor’s query is made once', async () => {
    const receiver = await startReceiver()
    const work = `
      let queries = 0
      const query = { then(resolve) { queries += 1; resolve('rows') } }
      await send((queue) => queue.add('monthly', {}))
      const worker = new Worker('reports', () => query, options)
      const result = await new Promise((resolve) => worker.once('completed', (job, result) => resolve(result)))
      await worker.close()
      print({ queries, result })
    `
    const { env, ...rest } = service('shop', work, {
      env: { REDIS_PORT: String(redis?.port), REDIS_PREFIX: randomUUID(), OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    })
    const app = await startAppIn({ ...rest, env, serves: false })
    await app.ended()
    expect(JSON.parse(app.stdout())).toEqual({ queries: 1, result: 'rows' })
    await receiver.wanted(1, kindIs('CONSUMER'))
  })
})
