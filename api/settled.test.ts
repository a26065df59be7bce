// The whole way of the data within the store: spans as they arrive, settled as the analyzer does it, asked at the door.
import { settleTick } from '@headwater/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rawSpan, secondsAgo, spanId, startWorld, traceId, type World } from './test-world.ts'

let world: World
const at = secondsAgo(60)

/** A report: the gateway asks math, sends to the queue and answers; the worker takes it up in a trace of its own. */
function report(run: string, { mathFails = false } = {}) {
  const trace = run
  const failed = mathFails
  return [
    rawSpan({
      trace,
      span: `${run}1`,
      at,
      ms: 100,
      service: 'gateway',
      name: 'POST /report',
      failed,
      attributes: { 'user.id': `user-${run}` },
    }),
    rawSpan({
      trace,
      span: `${run}2`,
      parent: `${run}1`,
      at: at + 10,
      ms: 50,
      kind: 'Client',
      service: 'gateway',
      name: 'POST',
      failed,
      attributes: { 'server.address': 'math.internal', 'server.port': '80' },
    }),
    rawSpan({
      trace,
      span: `${run}3`,
      parent: `${run}2`,
      at: at + 15,
      ms: 40,
      service: 'math',
      name: 'POST /evaluate',
      failed,
      message: failed ? 'x is not defined' : '',
    }),
    rawSpan({
      trace,
      span: `${run}4`,
      parent: `${run}1`,
      at: at + 70,
      ms: 2,
      kind: 'Producer',
      service: 'gateway',
      name: 'send jobs',
      attributes: { 'messaging.destination.name': 'jobs' },
    }),
    rawSpan({
      trace: `${run}w`,
      span: `${run}5`,
      at: at + 200,
      ms: 30,
      kind: 'Consumer',
      service: 'worker',
      name: 'process jobs',
      links: [{ trace, span: `${run}4` }],
      attributes: { 'flow.id': traceId(trace) },
    }),
  ]
}

beforeAll(async () => {
  world = await startWorld()
  await world.insert('otel_traces', [
    ...report('a'),
    ...report('b', { mathFails: true }),
    // Once math was down: nobody answered.
    rawSpan({
      trace: 'c',
      span: 'c1',
      at: at + 1_000,
      ms: 20,
      service: 'gateway',
      name: 'POST /report',
      failed: true,
      attributes: { 'user.id': 'user-c' },
    }),
    rawSpan({
      trace: 'c',
      span: 'c2',
      parent: 'c1',
      at: at + 1_005,
      ms: 2,
      kind: 'Client',
      service: 'gateway',
      name: 'POST',
      failed: true,
      message: 'connect ECONNREFUSED',
      attributes: { 'server.address': 'math.internal', 'server.port': '80' },
    }),
  ])
  const rules = { quietMs: 5_000, openMs: 30_000, closeAfterS: 60 }
  await settleTick(world.store, { tick: 1, fromMs: secondsAgo(120), toMs: secondsAgo(0) }, rules)
})
afterAll(() => world.stop())

test('a run over a queue is one execution of two traces', async () => {
  const { body } = await world.get('/api/v1/executions')
  const runs = body.items.toSorted((x, y) => (String(x['flowId']) < String(y['flowId']) ? -1 : 1))
  expect(
    runs.map(({ flowId, flowName, status, durationMs, services, userId, traceIds }) => [
      flowId,
      flowName,
      status,
      durationMs,
      services,
      userId,
      traceIds,
    ]),
  ).toEqual([
    [traceId('a'), 'POST /report', 'ok', 230, ['gateway', 'math', 'worker'], 'user-a', [traceId('a'), traceId('aw')]],
    [
      traceId('b'),
      'POST /report',
      'error',
      230,
      ['gateway', 'math', 'worker'],
      'user-b',
      [traceId('b'), traceId('bw')],
    ],
    [traceId('c'), 'POST /report', 'error', 20, ['gateway'], 'user-c', [traceId('c')]],
  ])
})

test('its graph has the call, the queue and its consumer', async () => {
  const { body } = await world.get('/api/v1/graph')
  expect(
    body['edges']!.map(({ from, to, kind, calls, errors }) => [from, to, kind, calls, errors].join(' ')).toSorted(),
  ).toEqual([
    'gateway math peer 1 1',
    'gateway math sync 2 1',
    'gateway queue:jobs publish 2 0',
    'gateway worker async 2 0',
  ])
})

test('its services show what failed', async () => {
  const { body } = await world.get('/api/v1/services')
  expect(body.items.map(({ service, calls, errors }) => [service, calls, errors])).toEqual([
    ['gateway', 3, 2],
    ['math', 2, 1],
    ['worker', 2, 0],
  ])
})

test('its failures are explained from what settling learned', async () => {
  expect((await world.get(`/api/v1/executions/${traceId('bw')}/explain`)).body).toMatchObject({
    flowId: traceId('b'),
    status: 'error',
    origin: { service: 'math', kind: 'errors', spanId: spanId('b3'), message: 'x is not defined' },
    path: [{ service: 'math' }, { service: 'gateway' }],
  })
  expect((await world.get(`/api/v1/executions/${traceId('c')}/explain`)).body).toMatchObject({
    origin: { service: 'gateway', kind: 'unavailable', peer: 'math', spanId: spanId('c2') },
  })
})

test('its impact tells who would feel a failure of math', async () => {
  expect((await world.get('/api/v1/impact?service=math')).body).toMatchObject({
    runs: 3,
    flows: [{ name: 'POST /report', share: 1 }],
    users: { through: 3, share: 1 },
    services: [
      { service: 'gateway', operations: ['POST /report'] },
      { service: 'worker', operations: ['process jobs'] },
    ],
  })
})
