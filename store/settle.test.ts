import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectStore, type Store } from './connect.ts'
import { type Lease, takeLease } from './lease.ts'
import { migrateClickHouse, migratePostgres } from './migrate.ts'
import { type SettleRules, settleTick } from './settle.ts'
import { beginTick, finishTick, type Tick } from './ticks.ts'

const rules: SettleRules = { quietMs: 5_000, openMs: 30_000, closeAfterS: 30 }
const startS = Math.floor(Date.now() / 1_000) - 600

let engines: TestEngines
let store: Store
let lease: Lease

beforeAll(async () => {
  engines = await startTestEngines()
  store = connectStore(engines)
  await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])
  const taken = await takeLease(store.postgres, { holder: 'test', ttlMs: 600_000 })
  if (taken === undefined) throw new Error('Cannot take the lease')
  lease = taken
})

afterAll(async () => {
  await store.close()
  await engines.stop()
})

const facts = [
  'otel_traces',
  'settled_spans',
  'settled_flows',
  'settled_tree',
  'chain_dependency_events',
  'chain_health_metrics',
  'chain_health_metrics_10s',
  'chain_execution_traces',
]

beforeEach(async () => {
  for (const table of facts) await store.clickhouse.command({ query: `TRUNCATE TABLE ${table}` })
})

/** A span, times in seconds from the start of the story; `sentAt` is its arrival. */
interface TestSpan {
  trace: string
  id: string
  parent?: string
  kind?: 'Server' | 'Client' | 'Internal' | 'Producer' | 'Consumer'
  service: string
  name: string
  at: number
  took: number
  sentAt: number
  failed?: boolean
  attributes?: Record<string, string>
  resource?: Record<string, string>
  link?: { trace: string; span: string }
}

async function receive(...spans: TestSpan[]): Promise<void> {
  await store.clickhouse.insert({
    table: 'otel_traces',
    format: 'JSONEachRow',
    values: spans.map((span) => ({
      Timestamp: (startS + span.at).toFixed(9),
      TraceId: span.trace,
      SpanId: span.id,
      ParentSpanId: span.parent ?? '',
      SpanName: span.name,
      SpanKind: span.kind ?? 'Server',
      ServiceName: span.service,
      ResourceAttributes: { 'service.name': span.service, ...span.resource },
      SpanAttributes: span.attributes ?? {},
      Duration: Math.round(span.took * 1e9),
      StatusCode: span.failed === true ? 'Error' : 'Unset',
      'Links.TraceId': span.link === undefined ? [] : [span.link.trace],
      'Links.SpanId': span.link === undefined ? [] : [span.link.span],
      'Links.TraceState': span.link === undefined ? [] : [''],
      'Links.Attributes': span.link === undefined ? [] : [{}],
      ReceivedAt: (startS + span.sentAt).toFixed(3),
    })),
  })
}

function tickOf(tick: number, fromS: number, toS: number): Tick {
  return { tick, fromMs: (startS + fromS) * 1_000, toMs: (startS + toS) * 1_000 }
}

async function rows<Row>(query: string): Promise<Row[]> {
  return await (await store.clickhouse.query({ query, format: 'JSONEachRow' })).json<Row>()
}

interface Call {
  kind: string
  service: string
  operation: string
  caller: string
  callerOperation: string
}

async function calls(): Promise<Call[]> {
  return await rows<Call>(`SELECT Kind AS kind, Service AS service, Operation AS operation, Caller AS caller, CallerOperation AS callerOperation
    FROM chain_dependency_events FINAL ORDER BY Time, SpanId`)
}

async function counted(): Promise<number> {
  const [minutes] = await rows<{ calls: number }>('SELECT sum(Calls) AS calls FROM chain_health_metrics')
  const [tens] = await rows<{ calls: number }>('SELECT sum(Calls) AS calls FROM chain_health_metrics_10s')
  expect(tens?.calls).toBe(minutes?.calls)
  return minutes?.calls ?? 0
}

const report: TestSpan[] = [
  {
    trace: 'a1',
    id: '1',
    service: 'gateway',
    name: 'POST /report',
    at: 0,
    took: 1,
    sentAt: 2,
    attributes: { 'user.id': 'ann' },
  },
  {
    trace: 'a1',
    id: '2',
    parent: '1',
    kind: 'Client',
    service: 'gateway',
    name: 'POST',
    at: 0.1,
    took: 0.5,
    sentAt: 2,
    failed: true,
    attributes: { 'server.address': '127.0.0.1', 'server.port': '4001' },
  },
  {
    trace: 'a1',
    id: '3',
    parent: '2',
    service: 'math',
    name: 'POST /evaluate',
    at: 0.2,
    took: 0.3,
    sentAt: 3,
    failed: true,
  },
  {
    trace: 'a1',
    id: '4',
    parent: '3',
    kind: 'Internal',
    service: 'math',
    name: 'solve',
    at: 0.25,
    took: 0.1,
    sentAt: 3,
    failed: true,
  },
  {
    trace: 'a1',
    id: '5',
    parent: '1',
    kind: 'Producer',
    service: 'gateway',
    name: 'send reports',
    at: 0.7,
    took: 0.1,
    sentAt: 2,
    attributes: { 'messaging.destination.name': 'reports' },
  },
]

const archived: TestSpan = {
  trace: 'b1',
  id: '6',
  kind: 'Consumer',
  service: 'worker',
  name: 'process reports',
  at: 1.5,
  took: 0.2,
  sentAt: 3,
  link: { trace: 'a1', span: '5' },
}

test('a trace settles once it has been quiet for five seconds', async () => {
  await receive(...report)
  expect(await settleTick(store, tickOf(1, 0, 7.9), rules)).toEqual({ spans: 0, late: 0 })
  expect(await settleTick(store, tickOf(2, 7.9, 8), rules)).toEqual({ spans: 5, late: 0 })
})

test('a trace that never grows quiet settles after thirty seconds', async () => {
  for (let second = 0; second <= 32; second += 4) {
    await receive({
      trace: 'a1',
      id: String(second),
      service: 'gateway',
      name: 'GET /stream',
      at: second,
      took: 1,
      sentAt: second,
    })
  }
  expect(await settleTick(store, tickOf(3, 0, 29), rules)).toMatchObject({ spans: 0 })
  expect(await settleTick(store, tickOf(4, 29, 31), rules)).toEqual({ spans: 8, late: 0 })
})

test('one call is one edge, and a message joins two traces into one flow run', async () => {
  await receive(...report, archived)
  await settleTick(store, tickOf(5, 0, 10), rules)
  expect(await calls()).toEqual([
    { kind: 'sync', service: 'math', operation: 'POST /evaluate', caller: 'gateway', callerOperation: 'POST /report' },
    {
      kind: 'publish',
      service: 'reports',
      operation: 'send reports',
      caller: 'gateway',
      callerOperation: 'POST /report',
    },
    { kind: 'entry', service: 'gateway', operation: 'POST /report', caller: '', callerOperation: '' },
    {
      kind: 'async',
      service: 'worker',
      operation: 'process reports',
      caller: 'gateway',
      callerOperation: 'POST /report',
    },
  ])
  expect(
    await rows('SELECT FlowId, TraceId, FlowName, Services, UserId FROM chain_execution_traces FINAL ORDER BY TraceId'),
  ).toEqual([
    { FlowId: 'a1', TraceId: 'a1', FlowName: 'POST /report', Services: ['gateway', 'math'], UserId: 'ann' },
    { FlowId: 'a1', TraceId: 'b1', FlowName: 'POST /report', Services: ['worker'], UserId: '' },
  ])
})

test('only the deepest failing span is an origin error, and self time leaves out waiting for others', async () => {
  await receive(...report)
  await settleTick(store, tickOf(6, 0, 10), rules)
  expect(
    await rows(`SELECT Service, Failed, OriginError, ClientFailed, round(SelfNs / 1e6) AS selfMs, round(WireNs / 1e6) AS wireMs
      FROM chain_dependency_events FINAL WHERE Kind != 'publish' ORDER BY Service`),
  ).toEqual([
    // 1 s less 0.5 s for math and 0.1 s for sending
    { Service: 'gateway', Failed: 0, OriginError: 0, ClientFailed: 0, selfMs: 400, wireMs: 0 },
    { Service: 'math', Failed: 1, OriginError: 1, ClientFailed: 1, selfMs: 300, wireMs: 200 },
  ])
})

/** An order that failed with the call that it made. */
function failedOrder(attributes: Record<string, string>): TestSpan[] {
  const both = { trace: 'a1', service: 'shop', sentAt: 2, failed: true }
  return [
    { ...both, id: '1', name: 'POST /orders', at: 0, took: 1 },
    { ...both, id: '2', parent: '1', kind: 'Client', name: 'POST', at: 0.1, took: 0.5, attributes },
  ]
}

test.for([
  ['says that the request is wrong', { 'http.response.status_code': '401' }, false, true],
  ['says so over gRPC', { 'rpc.grpc.status_code': '7' }, false, true],
  ['says so by the name of the status', { 'rpc.response.status_code': 'PERMISSION_DENIED' }, false, true],
  ['gives up', { 'http.response.status_code': '504' }, false, false],
  ['says no status', {}, false, false],
  ['fails, too', { 'http.response.status_code': '422' }, true, false],
] as const)('who fails with a peer that %s', async ([_does, attributes, fails, isOrigin]) => {
  await receive(...failedOrder(attributes), {
    trace: 'a1',
    id: '3',
    parent: '2',
    service: 'payments',
    name: 'POST /charge',
    at: 0.2,
    took: 0.3,
    sentAt: 2,
    failed: fails,
  })
  await settleTick(store, tickOf(6, 0, 10), rules)
  expect(
    await rows(`SELECT Service, OriginError, ClientFailed FROM chain_dependency_events FINAL ORDER BY Service`),
  ).toEqual([
    { Service: 'payments', OriginError: Number(fails), ClientFailed: 1 },
    { Service: 'shop', OriginError: Number(isOrigin), ClientFailed: 0 },
  ])
})

test('who fails with a peer of which no span came fails with that', async () => {
  await receive(...failedOrder({ 'http.response.status_code': '401', 'server.address': 'bank.example' }))
  await settleTick(store, tickOf(6, 0, 10), rules)
  expect(await rows(`SELECT Service, OriginError FROM chain_dependency_events FINAL WHERE Kind = 'entry'`)).toEqual([
    { Service: 'shop', OriginError: 0 },
  ])
})

test('overlapping children are subtracted once', async () => {
  await receive(
    { trace: 'a1', id: '1', service: 'gateway', name: 'GET /', at: 0, took: 1, sentAt: 2 },
    {
      trace: 'a1',
      id: '2',
      parent: '1',
      kind: 'Client',
      service: 'gateway',
      name: 'GET',
      at: 0.1,
      took: 0.5,
      sentAt: 2,
    },
    {
      trace: 'a1',
      id: '3',
      parent: '1',
      kind: 'Client',
      service: 'gateway',
      name: 'GET',
      at: 0.3,
      took: 0.5,
      sentAt: 2,
    },
  )
  await settleTick(store, tickOf(7, 0, 10), rules)
  expect(
    await rows(`SELECT round(SelfNs / 1e6) AS selfMs FROM chain_dependency_events FINAL WHERE Kind = 'entry'`),
  ).toEqual([{ selfMs: 300 }])
})

test('a request that is sent twice counts once, whenever the second one comes', async () => {
  await receive(...report, ...report)
  await settleTick(store, tickOf(8, 0, 10), rules)
  await receive(...report.map((span) => ({ ...span, sentAt: 12 })))
  expect(await settleTick(store, tickOf(9, 10, 60), rules)).toEqual({ spans: 0, late: 0 })
  expect(await counted()).toBe(3)
})

test('a late span settles its trace again: the run shows it, the edge is the callee, and nothing counts twice', async () => {
  const [entry, client, server, inner, sent] = report as [TestSpan, TestSpan, TestSpan, TestSpan, TestSpan]
  await receive(entry, client, sent)
  await settleTick(store, tickOf(10, 0, 10), rules)
  expect((await calls()).map(({ kind, service }) => `${kind} ${service}`)).toContain('peer 127.0.0.1:4001')
  const before = await counted()
  await receive({ ...server, sentAt: 15 }, { ...inner, sentAt: 15 })
  expect(await settleTick(store, tickOf(11, 10, 25), rules)).toEqual({ spans: 2, late: 2 })
  expect((await calls()).map(({ kind, service }) => `${kind} ${service}`).toSorted()).toEqual([
    'entry gateway',
    'publish reports',
    'sync math',
  ])
  expect(await counted()).toBe(before)
  expect(await rows('SELECT Spans, Services FROM chain_execution_traces FINAL')).toEqual([
    { Spans: 5, Services: ['gateway', 'math'] },
  ])
})

test('a late span of a window that is still open counts; one of a closed window does not', async () => {
  await receive({ trace: 'a1', id: '1', service: 'gateway', name: 'GET /', at: 0, took: 1, sentAt: 2 })
  await settleTick(store, tickOf(12, 0, 10), rules)
  const slow = { trace: 'a1', id: '9', kind: 'Consumer', service: 'worker', name: 'poll', took: 1 } as const
  await receive({ ...slow, at: 5, sentAt: 12 })
  await settleTick(store, tickOf(13, 10, 20), rules)
  expect(await counted()).toBe(2)
  await receive({ ...slow, id: '10', at: 5, sentAt: 400 })
  await settleTick(store, tickOf(14, 390, 410), rules)
  expect(await counted()).toBe(2)
})

test('an unanswered call goes to the service that answered at its address before', async () => {
  await receive(...report)
  await settleTick(store, tickOf(15, 0, 10), rules)
  await receive(
    { trace: 'c1', id: '1', service: 'gateway', name: 'POST /calculate', at: 20, took: 0.1, sentAt: 21, failed: true },
    {
      trace: 'c1',
      id: '2',
      parent: '1',
      kind: 'Client',
      service: 'gateway',
      name: 'POST',
      at: 20,
      took: 0.1,
      sentAt: 21,
      failed: true,
      attributes: { 'server.address': '127.0.0.1', 'server.port': '4001' },
    },
  )
  await settleTick(store, tickOf(16, 10, 30), rules)
  expect(await rows(`SELECT Service, Caller, Failed FROM chain_dependency_events FINAL WHERE Kind = 'peer'`)).toEqual([
    { Service: 'math', Caller: 'gateway', Failed: 1 },
  ])
})

test('a caller that sends no spans is known by service.peer.name, in the same namespace and environment', async () => {
  const resource = { 'service.namespace': 'shop', 'deployment.environment.name': 'staging' }
  await receive({
    trace: 'a1',
    id: '1',
    parent: 'ff',
    service: 'math',
    name: 'GET /',
    at: 0,
    took: 1,
    sentAt: 2,
    resource,
    attributes: { 'service.peer.name': 'gateway' },
  })
  await settleTick(store, tickOf(17, 0, 10), rules)
  expect(await calls()).toMatchObject([{ kind: 'sync', service: 'shop/math@staging', caller: 'shop/gateway@staging' }])
})

test('flow.id on any span names the run; a chain of links leads to the first trace; a batch of several starts its own', async () => {
  const consumer = { kind: 'Consumer', service: 'worker', name: 'process', took: 0.1, sentAt: 3 } as const
  const named = 'd'.repeat(32)
  await receive(
    { trace: 'a1', id: '1', service: 'gateway', name: 'GET /', at: 0, took: 1, sentAt: 2 },
    { ...consumer, trace: 'b1', id: '2', at: 1, link: { trace: 'a1', span: '1' } },
    { ...consumer, trace: 'c1', id: '3', at: 2, link: { trace: 'b1', span: '2' } },
    { ...consumer, trace: 'e1', id: '4', at: 2, attributes: { 'flow.id': named } },
    { ...consumer, trace: 'f1', id: '5', at: 2, link: { trace: 'a1', span: '1' } },
    { ...consumer, trace: 'f1', id: '6', parent: '5', at: 2, link: { trace: 'e1', span: '4' } },
    { ...consumer, trace: 'g1', id: '7', at: 2, attributes: { 'flow.id': '0'.repeat(32) } },
  )
  await settleTick(store, tickOf(18, 0, 10), rules)
  expect(await rows('SELECT TraceId, FlowId FROM chain_execution_traces FINAL ORDER BY TraceId')).toEqual([
    { TraceId: 'a1', FlowId: 'a1' },
    { TraceId: 'b1', FlowId: 'a1' },
    { TraceId: 'c1', FlowId: 'a1' },
    { TraceId: 'e1', FlowId: named },
    { TraceId: 'f1', FlowId: 'f1' },
    { TraceId: 'g1', FlowId: 'g1' },
  ])
})

test('history that is sent late counts in its own time', async () => {
  await receive({ trace: 'a1', id: '1', service: 'gateway', name: 'GET /', at: -86_400, took: 1, sentAt: 2 })
  await settleTick(store, tickOf(19, 0, 10), rules)
  const [row] = await rows<{ window: number }>('SELECT toUnixTimestamp(Window) AS window FROM chain_health_metrics')
  expect(row?.window).toBe(Math.floor((startS - 86_400 + 1) / 60) * 60)
})

test('a crash after any step of a tick, or within it, repeats the tick and counts nothing twice', async () => {
  for (let crashAfter = 1; crashAfter <= 7; crashAfter += 1) {
    for (const table of facts) await store.clickhouse.command({ query: `TRUNCATE TABLE ${table}` })
    await receive(...report, archived)
    const tick = tickOf(100 + crashAfter, 0, 10)
    await expect(settleTick(crashingStore(crashAfter), tick, rules)).rejects.toThrow('crash')
    // What arrives before the repetition does not get into the tick.
    await receive({ ...archived, id: '66', at: 1.6, sentAt: 10.5 })
    await settleTick(store, tick, rules)
    expect(await counted()).toBe(4)
    expect(await rows('SELECT count() AS n FROM settled_spans')).toEqual([{ n: 6 }])
    expect(await rows('SELECT count() AS n FROM chain_dependency_events')).toEqual([{ n: 4 }])
    expect(await rows('SELECT count() AS n FROM chain_execution_traces')).toEqual([{ n: 2 }])
  }
})

/** A store whose process dies after so many inserts. */
function crashingStore(inserts: number): Store {
  let done = 0
  const clickhouse = new Proxy(store.clickhouse, {
    get(target, name) {
      if (name !== 'command') return Reflect.get(target, name)
      return async (parameters: Parameters<typeof target.command>[0]) => {
        const result = await target.command(parameters)
        done += 1
        if (done === inserts) throw new Error('crash')
        return result
      }
    },
  })
  return { ...store, clickhouse }
}

test('ticks follow one another, an unfinished one is repeated, and an old epoch is refused', async () => {
  await receive({ trace: 'a1', id: '1', service: 'gateway', name: 'GET /', at: 0, took: 1, sentAt: 2 })
  const first = await beginTick(store, lease, rules)
  // What arrived is older than one tick takes.
  expect(first).toMatchObject({ tick: 1, isCutShort: true })
  if (first === undefined) throw new Error('no tick')
  const { isCutShort: _, ...recorded } = first
  expect(await beginTick(store, lease, rules)).toEqual(recorded)
  await finishTick(store.postgres, lease, first, { spans: 1, late: 0 })
  const second = await beginTick(store, lease, rules)
  expect(second).toMatchObject({ tick: 2, fromMs: first.toMs })
  if (second === undefined) throw new Error('no tick')
  await expect(finishTick(store.postgres, { ...lease, epoch: 0 }, second, { spans: 0, late: 0 })).rejects.toThrow(
    'another one',
  )
})

test('one analyzer leads until its lease ends', async () => {
  expect(await takeLease(store.postgres, { holder: 'other', ttlMs: 1_000 })).toBeUndefined()
  expect(await takeLease(store.postgres, { holder: 'test', ttlMs: 1 })).toEqual(lease)
  await expect
    .poll(async () => await takeLease(store.postgres, { holder: 'other', ttlMs: 1_000 }))
    .toEqual({ holder: 'other', epoch: lease.epoch + 1 })
})
