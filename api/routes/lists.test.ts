import type { PastQuestion } from '@headwater/vocabulary'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  incident,
  iso,
  keepAlert,
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
beforeAll(async () => {
  world = await startWorld()
  await world.insert('chain_health_metrics', [
    minute({
      at: secondsAgo(600),
      service: 'math',
      operation: 'POST /evaluate',
      ms: 10,
      calls: 90,
      kind: 'sync',
      caller: 'gateway',
    }),
    minute({
      at: secondsAgo(540),
      service: 'math',
      operation: 'POST /evaluate',
      ms: 400,
      calls: 10,
      errors: 4,
      kind: 'sync',
      caller: 'gateway',
    }),
    minute({ at: secondsAgo(600), service: 'math', operation: 'GET /pi', ms: 1, calls: 5 }),
    minute({ at: secondsAgo(600), service: 'shop/gateway@staging', operation: 'POST /report', calls: 3 }),
    minute({ at: secondsAgo(600), service: 'postgres', operation: 'SELECT', calls: 3, kind: 'peer', caller: 'math' }),
    minute({ at: secondsAgo(7_200), service: 'old', operation: 'GET /', calls: 3 }),
  ])
  await world.insert('chain_execution_traces', [
    settledTrace({ trace: 'a', at: secondsAgo(60), ms: 30, services: ['shop/gateway@staging', 'math'], user: 'ada' }),
    settledTrace({ trace: 'b', at: secondsAgo(120), ms: 30, services: ['gateway', 'math'], failed: true, user: 'ben' }),
    settledTrace({ trace: 'c', at: secondsAgo(1_800), ms: 30, services: ['gateway'], name: 'GET /pi' }),
    // The report's second trace, from the queue, three hours later.
    settledTrace({ trace: 'd', at: secondsAgo(20_000), ms: 30, services: ['gateway'] }),
    settledTrace({
      trace: 'd2',
      flow: 'd',
      at: secondsAgo(9_000),
      ms: 40,
      services: ['worker'],
      failed: true,
      user: 'dan',
    }),
    // Settled again: a late span turned out to have failed.
    settledTrace({ trace: 'e', at: secondsAgo(30_000), services: ['gateway'], tick: 2, failed: true }),
    settledTrace({ trace: 'e', at: secondsAgo(30_000), services: ['gateway'], tick: 1 }),
  ])
  const failing = rawSpan({
    trace: 'b',
    span: 'b2',
    parent: 'b1',
    at: secondsAgo(120) + 5,
    ms: 5,
    service: 'math',
    name: 'POST /evaluate',
    failed: true,
    message: 'no',
  })
  await world.insert('otel_traces', [
    failing,
    rawSpan({
      trace: 'b',
      span: 'b1',
      at: secondsAgo(120),
      ms: 30,
      service: 'gateway',
      name: 'POST /report',
      links: [{ trace: 'a', span: 'a1' }],
    }),
    // A repeated request.
    failing,
    rawSpan({ trace: 'd', span: 'd1', at: secondsAgo(20_000), service: 'gateway', name: 'POST /report' }),
    rawSpan({
      trace: 'd2',
      span: 'd2',
      at: secondsAgo(9_000),
      ms: 40,
      kind: 'Consumer',
      service: 'worker',
      name: 'process',
      links: [
        { trace: 'd', span: 'd1' },
        { trace: 'a', span: 'a1' },
        { trace: 'd2', span: 'd0' },
      ],
    }),
    rawSpan({
      trace: 'r',
      span: 'r1',
      at: secondsAgo(3),
      service: 'gateway',
      name: 'POST /report',
      receivedAt: Date.now(),
      attributes: { 'user.id': 'rob' },
    }),
  ])
  for (let i = 0; i < 3; i += 1) {
    await keepIncident(
      world,
      incident(`i${i}`, {
        openedAt: iso(secondsAgo(100 * (i + 1))),
        ...(i === 2 && { state: 'resolved', resolvedAt: iso(secondsAgo(10)) }),
      }),
    )
  }
})
afterAll(() => world.stop())

test('services show their calls, errors and quantiles of the last hour, over all minutes', async () => {
  const { status, body } = await world.get('/api/v1/services')
  expect(status).toBe(200)
  expect(
    body.items.map(({ service, namespace, environment, calls, errors }) => [
      service,
      namespace,
      environment,
      calls,
      errors,
    ]),
  ).toEqual([
    ['math', '', '', 105, 4],
    ['gateway', 'shop', 'staging', 3, 0],
  ])
  const math = body.items[0]!
  expect(math.p50Ms).toBeCloseTo(10, 0)
  expect(Number(math.p95Ms)).toBeGreaterThan(390)
  expect(math.lastSeen).toBe(iso(secondsAgo(540)).replace('.000Z', 'Z'))
  expect(math.operations!.map(({ operation, calls }) => [operation, calls])).toEqual([
    ['POST /evaluate', 100],
    ['GET /pi', 5],
  ])
})

test('services are paged without gap or repetition', async () => {
  const first = await world.get('/api/v1/services?limit=1')
  const second = await world.get(`/api/v1/services?limit=1&cursor=${String(first.body.nextCursor)}`)
  expect([first, second].map(({ body }) => body.items[0]!.service)).toEqual(['math', 'gateway'])
  expect(second.body.nextCursor).toBeNull()
})

test('executions are runs, newest first, each with all its traces', async () => {
  const { body } = await world.get('/api/v1/executions')
  expect(body.items.map(({ flowId, status }) => [flowId, status])).toEqual([
    [traceId('a'), 'ok'],
    [traceId('b'), 'error'],
    [traceId('c'), 'ok'],
    [traceId('d'), 'error'],
    [traceId('e'), 'error'],
  ])
  expect(body.items[3]).toEqual({
    flowId: traceId('d'),
    flowName: 'POST /report',
    status: 'error',
    startedAt: iso(secondsAgo(20_000)).replace('Z', '000000Z'),
    durationMs: 11_000_040,
    services: ['gateway', 'worker'],
    userId: 'dan',
    traceIds: [traceId('d'), traceId('d2')],
  })
  expect(body.items[0]!.services).toEqual(['gateway', 'math'])
})

test.each([
  ['flow=GET%20/pi', ['c']],
  ['service=math', ['a', 'b']],
  ['service=shop/gateway@staging', ['a']],
  ['service=worker', ['d']],
  ['user=dan', ['d']],
  ['status=error', ['b', 'd', 'e']],
  ['status=ok&service=gateway', ['a', 'c']],
  [`since=${iso(secondsAgo(100))}`, ['a']],
  [`until=${iso(secondsAgo(100))}&since=${iso(secondsAgo(2_000))}`, ['b', 'c']],
  [`since=${iso(secondsAgo(10_000))}`, ['a', 'b', 'c']],
])('executions?%s finds %j', async (query, names) => {
  const { body } = await world.get(`/api/v1/executions?${query}`)
  expect(body.items.map(({ flowId }) => flowId)).toEqual(names.map(traceId))
})

test('paging through executions finds each run once', async () => {
  const seen: unknown[] = []
  let cursor = ''
  for (let page = 0; page < 10; page += 1) {
    const { body } = await world.get(`/api/v1/executions?limit=2${cursor}`)
    seen.push(...body.items.map(({ flowId }) => flowId))
    if (body.nextCursor === null) break
    cursor = `&cursor=${String(body.nextCursor)}`
  }
  expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'].map(traceId))
})

test('a run of which nothing is settled yet is running', async () => {
  const { body } = await world.get('/api/v1/executions?status=running')
  expect(body.items).toMatchObject([
    { flowId: traceId('r'), status: 'running', userId: 'rob', flowName: 'POST /report' },
  ])
  expect((await world.get(`/api/v1/executions/${traceId('r')}`)).body).toMatchObject({
    status: 'running',
    traces: [{ spans: [{ name: 'POST /report' }] }],
  })
})

test('an execution has the spans of its traces, each once', async () => {
  const { body } = await world.get(`/api/v1/executions/${traceId('b')}`)
  expect(body).toMatchObject({ flowId: traceId('b'), status: 'error', truncated: false })
  expect(body.traces!.map(({ spans }) => spans.map(({ spanId: id }) => id))).toEqual([[spanId('b1'), spanId('b2')]])
})

test('the outline of an execution has what a waterfall shows of its spans, each once, and nothing else', async () => {
  const { body } = await world.get(`/api/v1/executions/${traceId('b')}/outline`)
  const { body: whole } = await world.get(`/api/v1/executions/${traceId('b')}`)
  expect(body.traces).toEqual([
    {
      traceId: traceId('b'),
      spans: whole.traces![0]!.spans.map((span) => ({
        traceId: span.traceId,
        spanId: span['spanId'],
        parentSpanId: span['parentSpanId'],
        name: span['name'],
        kind: span['kind'],
        serviceName: span['serviceName'],
        startTime: span['startTime'],
        durationNs: span['durationNs'],
        statusCode: span['statusCode'],
        // To a trace that is not of this run.
        links: [],
      })),
    },
  ])
  for (const field of ['flowId', 'flowName', 'status', 'startedAt', 'durationMs', 'services', 'userId', 'truncated']) {
    expect(body[field]).toEqual(whole[field])
  }
  expect((await world.get(`/api/v1/executions/${traceId('nobody')}/outline`)).status).toBe(404)
})

test('the outline of an execution says which spans lead from one of its traces to another', async () => {
  const { body } = await world.get(`/api/v1/executions/${traceId('d2')}/outline`)
  expect(body.traces!.map(({ traceId: id, spans }) => [id, spans.map(({ links }) => links)])).toEqual([
    [traceId('d'), [[]]],
    [traceId('d2'), [[{ traceId: traceId('d'), spanId: spanId('d1') }]]],
  ])
})

test('the outline of an execution that still runs is told, too', async () => {
  expect((await world.get(`/api/v1/executions/${traceId('r')}/outline`)).body).toMatchObject({
    status: 'running',
    traces: [{ spans: [{ name: 'POST /report', links: [] }] }],
  })
})

test('any trace of a run leads to the run', async () => {
  expect((await world.get(`/api/v1/executions/${traceId('d2')}`)).body.flowId).toBe(traceId('d'))
})

test('a span by itself has all that was sent with it, as in its trace', async () => {
  const { body } = await world.get(`/api/v1/traces/${traceId('b')}`)
  for (const span of body.spans) {
    const alone = await world.get(`/api/v1/traces/${traceId('b')}/spans/${String(span['spanId'])}`)
    expect(alone.body).toEqual({ span, truncated: false })
  }
})

test.each([
  ['b', 'none', 404, `There is no span "${spanId('none')}": it never came, or its retention is over`],
  // Its trace is another.
  ['r', 'b1', 404, `There is no span "${spanId('b1')}": it never came, or its retention is over`],
])('of trace %s the span %s is not there', async (trace, span, status, message) => {
  const answer = await world.get(`/api/v1/traces/${traceId(trace)}/spans/${spanId(span)}`)
  expect(answer).toMatchObject({ status, body: { error: { message } } })
})

test('a span ID is 16 hex digits', async () => {
  const { status, body } = await world.get(`/api/v1/traces/${traceId('b')}/spans/b1`)
  expect(status).toBe(400)
  expect(body.error['details']).toEqual([{ field: 'spanId', message: '"b1": use 16 lowercase hex digits' }])
})

test('a trace has all that was sent, with nanoseconds, and a repeated span once', async () => {
  const { body } = await world.get(`/api/v1/traces/${traceId('b')}`)
  expect(body.traceId).toBe(traceId('b'))
  expect(body.spans).toHaveLength(2)
  expect(body.spans[1]).toEqual({
    traceId: traceId('b'),
    spanId: spanId('b2'),
    parentSpanId: spanId('b1'),
    traceState: '',
    name: 'POST /evaluate',
    kind: 'Server',
    serviceName: 'math',
    startTime: iso(secondsAgo(120) + 5).replace('Z', '000000Z'),
    durationNs: 5_000_000,
    statusCode: 'Error',
    statusMessage: 'no',
    spanAttributes: {},
    resourceAttributes: { 'service.name': 'math' },
    scopeName: 'test',
    scopeVersion: '1',
    events: [
      {
        name: 'exception',
        timestamp: iso(secondsAgo(120) + 10).replace('Z', '000000Z'),
        attributes: { 'exception.type': 'TypeError', 'exception.message': 'no' },
      },
    ],
    links: [],
    flowId: traceId('b'),
  })
  expect(body.spans[0]!.links).toEqual([
    { traceId: traceId('a'), spanId: spanId('a1'), traceState: '', attributes: {} },
  ])
})

test('incidents are listed newest first, by state and by time', async () => {
  const ids = async (query: string) => (await world.get(`/api/v1/incidents${query}`)).body.items.map(({ id }) => id)
  expect(await ids('')).toEqual(['i0', 'i1', 'i2'])
  expect(await ids('?state=resolved')).toEqual(['i2'])
  expect(await ids(`?since=${iso(secondsAgo(250))}`)).toEqual(['i0', 'i1'])
  const { body } = await world.get('/api/v1/incidents?limit=2')
  expect(await ids(`?limit=2&cursor=${String(body.nextCursor)}`)).toEqual(['i2'])
})

test('an incident is the document that the analyzer keeps, with what to look at next', async () => {
  const { next, parts, alerts, ...document } = (await world.get('/api/v1/incidents/i0')).body
  expect([parts, alerts]).toEqual([[], []])
  expect(document).toEqual(incident('i0', { openedAt: iso(secondsAgo(100)) }))
  expect(next!.map(({ sentence }) => sentence)).toEqual([
    'What math POST /evaluate throws, and its log.',
    'Runs of POST /report that failed; `headwater explain <flow ID>` follows one to its origin.',
    'Who else depends on math, and may be hit next.',
  ])
})

test.each([`traces/${traceId('none')}`, `executions/${traceId('none')}`, 'incidents/none'])(
  'an unknown one is 404: %s',
  async (path) => {
    const { status, body } = await world.get(`/api/v1/${path}`)
    expect(status).toBe(404)
    expect(body.error).toMatchObject({ code: 'not_found', details: [] })
  },
)

const cursor = (...content: unknown[]) => Buffer.from(JSON.stringify(content)).toString('base64url')

test.each([
  ['changes?service=%00', 'service'],
  ['incidents/%00', 'id'],
  [`incidents?cursor=${cursor('', 'i0')}`, 'cursor'],
  [`executions?cursor=${cursor('', 'a')}`, 'cursor'],
  [`executions?cursor=${cursor('+275760-09-13T00:00:00.000Z', 'a')}`, 'cursor'],
  [`changes?cursor=${cursor('2026-01-01T00:00:00.000Z', '\0')}`, 'cursor'],
  [`services?cursor=${cursor('2026-01-01T00:00:00.000Z', 'shop')}`, 'cursor'],
])('what no engine could be asked is refused at the door: %s', async (path, field) => {
  const { status, body } = await world.get(`/api/v1/${path}`)
  expect(status).toBe(400)
  expect(body.error.details).toMatchObject([{ field }])
})

test('the series behind a number: expected of the time before, seen of the time asked, and each minute between', async () => {
  // Long enough ago that only minutes are kept.
  const at = (minutes: number) => secondsAgo(7_200) + minutes * 60_000
  const calls = Array.from({ length: 10 }, (_, i) =>
    minute({
      at: at(i),
      service: 'eu/bank',
      operation: 'GET /',
      ms: i < 8 ? 10 : 400,
      calls: 100,
      errors: i < 8 ? 1 : 40,
    }),
  )
  await world.insert('chain_health_metrics', calls)
  await keepIncident(
    world,
    incident('in-between', { since: iso(at(2)), state: 'resolved', resolvedAt: iso(at(3)), openedAt: iso(at(2)) }),
  )
  const times = { from: iso(at(8) + 20_000), to: iso(at(9) + 30_000), baselineFrom: iso(at(0)), baselineTo: iso(at(8)) }
  const series = async (over: Record<string, string>) => {
    const asked = { service: 'eu/bank', operation: 'GET /', signal: 'errors', ...times, ...over }
    return (await world.get(`/api/v1/series?${new URLSearchParams(asked).toString()}`)).body
  }
  const errors = await series({})
  expect(errors).toMatchObject({
    service: 'bank',
    unit: 'share',
    from: iso(at(8)),
    to: iso(at(10)),
    expected: 0.01,
    seen: 0.4,
    calls: 200,
    // The minute of an incident, and the one in which it began, are no longer normal.
    baselineCalls: 600,
    excluded: [{ from: iso(at(2) - 10_000), to: iso(at(3)) }],
    windowS: 60,
  })
  expect(errors['windows']!.map(({ bad, seen, expected }) => [bad, seen, expected])).toEqual([
    ...Array.from({ length: 8 }, () => [1, 0.01, 0.01]),
    ...Array.from({ length: 2 }, () => [40, 0.4, 0.01]),
  ])
  const latency = await series({ signal: 'latency', slowNs: '100000000' })
  expect(latency).toMatchObject({ unit: 'ns', calls: 200 })
  expect(Number(latency['expected']) / 1e6).toBeCloseTo(10, 0)
  expect(Number(latency['seen']) / 4e7).toBeCloseTo(10, 0)
  expect(latency['windows']![9]).toMatchObject({ bad: 100, p50: latency['seen'], p99: latency['seen'] })
  expect(await series({ operation: 'GET /other' })).toMatchObject({ expected: null, seen: null, calls: 0, windows: [] })
  const url = '/api/v1/series?service=eu%2Fbank&signal=silence'
  const silence = (await world.get(`${url}&from=${times.from}&to=${times.to}&baselineFrom=${times.baselineFrom}`)).body
  expect(silence).toMatchObject({ unit: 'calls', seen: 200, operation: null })
})

test('an edge is told by who calls: what it got no answer to', async () => {
  const at = secondsAgo(10_800)
  const edge = { service: 'pay', operation: '', caller: 'shop', callerOperation: 'POST /' }
  await world.insert('chain_health_metrics', [
    minute({ at: at - 60_000, ...edge, operation: 'POST /charge', calls: 60, kind: 'sync' }),
    minute({ at: at + 60_000, ...edge, operation: 'POST /charge', calls: 30, kind: 'sync' }),
    minute({ at: at + 60_000, ...edge, calls: 30, errors: 30, kind: 'peer' }),
  ])
  const asked = { service: 'pay', caller: 'shop', callerOperation: 'POST /', signal: 'unanswered' }
  const times = { from: iso(at + 60_000), to: iso(at + 120_000) }
  const path = `/api/v1/series?${new URLSearchParams({ ...asked, ...times }).toString()}`
  expect((await world.get(path)).body).toMatchObject({
    expected: 0,
    seen: 0.5,
    calls: 60,
    operation: null,
    caller: 'shop',
  })
})

test.each([
  [
    'series?service=a&signal=errors&from=2026-01-31T12:00:00Z',
    'to: missing: use RFC 3339, such as 2026-01-31T12:00:00Z',
  ],
  [
    'series?service=a&signal=logs&from=2026-01-31T12:00:00Z&to=2026-01-31T12:01:00Z',
    'signal: "logs": use errors, origin-errors',
  ],
  [
    'series?service=a&signal=errors&from=2026-01-31T12:00:00Z&to=2026-01-31T12:00:00Z',
    'to: "2026-01-31T12:00:00Z" is not after from',
  ],
  [
    'series?service=a&signal=errors&from=2026-01-31T12:00:00Z&to=2026-02-28T12:00:00Z',
    'baselineFrom: more than 8 days lie',
  ],
  [
    'series?service=a&signal=unanswered&from=2026-01-31T12:00:00Z&to=2026-01-31T12:01:00Z',
    'caller: missing: unanswered is of an edge',
  ],
  [
    'series?service=a&signal=errors&caller=b&from=2026-01-31T12:00:00Z&to=2026-01-31T12:01:00Z',
    'callerOperation: goes with caller',
  ],
  [
    'series?service=a&signal=errors&slowNs=1.5&from=2026-01-31T12:00:00Z&to=2026-01-31T12:01:00Z',
    'slowNs: "1.5": use nanoseconds',
  ],
  ['explain?from=2026-01-31T12:00:00Z&to=2026-01-31T11:00:00Z', 'to: "2026-01-31T11:00:00Z" is not after from'],
  [
    'explain?from=2026-01-31T12:00:00Z&to=2026-01-31T18:00:01Z',
    'to: "2026-01-31T18:00:01Z" is more than six hours after from',
  ],
  ['explain?from=2090-01-31T12:00:00Z&to=2090-01-31T13:00:00Z', 'from: "2090-01-31T12:00:00Z" is not in the past'],
  ['explain?from=2026-01-31T12:00:00Z', 'to: missing'],
  [
    'explain?from=2026-01-31T12:00:00Z&to=2026-01-31T13:00:00Z&baselineFrom=2026-01-31T12:00:00Z',
    'baselineFrom: "2026-01-31T12:00:00Z" is not before the end of the baseline',
  ],
])('%s is refused: %s', async (path, expected) => {
  const { status, body } = await world.get(`/api/v1/${path}`)
  expect(status).toBe(400)
  expect(body.error['details']!.map(({ field, message }) => `${String(field)}: ${String(message)}`)).toEqual([
    expect.stringContaining(expected),
  ])
})

test('times of the past are explained one after another; who finds three before them comes again later', async () => {
  const answer = {
    state: 'normal',
    summary: 'Nothing departs from normal.',
    from: iso(0),
    to: iso(60_000),
    baselineFrom: iso(0),
    baselineTo: iso(0),
    baselineMinutes: 0,
    told: null,
    leftOut: { series: 2, logsOfCalls: 3_000 },
  } as const
  const asked: PastQuestion[] = []
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const api = world.serve({
    explainPast: async (question) => {
      asked.push(question)
      await released
      return answer
    },
  })
  const path = '/api/v1/explain?from=2026-01-31T12:00:00Z&to=2026-01-31T12:05:00Z&baselineTo=2026-01-31T11:00:00Z'
  const waiting = [api.request(path), api.request(path), api.request(path)]
  await expect.poll(() => asked.length).toBe(1)
  const refused = await api.request(path)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '15'])
  expect(await refused.json()).toMatchObject({ error: { code: 'busy' } })
  release()
  for (const response of waiting) expect(await (await response).json()).toEqual(answer)
  expect(asked).toHaveLength(3)
  expect(asked[0]).toEqual({
    fromMs: Date.parse('2026-01-31T12:00:00Z'),
    toMs: Date.parse('2026-01-31T12:05:00Z'),
    baselineToMs: Date.parse('2026-01-31T11:00:00Z'),
  })
  const metrics = await (await api.request('/metrics')).text()
  expect(metrics).toContain('headwater_api_explanations_refused_total 1')
  // Of three explanations.
  expect(metrics).toContain('headwater_api_explain_series_left_out_total 6')
  expect(metrics).toContain('headwater_api_explain_logs_left_out_total 9000')
  expect((await api.request(path)).status).toBe(200)
})

test('the state says that incidents are open, and how many calls are known', async () => {
  const { status, body } = await world.get('/api/v1/state')
  expect(status).toBe(200)
  expect(body).toMatchObject({
    state: 'incidents',
    openIncidents: 2,
    summary: '2 incidents are open.',
    settledUpTo: null,
  })
})

test('an incident lists those that have become part of it, and they name it', async () => {
  const ended = { state: 'resolved', resolvedAt: iso(secondsAgo(30)), mergedInto: 'i0' } as const
  await keepIncident(world, incident('part', { ...ended, title: 'search is slow', openedAt: iso(secondsAgo(90)) }))
  expect((await world.get('/api/v1/incidents/i0')).body).toMatchObject({
    mergedInto: null,
    parts: [{ id: 'part', title: 'search is slow', acknowledged: null, comments: 0 }],
  })
  expect((await world.get('/api/v1/incidents/part')).body).toMatchObject({ mergedInto: 'i0', parts: [] })
})

test('an incident tells who was told of it, and whether that arrived', async () => {
  await keepAlert(world, { incident: 'i0', destination: 'oncall', at: secondsAgo(80) })
  await keepAlert(world, {
    incident: 'i0',
    destination: 'oncall',
    number: 2,
    at: secondsAgo(20),
    change: 'updated',
  })
  await keepAlert(world, {
    incident: 'i0',
    destination: 'team',
    at: secondsAgo(70),
    state: 'waiting',
    reason: 'it answered 503',
    attempts: 3,
  })
  await keepAlert(world, { incident: 'part', destination: 'team', at: secondsAgo(60) })
  const { body } = await world.get('/api/v1/incidents/i0')
  const delivered = { state: 'delivered', reason: '', attempts: 1 }
  expect(body['alerts']).toEqual([
    { at: iso(secondsAgo(20)), destination: 'oncall', change: 'updated', ...delivered },
    {
      at: iso(secondsAgo(70)),
      destination: 'team',
      change: 'opened',
      state: 'waiting',
      reason: 'it answered 503',
      attempts: 3,
    },
    { at: iso(secondsAgo(80)), destination: 'oncall', change: 'opened', ...delivered },
  ])
  expect((await world.get('/api/v1/incidents/part')).body['alerts']).toMatchObject([{ destination: 'team' }])
})
