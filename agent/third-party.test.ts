// Instrumentations that others have written, as they come from npm, on our tracing; and what users write for themselves with
// OpenTelemetry's API.

import { expect, test } from 'vitest'
import { hasRedis, startMongo, startMysql, startRedis } from './test-databases.ts'
import { type ReceivedSpan, startApp, startReceiver } from './testing.ts'

/** A service that begins with the instrumentations of its choice, and does `work` for each request. */
function serviceOf({ instrumentations, before, work }: Record<'instrumentations' | 'before' | 'work', string>): string {
  return `
    ${instrumentations}
    const { createServer } = require('node:http')
    ${before}
    const server = createServer(async (request, response) => {
      try { response.end(JSON.stringify(await (async () => { ${work} })() ?? null)) }
      catch (error) { response.writeHead(500).end(error.stack) }
    })
    server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
  `
}

/** What a collector gets of one request to such a service; waits for `count` spans of the instrumentation. */
async function spansOf(scope: string, count: number, source: string) {
  const receiver = await startReceiver()
  const app = await startApp({
    file: 'app.cjs',
    source,
    env: { OTEL_SERVICE_NAME: 'shop', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
  })
  const response = await fetch(app.url)
  expect([response.status, await response.text()]).toEqual([200, expect.anything()])
  const [server] = await receiver.wanted(1, ({ kind, scope: by }) => kind === 'SERVER' && by === '@headwater/agent')
  await receiver.wanted(count, (span) => span.scope === scope)
  await app.ended('SIGTERM')
  const spans = receiver.spans.filter((span) => span.scope === scope && span.traceId === server?.traceId)
  return { server: server as ReceivedSpan, spans: spans.toSorted((a, b) => (a.startNs < b.startNs ? -1 : 1)) }
}

/** What every span of a run has that began with the request. */
const within = (server: ReceivedSpan) => ({ traceId: server.traceId, attributes: { 'flow.id': server.traceId } })

test.skipIf(!hasRedis)('@opentelemetry/instrumentation-ioredis, against Redis', async () => {
  const { server, spans } = await spansOf(
    '@opentelemetry/instrumentation-ioredis',
    2,
    serviceOf({
      instrumentations: `
        const { IORedisInstrumentation } = require('@opentelemetry/instrumentation-ioredis')
        new IORedisInstrumentation({ requireParentSpan: true })`,
      before: `
        const { Redis } = require('ioredis')
        const redis = new Redis(${JSON.stringify(await startRedis())})`,
      work: `
        await redis.set('stock', '7')
        return redis.get('stock')`,
    }),
  )
  expect(spans.map(({ name, kind, parentSpanId }) => [name, kind, parentSpanId])).toEqual([
    [expect.stringMatching(/^set/i), 'CLIENT', server.spanId],
    [expect.stringMatching(/^get/i), 'CLIENT', server.spanId],
  ])
  expect(spans).toMatchObject([within(server), within(server)])
  // Its own settings: ours would tell the command only.
  expect(spans[0]?.attributes).toMatchObject({
    'db.system.name': 'redis',
    'db.query.text': expect.stringContaining('stock'),
  })
})

test('@opentelemetry/instrumentation-mysql2', async () => {
  const { server, spans } = await spansOf(
    '@opentelemetry/instrumentation-mysql2',
    1,
    serviceOf({
      instrumentations: `
        const { MySQL2Instrumentation } = require('@opentelemetry/instrumentation-mysql2')
        new MySQL2Instrumentation()`,
      before: `
        const mysql = require('mysql2/promise')
        const pool = mysql.createPool({ host: '127.0.0.1', port: ${await startMysql()}, user: 'shop' })`,
      work: `await pool.query('SELECT 1')`,
    }),
  )
  expect(spans).toMatchObject([{ kind: 'CLIENT', parentSpanId: server.spanId, isError: false, ...within(server) }])
  expect(spans[0]?.attributes).toMatchObject({ 'db.system.name': 'mysql', 'db.query.text': 'SELECT 1' })
})

test('@opentelemetry/instrumentation-mongodb', async () => {
  const { server, spans } = await spansOf(
    '@opentelemetry/instrumentation-mongodb',
    1,
    serviceOf({
      instrumentations: `
        const { MongoDBInstrumentation } = require('@opentelemetry/instrumentation-mongodb')
        new MongoDBInstrumentation()`,
      before: `
        const { MongoClient } = require('mongodb')
        const client = new MongoClient('mongodb://127.0.0.1:${await startMongo()}/?directConnection=true')`,
      work: `await client.db('shop').collection('orders').insertOne({ amount: 7 })`,
    }),
  )
  expect(spans).toMatchObject([{ kind: 'CLIENT', parentSpanId: server.spanId, isError: false, ...within(server) }])
  expect(spans[0]?.attributes).toHaveProperty('db.collection.name', 'orders')
})

test('@opentelemetry/instrumentation-grpc, on both sides of a call', async () => {
  const { server, spans } = await spansOf(
    '@opentelemetry/instrumentation-grpc',
    2,
    serviceOf({
      instrumentations: `
        const { GrpcInstrumentation } = require('@opentelemetry/instrumentation-grpc')
        new GrpcInstrumentation()`,
      before: `
        const grpc = require('@grpc/grpc-js')
        const [serialize, deserialize] = [(text) => Buffer.from(text), String]
        const method = (path) => ({ path, requestStream: false, responseStream: false, requestSerialize: serialize,
          requestDeserialize: deserialize, responseSerialize: serialize, responseDeserialize: deserialize })
        const stock = { count: method('/shop.Stock/Count') }
        const callee = new grpc.Server()
        callee.addService(stock, { count: (call, done) => done(null, call.request + ' 7') })
        const Client = grpc.makeGenericClientConstructor(stock, 'Stock')
        const client = new Promise((resolve, reject) => {
          callee.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
            error ? reject(error) : resolve(new Client('127.0.0.1:' + port, grpc.credentials.createInsecure())))
        })`,
      work: `
        const callee = await client
        return new Promise((resolve, reject) => callee.count('orders', (error, text) => error ? reject(error) : resolve(text)))`,
    }),
  )
  const [asks, serves] = ['CLIENT', 'SERVER'].map((kind) => spans.find((span) => span.kind === kind))
  expect(spans).toHaveLength(2)
  expect(asks).toMatchObject({ parentSpanId: server.spanId, ...within(server) })
  expect(serves).toMatchObject({ parentSpanId: asks?.spanId, ...within(server) })
})

test('@opentelemetry/instrumentation-express adds its spans below ours, which keep the route', async () => {
  const receiver = await startReceiver()
  const app = await startApp({
    file: 'app.cjs',
    source: `
      const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express')
      new ExpressInstrumentation()
      const express = require('express')
      const shop = express()
      shop.use(function audit(request, response, next) { next() })
      shop.get('/orders/:id', (request, response) => response.json({}))
      const server = shop.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
    `,
    env: { OTEL_SERVICE_NAME: 'shop', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
  })
  await (await fetch(`${app.url}/orders/42`)).text()
  const [server] = await receiver.wanted(1, ({ name, kind }) => kind === 'SERVER' && name === 'GET /orders/:id')
  await receiver.wanted(2, ({ scope }) => scope === '@opentelemetry/instrumentation-express')
  await app.ended('SIGTERM')
  const theirs = receiver.spans.filter(({ scope }) => scope === '@opentelemetry/instrumentation-express')
  expect(theirs.map(({ name, kind, parentSpanId }) => [name, kind, parentSpanId])).toEqual([
    ['middleware - audit', 'INTERNAL', server?.spanId],
    [expect.stringContaining('request handler'), 'INTERNAL', server?.spanId],
  ])
  expect(theirs).toMatchObject([within(server as ReceivedSpan), within(server as ReceivedSpan)])
})

test('spans of the user’s own belong to the request and its flow, and the user’s baggage travels with what is sent in them', async () => {
  const receiver = await startReceiver()
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
  const peer = await startApp({
    source: `
      import { createServer } from 'node:http'
      import { propagation, context } from '@opentelemetry/api'
      const server = createServer((request, response) => {
        const members = propagation.getBaggage(context.active())?.getAllEntries() ?? []
        response.end(JSON.stringify(Object.fromEntries(members.map(([name, { value }]) => [name, value]))))
      })
      server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
    `,
    env: { ...environment, OTEL_SERVICE_NAME: 'stock' },
  })
  const app = await startApp({
    source: `
      import express from 'express'
      import { SpanStatusCode, context, propagation, trace } from '@opentelemetry/api'
      const tracer = trace.getTracer('shop', '1.2.3')
      const shop = express()
      shop.get('/orders/:id', async (request, response) => {
        const baggage = propagation.createBaggage({ tenant: { value: 'Müller & Söhne' } })
        const answer = await context.with(propagation.setBaggage(context.active(), baggage), () =>
          tracer.startActiveSpan('count stock', { attributes: { 'order.id': request.params.id } }, async (span) => {
            span.addEvent('asked', { patience: 3 })
            const answer = await (await fetch(process.env.NEXT_URL)).json()
            span.setStatus({ code: SpanStatusCode.OK })
            span.end()
            return answer
          }),
        )
        response.json(answer)
      })
      const server = shop.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
    `,
    env: { ...environment, OTEL_SERVICE_NAME: 'shop', NEXT_URL: peer.url },
  })
  const answer = await (await fetch(`${app.url}/orders/42`)).json()
  expect(answer).toEqual({ tenant: 'Müller & Söhne' })

  const [server] = await receiver.wanted(1, ({ name }) => name === 'GET /orders/:id')
  const [own] = await receiver.wanted(1, ({ name }) => name === 'count stock')
  const [call] = await receiver.wanted(1, ({ kind }) => kind === 'CLIENT')
  const [served] = await receiver.wanted(1, ({ service, kind }) => service === 'stock' && kind === 'SERVER')
  expect(own).toMatchObject({
    scope: 'shop',
    kind: 'INTERNAL',
    parentSpanId: server?.spanId,
    statusCode: 1,
    attributes: { 'order.id': '42', 'flow.id': server?.traceId, 'flow.name': 'GET /orders/:id' },
    events: [{ name: 'asked', attributes: { patience: 3 } }],
  })
  expect(call).toMatchObject({ parentSpanId: own?.spanId, attributes: { 'flow.id': server?.traceId } })
  expect(served).toMatchObject({ parentSpanId: call?.spanId, attributes: { 'flow.id': server?.traceId } })
})
