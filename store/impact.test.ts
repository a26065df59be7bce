import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectStore, migrateClickHouse, type Store } from './index.ts'
import type { BadCall } from './bad-calls.ts'
import { readBadRuns } from './bad-runs.ts'
import { readImpact } from './impact.ts'
import { readRunUsers } from './run-users.ts'

let engines: TestEngines
let store: Store

beforeAll(async () => {
  engines = await startTestEngines()
  store = connectStore(engines)
  await migrateClickHouse(engines.clickhouseUrl)
}, 240_000)

afterAll(async () => {
  await store.close()
  await engines.stop()
})

beforeEach(async () => {
  for (const table of ['chain_execution_traces', 'chain_dependency_events'])
    await store.clickhouse.command({ query: `TRUNCATE TABLE ${table}` })
})

const atMs = Math.floor(Date.now() / 1_000) * 1_000 - 60_000

interface Run {
  flow: string
  /** Of a run of several traces. */
  id?: string
  user?: string
  ms?: number
  failed?: boolean
  /** Whether its call at the cause went wrong. */
  isByCause?: boolean
  services?: string[]
  /** Answered calls of its to a service that has sent no spans of them. */
  answeredBy?: string
  /** Calls between services, apart from that: who called whom. */
  calls?: [caller: string, service: string][]
  weight?: number
  /** When it ended, in seconds of the range of a minute. */
  endS?: number
}

/** Runs that all ended within the range. */
async function write(runs: Run[]): Promise<void> {
  const at = (second: number) => (atMs / 1_000 + second).toFixed(3)
  await store.clickhouse.insert({
    table: 'chain_execution_traces',
    format: 'JSONEachRow',
    values: runs.map(
      (
        { flow, id, user = '', ms = 20, failed = false, services = ['gateway', 'payments'], weight = 1, endS = 0 },
        i,
      ) => ({
        Tick: 1,
        FlowId: id ?? `run-${i}`,
        TraceId: `trace-${i}`,
        FlowName: flow,
        StartedAt: at(endS),
        EndedAt: at(endS),
        DurationNs: ms * 1e6,
        EntryService: 'gateway',
        EntryOperation: flow,
        Services: services,
        Spans: 2,
        Errors: 0,
        Failed: failed ? 1 : 0,
        UserId: user,
        Weight: weight,
      }),
    ),
  })
  await store.clickhouse.insert({
    table: 'chain_dependency_events',
    format: 'JSONEachRow',
    values: runs.map(({ flow, id, isByCause = false, endS = 0, answeredBy }, i) => ({
      Tick: 1,
      Deleted: 0,
      Time: at(endS),
      TraceId: `trace-${i}`,
      SpanId: `span-${i}`,
      FlowId: id ?? `run-${i}`,
      FlowName: flow,
      Kind: answeredBy === undefined ? 'sync' : 'peer',
      Service: answeredBy ?? 'payments',
      Operation: 'POST /charge',
      Caller: 'gateway',
      CallerOperation: flow,
      OriginError: isByCause ? 1 : 0,
      Weight: 1,
    })),
  })
  await store.clickhouse.insert({
    table: 'chain_dependency_events',
    format: 'JSONEachRow',
    values: runs.flatMap(({ flow, id, calls = [], endS = 0 }, i) =>
      calls.map(([caller, service], place) => ({
        Tick: 1,
        Deleted: 0,
        Time: at(endS),
        TraceId: `trace-${i}`,
        SpanId: `span-${i}-${place}`,
        FlowId: id ?? `run-${i}`,
        FlowName: flow,
        Kind: service.includes(':') ? 'peer' : 'sync',
        Service: service,
        Operation: `work of ${service}`,
        Caller: caller,
        CallerOperation: `work of ${caller}`,
        Weight: 1,
      })),
    ),
  })
}

const failing: BadCall = { kind: 'errors', service: 'payments', operation: 'POST /charge' }

function entry(
  operation: string,
  badShare = 0,
): { service: string; operation: string; slowNs: number; badShare: number } {
  return { service: 'gateway', operation, slowNs: 100e6, badShare }
}

/** Where each run stands for itself, how many were counted is not told again. */
async function impactOf(
  usualEntries = [entry('POST /orders')],
  { badCalls = [failing], flows = [] }: { badCalls?: BadCall[]; flows?: string[] } = {},
) {
  const range = { fromMs: atMs - 1_000, toMs: atMs + 60_000 }
  const before = { minutes: [], tenSeconds: [[atMs / 1_000 - 61, atMs / 1_000 - 1] as const] }
  const impact = await readImpact(store, { ...range, before, badCalls, usualEntries, flows })
  return {
    ...impact,
    flows: impact.flows.map(({ counted, ...flow }) => (counted === flow.runs ? flow : { ...flow, counted })),
  }
}

const times = (count: number, run: Run): Run[] => Array.from({ length: count }, () => run)

test('failed and slow runs of a flow that the cause hits are counted, those of other flows are not', async () => {
  await write([
    ...times(6, { flow: 'POST /orders' }),
    { flow: 'POST /orders', failed: true, isByCause: true, user: 'ada' },
    // It waited in the queue that the bad calls made.
    { flow: 'POST /orders', ms: 900, user: 'bob' },
    // A bad call that its caller bore.
    { flow: 'POST /orders', isByCause: true, user: 'eve' },
    { flow: 'GET /products', failed: true, user: 'joe' },
  ])
  expect(await impactOf()).toEqual({
    flows: [{ name: 'POST /orders', runs: 9, runsAffected: 2 }],
    users: { affected: 2, seen: 3 },
  })
})

test('runs that fail or are slow anyway are not laid at its door, though some of them would have been hit', async () => {
  await write([
    ...times(80, { flow: 'POST /orders' }),
    ...times(20, { flow: 'POST /orders', failed: true, isByCause: true }),
  ])
  const { flows } = await impactOf([entry('POST /orders', 0.05)])
  expect(flows[0]?.runs).toBe(100)
  // 5 of the 100 go wrong anyway; of the other 95, 15 do beyond that, and so would have as many of the 5.
  expect(flows[0]?.runsAffected).toBeCloseTo((15 / 95) * 100, 9)
  expect((await impactOf([entry('POST /orders', 0.3)])).flows).toEqual([])
})

test('where all runs go wrong all are hit, however many do so anyway', async () => {
  await write(times(100, { flow: 'POST /orders', failed: true, isByCause: true }))
  const { flows } = await impactOf([entry('POST /orders', 0.3)])
  expect(flows[0]?.runsAffected).toBeCloseTo(100, 9)
})

test('a few more bad runs than usual are chance', async () => {
  await write([
    ...times(93, { flow: 'POST /orders' }),
    ...times(7, { flow: 'POST /orders', failed: true, isByCause: true }),
  ])
  expect((await impactOf([entry('POST /orders', 0.05)])).flows).toEqual([])
  expect((await impactOf([entry('POST /orders', 0.01)])).flows).toHaveLength(1)
})

test('a run counts as those that it stands for, so that keeping what failed makes nothing look worse', async () => {
  await write([
    ...times(9, { flow: 'POST /orders', weight: 10 }),
    ...times(10, { flow: 'POST /orders', failed: true, isByCause: true }),
  ])
  // As much as by 11 runs of equal weight: 100² / (9 × 10² + 10).
  expect((await impactOf()).flows).toEqual([{ name: 'POST /orders', runs: 100, runsAffected: 10, counted: 11 }])
})

test('named flows are hit by whatever goes wrong in them', async () => {
  await write([{ flow: 'GET /products', failed: true }])
  expect((await impactOf([], { badCalls: [], flows: ['GET /products'] })).flows).toEqual([
    { name: 'GET /products', runs: 1, runsAffected: 1 },
  ])
})

const alone = { services: ['gateway'] }
const before = { endS: -30 }

test.for(['silence', 'unanswered'] as const)(
  'by %s runs are hit that went on without a service, beyond those that never needed it',
  async (kind) => {
    await write([
      ...times(500, { flow: 'POST /orders', ...before }),
      ...times(30, { flow: 'POST /orders', ...alone, user: 'ada' }),
      ...times(70, { flow: 'POST /orders' }),
      ...times(600, { flow: 'GET /cart', ...alone, ...before }),
      ...times(400, { flow: 'GET /cart', ...before }),
      ...times(90, { flow: 'GET /cart', ...alone, user: 'anybody' }),
      ...times(10, { flow: 'GET /cart' }),
      ...times(600, { flow: 'GET /menu', ...alone, ...before }),
      ...times(400, { flow: 'GET /menu', ...before }),
      ...times(65, { flow: 'GET /menu', ...alone }),
      ...times(35, { flow: 'GET /menu' }),
      // Nobody knows whether these ever needed the service.
      ...times(50, { flow: 'GET /news', ...alone }),
      ...times(10, { flow: 'GET /news', ...alone, failed: true, isByCause: true }),
    ])
    const flows = ['POST /orders', 'GET /cart', 'GET /menu', 'GET /news']
    const impact = await impactOf([], { badCalls: [{ kind, service: 'payments', flows }, failing] })
    expect(impact.flows).toEqual([
      { name: 'GET /cart', runs: 100, runsAffected: expect.closeTo(30, 0) },
      { name: 'POST /orders', runs: 100, runsAffected: expect.closeTo(30, 0) },
      { name: 'GET /news', runs: 60, runsAffected: 10 },
    ])
    // Which of those runs without it would have reached it, nobody can tell.
    expect(impact.users.affected).toBe(1)
  },
)

test.for(['payments', 'db:5432'])(
  'a call to %s that is left out hits the runs in which its operation succeeded, however seldom that is, and whoever else calls the same',
  async (service) => {
    const came: [string, string] = ['gateway', 'orders']
    const others: [string, string] = ['gateway', service]
    const whole: Pick<Run, 'calls'> = { calls: [came, others, ['orders', service]] }
    const without: Pick<Run, 'calls'> = { calls: [came, others] }
    const never: Pick<Run, 'calls'> = { calls: [others] }
    await write([
      ...times(200, { flow: 'POST /orders', ...whole, ...before }),
      ...times(300, { flow: 'POST /orders', ...never, ...before }),
      ...times(40, { flow: 'POST /orders', ...without, user: 'ada' }),
      ...times(10, { flow: 'POST /orders', ...whole, user: 'ben' }),
      ...times(50, { flow: 'POST /orders', ...never, user: 'cyd' }),
    ])
    const leftOut: BadCall = {
      kind: 'left-out',
      service,
      caller: 'orders',
      callerOperation: 'work of orders',
      flows: ['POST /orders'],
    }
    const impact = await impactOf([], { badCalls: [leftOut] })
    expect(impact.flows).toEqual([{ name: 'POST /orders', runs: 100, runsAffected: expect.closeTo(40, 0) }])
    expect(impact.users.affected).toBe(1)
  },
)

test('a service that is seldom needed anyway does not hide whom another one hits', async () => {
  await write([
    ...times(300, { flow: 'POST /orders', ...before }),
    ...times(100, { flow: 'POST /orders', services: ['gateway', 'payments', 'mail'], ...before }),
    ...times(80, { flow: 'POST /orders', ...alone, user: 'ada' }),
    ...times(20, { flow: 'POST /orders' }),
  ])
  const flows = ['POST /orders']
  const dead = ['payments', 'mail'].map((service): BadCall => ({ kind: 'unanswered', service, flows }))
  const impact = await impactOf([], { badCalls: dead })
  expect(impact.flows).toEqual([{ name: 'POST /orders', runs: 100, runsAffected: expect.closeTo(80, 0) }])
  expect(impact.users.affected).toBe(1)
})

test('whom a service has answered is not hit, though its spans died with it; nor who reached it in a trace that ended before', async () => {
  const dead: BadCall = { kind: 'unanswered', service: 'payments', flows: ['POST /orders'] }
  await write([
    ...times(500, { flow: 'POST /orders', ...before }),
    ...times(50, { flow: 'POST /orders', ...alone }),
    ...times(30, { flow: 'POST /orders', ...alone, answeredBy: 'payments' }),
    ...times(19, { flow: 'POST /orders' }),
    { flow: 'POST /orders', id: 'split', endS: -2 },
    { flow: 'POST /orders', id: 'split', services: ['worker'] },
  ])
  expect((await impactOf([], { badCalls: [dead] })).flows).toEqual([
    { name: 'POST /orders', runs: 100, runsAffected: expect.closeTo(50, 0) },
  ])
})

test('before it began and once it has passed, healthy runs make nothing look better', async () => {
  const runs = Array.from({ length: 600 }, (_, i): Run => {
    const isBad = i >= 50 && i < 250 && i % 2 === 0
    return { flow: 'POST /orders', endS: i / 10, failed: isBad, isByCause: isBad }
  })
  await write(runs)
  const { flows } = await impactOf()
  expect(flows[0]?.runs).toBeGreaterThan(190)
  expect(flows[0]?.runs).toBeLessThanOrEqual(200)
  expect((flows[0]?.runsAffected ?? 0) / (flows[0]?.runs ?? 1)).toBeCloseTo(0.5, 2)
})

test('a call counts as its trace settled last', async () => {
  await write([
    ...times(8, { flow: 'POST /orders' }),
    ...times(2, { flow: 'POST /orders', failed: true, isByCause: true }),
    ...times(2, { flow: 'GET /products', failed: true, isByCause: true }),
  ])
  // What came late says that the last two were not at fault: one call did not fail by itself, the other was another service's.
  const later = {
    Tick: 2,
    Time: ((atMs + 1_000) / 1_000).toFixed(3),
    FlowName: 'GET /products',
    Kind: 'sync',
    Weight: 1,
  }
  await store.clickhouse.insert({
    table: 'chain_dependency_events',
    format: 'JSONEachRow',
    values: [
      {
        ...later,
        Deleted: 0,
        TraceId: 'trace-10',
        SpanId: 'span-10',
        FlowId: 'run-10',
        Service: 'payments',
        Operation: 'POST /charge',
      },
      {
        ...later,
        Deleted: 1,
        TraceId: 'trace-11',
        SpanId: 'span-11',
        FlowId: 'run-11',
        Service: 'bank',
        Operation: 'POST /charge',
      },
    ],
  })
  expect((await impactOf([entry('POST /orders'), entry('GET /products')])).flows).toEqual([
    { name: 'POST /orders', runs: 10, runsAffected: 2 },
  ])
})

test('users are counted once, in however many flows they are hit', async () => {
  const bad = { failed: true, isByCause: true }
  await write([
    { flow: 'POST /orders', user: 'ada', ...bad },
    { flow: 'POST /orders', user: 'bob', ...bad },
    { flow: 'GET /products', user: 'ada', ...bad },
    { flow: 'GET /products', user: 'eve' },
  ])
  expect((await impactOf()).users).toEqual({ affected: 2, seen: 3 })
})

test('of an entry that has no past no run is slow', async () => {
  await write([{ flow: 'POST /orders', ms: 9_000, isByCause: true }])
  expect((await impactOf([])).flows).toEqual([])
})

async function badRuns({ runsMax = 50, services = ['payments'] } = {}): Promise<string[]> {
  const runs = await readBadRuns(store, {
    fromMs: atMs - 1_000,
    toMs: atMs + 60_000,
    services,
    usualEntries: [entry('POST /orders')],
    runsMax,
  })
  return runs.map(({ traceId, calls }) => `${traceId}: ${calls.map(({ spanId }) => spanId).join(', ')}`).toSorted()
}

test('runs that failed or were slow and passed a service are read with their calls, as they settled last', async () => {
  await write([
    { flow: 'POST /orders' },
    { flow: 'POST /orders', failed: true },
    { flow: 'POST /orders', ms: 900 },
    // Nobody knows how long these usually take.
    { flow: 'GET /products', ms: 900 },
    { flow: 'POST /orders', failed: true, services: ['gateway'] },
    { flow: 'POST /orders', failed: true, endS: -30 },
  ])
  expect(await badRuns()).toEqual(['trace-1: span-1', 'trace-2: span-2'])
  expect(await badRuns({ services: [] })).toEqual([])
  const again = { Tick: 2, Time: (atMs / 1_000).toFixed(3), TraceId: 'trace-1', FlowId: 'run-1', Kind: 'sync' }
  await store.clickhouse.insert({
    table: 'chain_dependency_events',
    format: 'JSONEachRow',
    values: [
      { ...again, SpanId: 'span-1', Deleted: 1 },
      { ...again, SpanId: 'late', Deleted: 0, Failed: 1, DurationNs: 7, Service: 'bank' },
    ],
  })
  expect(await badRuns()).toEqual(['trace-1: late', 'trace-2: span-2'])
  const range = { fromMs: atMs - 1_000, toMs: atMs + 60_000 }
  const asked = { ...range, services: ['payments'], usualEntries: [], runsMax: 50 }
  expect(await readBadRuns(store, asked)).toMatchObject([
    {
      traceId: 'trace-1',
      weight: 1,
      calls: [{ spanId: 'late', kind: 'sync', service: 'bank', durationNs: 7, failed: true, originError: false }],
    },
  ])
})

test('of more runs that went wrong than are asked for, the same ones are chosen each time', async () => {
  await write(times(200, { flow: 'POST /orders', failed: true }))
  const chosen = await badRuns({ runsMax: 20 })
  expect(new Set(chosen).size).toBe(20)
  expect(await badRuns({ runsMax: 20 })).toEqual(chosen)
  // Settled anew, a run counts once.
  await write(times(200, { flow: 'POST /orders', failed: true, user: 'ada' }))
  expect(new Set(await badRuns({ runsMax: 20 })).size).toBe(20)
})

test('whose runs of a flow became fewer is told up to a time of the flow, not after it is well again', async () => {
  const flow = 'GET /image'
  await write([
    ...['ada', 'ben', 'cyd', 'dan', 'eve'].flatMap((user) => times(10, { flow, user, ...before })),
    ...times(3, { flow, user: 'ada', endS: 5 }),
    ...times(2, { flow, user: 'ben', endS: 5 }),
    ...times(50, { flow, user: 'cyd', endS: 20 }),
  ])
  const asked = { recentFromMs: atMs, before: { fromMs: atMs - 60_000, toMs: atMs }, few: 2 }
  const told = await readRunUsers(store, { ...asked, flows: [{ flow, recentToMs: atMs + 10_000 }] })
  expect(told).toMatchObject([
    { flow, before: 50, recent: 5, beforeOfUsers: 50, beforeOfFew: 20, recentOfFew: 0, beforeIds: 50, recentIds: 5 },
  ])
})
