import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, iso, minute, secondsAgo, settledTrace, startWorld, type World } from '../test-world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
  const at = secondsAgo(300)
  await world.insert('chain_health_metrics', [
    minute({ at, service: 'gateway', operation: 'POST /report', calls: 10, errors: 2 }),
    minute({
      at,
      service: 'math',
      operation: 'POST /sum',
      kind: 'sync',
      caller: 'gateway',
      callerOperation: 'POST /report',
      calls: 10,
      errors: 2,
      ms: 20,
    }),
    minute({
      at,
      service: 'db:5432',
      operation: 'SELECT',
      kind: 'peer',
      caller: 'math',
      callerOperation: 'POST /sum',
      calls: 10,
    }),
    minute({
      at,
      service: 'jobs',
      operation: 'send',
      kind: 'publish',
      caller: 'gateway',
      callerOperation: 'POST /report',
      calls: 8,
    }),
    minute({
      at,
      service: 'worker',
      operation: 'jobs',
      kind: 'async',
      caller: 'gateway',
      callerOperation: 'POST /report',
      calls: 8,
    }),
    minute({ at, service: 'shop@staging', operation: 'GET /', calls: 1 }),
    // Its client's calls went unanswered for a while.
    minute({
      at,
      service: 'math',
      operation: 'POST',
      kind: 'peer',
      caller: 'gateway',
      callerOperation: 'POST /report',
      calls: 1,
      errors: 1,
    }),
  ])
  await world.insert('chain_execution_traces', [
    settledTrace({ trace: 'a', at, services: ['gateway', 'math'], user: 'ada' }),
    settledTrace({ trace: 'a2', flow: 'a', at: at + 50, services: ['worker'] }),
    settledTrace({ trace: 'b', at, services: ['gateway'], user: 'ben' }),
    settledTrace({ trace: 'c', at, services: ['gateway'], name: 'GET /ping', user: 'cho' }),
    settledTrace({ trace: 'x', at: secondsAgo(9_000), services: ['gateway', 'math'], user: 'xia' }),
  ])
  await world.insert('chain_dependency_events', [
    call({ trace: 'a', span: 'a0', at, service: 'gateway', operation: 'POST /report' }),
    call({
      trace: 'a',
      span: 'a1',
      at,
      service: 'math',
      operation: 'POST /sum',
      kind: 'sync',
      caller: 'gateway',
      callerOperation: 'POST /report',
    }),
    call({ trace: 'b', at, service: 'gateway', operation: 'POST /report' }),
    call({ trace: 'c', at, service: 'gateway', operation: 'GET /ping' }),
    call({
      trace: 'x',
      at: secondsAgo(9_000),
      service: 'math',
      operation: 'POST /sum',
      kind: 'sync',
      caller: 'gateway',
    }),
  ])
})
afterAll(() => world.stop())

test('the graph has services, peers without spans, and queues, and who called whom', async () => {
  const { body } = await world.get('/api/v1/graph')
  expect(body.nodes!.map(({ id, kind, service, environment }) => [id, kind, service, environment])).toEqual([
    ['gateway', 'service', 'gateway', ''],
    ['math', 'service', 'math', ''],
    ['peer:db:5432', 'peer', 'db:5432', ''],
    ['queue:jobs', 'queue', 'jobs', ''],
    ['shop@staging', 'service', 'shop', 'staging'],
    ['worker', 'service', 'worker', ''],
  ])
  expect(body.edges!.map(({ from, to, kind, calls, errors }) => [from, to, kind, calls, errors])).toEqual([
    ['gateway', 'math', 'sync', 10, 2],
    ['math', 'peer:db:5432', 'peer', 10, 0],
    ['gateway', 'queue:jobs', 'publish', 8, 0],
    ['gateway', 'worker', 'async', 8, 0],
    ['gateway', 'math', 'peer', 1, 1],
  ])
  expect(body.edges![0]).toMatchObject({ operations: ['POST /sum'] })
  expect(body.edges![0]!.p95Ms).toBeCloseTo(20, -1)
  expect(body.truncated).toBe(false)
})

test('what fails is felt by callers, their flows and users, and by consumers that get no messages', async () => {
  const { status, body } = await world.get('/api/v1/impact?service=math&operation=POST%20/sum')
  expect(status).toBe(200)
  expect(body).toMatchObject({
    service: 'math',
    operation: 'POST /sum',
    runs: 1,
    flows: [{ name: 'POST /report', runs: 2, runsThrough: 1, share: 0.5 }],
    users: { through: 1, seen: 2, share: 0.5 },
  })
  expect(
    body.services!.map(({ service, operations, runs, runsThrough }) => [service, operations, runs, runsThrough]),
  ).toEqual([
    ['gateway', ['POST /report'], 3, 1],
    ['worker', ['jobs'], 1, 1],
  ])
})

test('an impact can be asked of another time', async () => {
  const { body } = await world.get(
    `/api/v1/impact?service=math&since=${iso(secondsAgo(10_000))}&until=${iso(secondsAgo(8_000))}`,
  )
  expect(body).toMatchObject({ operation: null, runs: 1, users: { through: 1, seen: 1, share: 1 } })
})

test.each(['service=nobody', 'service=math&operation=GET%20/', 'service=math&environment=staging'])(
  'the impact of what nobody called is unknown: %s',
  async (query) => {
    expect((await world.get(`/api/v1/impact?${query}`)).status).toBe(404)
  },
)

async function metric(text: string, name: string): Promise<number> {
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.split(' ')
      .at(-1),
  )
}

test('metrics bear the service graph under the names that Grafana reads, and never fall', async () => {
  let nowMs = secondsAgo(330)
  const api = world.serve({ now: () => nowMs })
  const read = async () => (await api.request('/metrics')).text()
  const labels = '{client="gateway",server="math",connection_type=""}'
  nowMs = secondsAgo(280)
  const first = await read()
  expect(first).toContain('other_station_total 7\n')
  expect(await metric(first, `traces_service_graph_request_total${labels}`)).toBe(10)
  expect(await metric(first, `traces_service_graph_request_failed_total${labels}`)).toBe(2)
  expect(await metric(first, `traces_service_graph_request_server_seconds_sum${labels}`)).toBeCloseTo(0.2)
  expect(
    await metric(
      first,
      'traces_service_graph_request_server_seconds_bucket{client="gateway",server="math",connection_type="",le="0.025"}',
    ),
  ).toBe(10)
  expect(first).toContain(
    'traces_service_graph_request_total{client="user",server="gateway",connection_type="virtual_node"} 10',
  )
  expect(first).toContain('server="worker",connection_type="messaging_system"} 8')
  // The hours close, and what they held stays in the sum.
  nowMs += 3 * 3_600_000
  expect(await metric(await read(), `traces_service_graph_request_total${labels}`)).toBe(10)
  nowMs += 10_000
  expect(await metric(await read(), `traces_service_graph_request_total${labels}`)).toBe(10)
  expect(await read()).toMatch(/headwater_api_requests_total\{route="\/metrics",status="200"\} [3-9]/)
})
