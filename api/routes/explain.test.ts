import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  call,
  incident,
  iso,
  keepIncident,
  minute,
  rawSpan,
  secondsAgo,
  settledTrace,
  spanId,
  startWorld,
  traceId,
  type World,
} from '../test-world.ts'

let world: World
const at = secondsAgo(300)
const early = secondsAgo(3_000)

/** gateway → math, which fails; with the queue's trace after it where there is a worker. */
function failedReport(trace: string, when: number) {
  return [
    rawSpan({
      trace,
      span: `${trace}1`,
      at: when,
      ms: 50,
      service: 'gateway',
      name: 'POST /report',
      failed: true,
      message: 'bad gateway',
    }),
    rawSpan({
      trace,
      span: `${trace}2`,
      parent: `${trace}1`,
      at: when + 5,
      ms: 40,
      kind: 'Client',
      service: 'gateway',
      name: 'POST',
      attributes: { 'http.response.status_code': '500' },
    }),
    rawSpan({
      trace,
      span: `${trace}3`,
      parent: `${trace}2`,
      at: when + 10,
      ms: 30,
      service: 'math',
      name: 'POST /evaluate',
      failed: true,
      message: 'x is not defined',
    }),
  ]
}

beforeAll(async () => {
  world = await startWorld()
  await world.insert('otel_traces', [
    ...failedReport('e', at),
    ...failedReport('h', secondsAgo(20_000)),
    // A dead service, called by its address, and a database that sends no spans.
    rawSpan({ trace: 'd', span: 'd1', at, ms: 20, service: 'gateway', name: 'POST /report', failed: true }),
    rawSpan({
      trace: 'd',
      span: 'd2',
      parent: 'd1',
      at: at + 5,
      ms: 2,
      kind: 'Client',
      service: 'gateway',
      name: 'POST',
      failed: true,
      message: 'connect ECONNREFUSED',
      attributes: { 'server.address': '127.0.0.1', 'server.port': '4103' },
    }),
    rawSpan({ trace: 'p', span: 'p1', at, ms: 20, service: 'data', name: 'GET /rows', failed: true }),
    rawSpan({
      trace: 'p',
      span: 'p2',
      parent: 'p1',
      at: at + 5,
      ms: 2,
      kind: 'Client',
      service: 'data',
      name: 'SELECT',
      failed: true,
      attributes: {
        'server.address': '10.0.0.9',
        'server.port': '5432',
        'db.system.name': 'postgresql',
        'db.namespace': 'shop',
      },
    }),
    // The worker's trace of a run that answered well.
    rawSpan({ trace: 'q', span: 'q1', at, ms: 20, service: 'gateway', name: 'POST /report' }),
    rawSpan({
      trace: 'q',
      span: 'q2',
      parent: 'q1',
      at: at + 5,
      ms: 2,
      kind: 'Producer',
      service: 'gateway',
      name: 'send jobs',
    }),
    rawSpan({
      trace: 'w',
      span: 'w1',
      at: at + 500,
      ms: 20,
      kind: 'Consumer',
      service: 'worker',
      name: 'process jobs',
      failed: true,
      message: 'no font',
      links: [{ trace: 'q', span: 'q2' }],
      attributes: { 'flow.id': traceId('q') },
    }),
    // A slow run: math takes 900 ms instead of 10.
    rawSpan({ trace: 's', span: 's1', at: early, ms: 1_000, service: 'gateway', name: 'POST /report' }),
    rawSpan({
      trace: 's',
      span: 's2',
      parent: 's1',
      at: early + 20,
      ms: 940,
      kind: 'Client',
      service: 'gateway',
      name: 'POST',
    }),
    rawSpan({ trace: 's', span: 's3', parent: 's2', at: early + 25, ms: 930, service: 'math', name: 'POST /evaluate' }),
    rawSpan({ trace: 'o', span: 'o1', at, ms: 10, service: 'gateway', name: 'POST /report' }),
    // Not settled yet.
    ...failedReport('u', secondsAgo(3)).map((span) =>
      Object.assign(span, { ReceivedAt: iso(Date.now()).replace('T', ' ').replace('Z', '') }),
    ),
  ])
  await world.insert('chain_execution_traces', [
    settledTrace({ trace: 'e', at, ms: 50, services: ['gateway', 'math'], failed: true, user: 'ada' }),
    settledTrace({
      trace: 'h',
      at: secondsAgo(20_000),
      ms: 50,
      services: ['gateway', 'math'],
      failed: true,
      user: 'ada',
    }),
    settledTrace({
      trace: 'h2',
      at: secondsAgo(20_100),
      services: ['gateway', 'math'],
      failed: true,
      user: 'hal',
      name: 'GET /sum',
    }),
    settledTrace({ trace: 'd', at, services: ['gateway'], failed: true, user: 'dan' }),
    settledTrace({ trace: 'd2', at, services: ['portal'], failed: true, user: 'dot', name: 'GET /portal' }),
    settledTrace({ trace: 'p', at, services: ['data'], failed: true, name: 'GET /rows' }),
    settledTrace({ trace: 'q', at, ms: 20, services: ['gateway'] }),
    settledTrace({ trace: 'w', flow: 'q', at: at + 500, ms: 20, services: ['worker'], failed: true }),
    settledTrace({ trace: 's', at: early, ms: 1_000, services: ['gateway', 'math'] }),
    settledTrace({ trace: 's2', at: early, ms: 1_000, services: ['gateway', 'math'], name: 'GET /sum', user: 'sue' }),
    settledTrace({ trace: 'o', at, ms: 10, services: ['gateway'] }),
    settledTrace({ trace: 'gone', at: secondsAgo(50_000), services: ['gateway'], failed: true }),
  ])
  await world.insert('chain_dependency_events', [
    call({
      trace: 'h',
      span: 'h3',
      at: secondsAgo(20_000),
      service: 'math',
      operation: 'POST /evaluate',
      kind: 'sync',
      failed: true,
    }),
    call({
      trace: 'h2',
      at: secondsAgo(20_100),
      service: 'math',
      operation: 'POST /evaluate',
      kind: 'sync',
      failed: true,
    }),
    // math answered there an hour ago.
    call({
      trace: 'm',
      at: secondsAgo(3_600),
      service: 'math',
      operation: 'POST /evaluate',
      kind: 'sync',
      caller: 'gateway',
      address: '127.0.0.1:4103',
    }),
    call({
      trace: 'd',
      span: 'd2',
      at,
      service: 'math',
      operation: 'POST',
      kind: 'peer',
      caller: 'gateway',
      callerOperation: 'POST /report',
      failed: true,
    }),
    call({
      trace: 'd2',
      at,
      service: 'math',
      operation: 'POST',
      kind: 'peer',
      caller: 'portal',
      callerOperation: 'GET /portal',
      failed: true,
    }),
    call({
      trace: 's',
      span: 's3',
      at: early,
      ms: 930,
      service: 'math',
      operation: 'POST /evaluate',
      kind: 'sync',
      caller: 'gateway',
    }),
    call({
      trace: 's2',
      at: early,
      ms: 930,
      service: 'math',
      operation: 'POST /evaluate',
      kind: 'sync',
      caller: 'gateway',
    }),
  ])
  await world.insert('chain_health_metrics', [
    minute({ at: early - 600_000, service: 'gateway', operation: 'POST /report', ms: 60, calls: 100 }),
    minute({
      at: early - 600_000,
      service: 'math',
      operation: 'POST /evaluate',
      ms: 10,
      calls: 100,
      kind: 'sync',
      caller: 'gateway',
      callerOperation: 'POST /report',
    }),
  ])
  await keepIncident(world, incident('inc-1'))
})
afterAll(() => world.stop())

const explain = async (name: string) => (await world.get(`/api/v1/executions/${traceId(name)}/explain`)).body

test('a failed run shows its origin, the path to the entry, and the incident that it belongs to', async () => {
  expect(await explain('e')).toEqual({
    flowId: traceId('e'),
    flowName: 'POST /report',
    status: 'error',
    origin: {
      traceId: traceId('e'),
      spanId: spanId('e3'),
      service: 'math',
      operation: 'POST /evaluate',
      kind: 'errors',
      message: 'x is not defined',
    },
    path: [
      { service: 'math', operation: 'POST /evaluate', spanId: spanId('e3') },
      { service: 'gateway', operation: 'POST /report', spanId: spanId('e1') },
    ],
    reasons: [
      'POST /evaluate in math failed first. It called nobody: the error began there: x is not defined.',
      'From there it reached the entry POST /report of gateway.',
      `It shows the cause of incident inc-1 (math fails), which began at ${iso(secondsAgo(600))}.`,
    ],
    causes: incident('inc-1').causes,
    alsoHit: { flows: ['GET /sum'], users: 3 },
    incidentId: 'inc-1',
  })
})

test('without an incident, whom the same origin hit is found from the calls around that time', async () => {
  expect(await explain('h')).toMatchObject({
    origin: { service: 'math', kind: 'errors' },
    causes: [],
    alsoHit: { flows: ['GET /sum'], users: 1 },
    incidentId: null,
  })
})

test('the origin of a call to a dead service is the caller’s client span, and tells whom it called', async () => {
  expect(await explain('d')).toMatchObject({
    origin: {
      spanId: spanId('d2'),
      service: 'gateway',
      operation: 'POST',
      kind: 'unavailable',
      peer: 'math',
      message: 'connect ECONNREFUSED',
    },
    path: [{ service: 'gateway', operation: 'POST /report' }],
    alsoHit: { flows: ['GET /portal'], users: 1 },
  })
})

test('a peer that sends no spans is a dependency', async () => {
  expect(await explain('p')).toMatchObject({ origin: { service: 'data', kind: 'dependency', peer: 'postgresql:shop' } })
})

test('an error behind a queue leads over the link to the entry, from any trace of the run', async () => {
  const expected = {
    flowId: traceId('q'),
    origin: { traceId: traceId('w'), service: 'worker', kind: 'errors', message: 'no font' },
    path: [
      { service: 'worker', operation: 'process jobs' },
      { service: 'gateway', operation: 'POST /report' },
    ],
  }
  expect(await explain('q')).toMatchObject(expected)
  expect(await explain('w')).toMatchObject(expected)
})

test('a run that took far longer than usual began to be slow where the time went', async () => {
  const body = await explain('s')
  expect(body).toMatchObject({
    status: 'slow',
    origin: { service: 'math', operation: 'POST /evaluate', kind: 'latency' },
    path: [{ service: 'math' }, { service: 'gateway' }],
    alsoHit: { flows: ['GET /sum'], users: 1 },
  })
  expect(body.reasons![0]).toMatch(/^The run took 1000 ms; usual are (59|60|61) ms\.$/)
})

test('a run without trouble says so', async () => {
  expect(await explain('o')).toMatchObject({
    status: 'ok',
    origin: null,
    path: [],
    reasons: ['Nothing failed.'],
    alsoHit: { flows: [], users: 0 },
  })
})

test('a run that is not settled yet is explained from its raw spans', async () => {
  expect(await explain('u')).toMatchObject({ status: 'running', origin: { service: 'math', kind: 'errors' } })
})

test('a run whose spans are no longer kept is still listed as failed', async () => {
  expect(await explain('gone')).toMatchObject({
    status: 'error',
    origin: null,
    reasons: [expect.stringContaining('no longer kept')],
  })
})

test('an unknown run is 404', async () => {
  const { status } = await world.get(`/api/v1/executions/${traceId('nobody')}/explain`)
  expect(status).toBe(404)
})
