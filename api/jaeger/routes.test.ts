// Jaeger's query API as its clients use it. The requests are those that Grafana's Jaeger data source (`pkg/tsdb/jaeger`) and
// Jaeger's UI (`src/api/jaeger.ts`, `SearchForm`) send; only times, names and IDs are of this test.
import { spansMax } from '@headwater/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { iso, minute, nowMs, rawSpan, secondsAgo, spanId, startWorld, traceId, type World } from '../test-world.ts'
import type { JaegerTrace } from './trace.ts'

let world: World
const hostile = '<script>alert(1)</script>\u202Egnp'
const us = (ms: number) => String(ms * 1_000)
const hourAgo = us(secondsAgo(3_600))
const now = us(nowMs)

interface Envelope<Data> {
  data: Data
  total: number
  limit: number
  offset: number
  errors: { code?: number; msg: string; traceID?: string }[] | null
}

async function ask<Data>(path: string, api = world.api): Promise<Envelope<Data> & { status: number }> {
  const response = await api.request(path)
  return { status: response.status, ...((await response.json()) as Envelope<Data>) }
}

const namesIn = (traces: JaegerTrace[]) =>
  traces.map(({ traceID }) => Buffer.from(traceID, 'hex').toString().replace(/\0+$/, ''))
const find = async (query: Record<string, string>) =>
  namesIn(
    (await ask<JaegerTrace[]>(`/api/traces?${new URLSearchParams({ start: hourAgo, end: now, ...query }).toString()}`))
      .data,
  )

beforeAll(async () => {
  world = await startWorld()
  const ok = { trace: 'ok', service: 'gateway' }
  await world.insert('otel_traces', [
    rawSpan({ ...ok, span: 'o1', at: secondsAgo(120), ms: 900, name: 'GET /sum', attributes: { 'user.id': 'ada' } }),
    rawSpan({ ...ok, span: 'o2', parent: 'o1', at: secondsAgo(119), ms: 20, kind: 'Client', name: 'POST' }),
    rawSpan({ ...ok, span: 'o3', parent: 'o2', at: secondsAgo(119), ms: 15, service: 'math', name: 'POST /evaluate' }),
    rawSpan({
      trace: 'bad',
      span: 'b1',
      at: secondsAgo(60),
      ms: 100,
      service: 'math',
      name: 'POST /evaluate',
      failed: true,
      message: hostile,
      attributes: { 'http.response.status_code': '500', 'url.query': 'a:b=c' },
      links: [{ trace: 'ok', span: 'o2' }],
    }),
    rawSpan({ trace: 'old', span: 'x1', at: secondsAgo(30 * 3_600), service: 'math', name: 'POST /old' }),
    rawSpan({
      trace: 'odd',
      span: 'y1',
      at: secondsAgo(50),
      service: 'shop/check:out',
      name: hostile,
      kind: 'Internal',
    }),
    // Sent twice.
    rawSpan({
      trace: 'odd',
      span: 'y1',
      at: secondsAgo(50),
      service: 'shop/check:out',
      name: hostile,
      kind: 'Internal',
    }),
  ])
  const calls = { at: secondsAgo(600), operation: 'POST /evaluate' }
  await world.insert('chain_health_metrics', [
    minute({ ...calls, service: 'math@staging', kind: 'sync', caller: 'gateway@staging', calls: 30 }),
    minute({ ...calls, service: 'math', kind: 'sync', caller: 'gateway', calls: 12 }),
    minute({ ...calls, service: 'pdf', kind: 'async', caller: 'gateway', calls: 5 }),
    minute({ ...calls, service: 'db:5432', kind: 'peer', caller: 'math', calls: 7 }),
    minute({ ...calls, service: 'gateway', kind: 'entry', calls: 99 }),
    minute({ ...calls, at: secondsAgo(3 * 86_400), service: 'gone', kind: 'sync', caller: 'math', calls: 1 }),
  ])
})
afterAll(() => world.stop())

describe("Grafana's data source", () => {
  test('its test of the data source lists services', async () => {
    expect(await ask('/api/services')).toEqual({
      status: 200,
      data: ['gateway', 'math', 'shop/check:out'],
      total: 3,
      limit: 0,
      offset: 0,
      errors: null,
    })
  })

  test('operations of a service, whose slashes it does not encode', async () => {
    expect(await ask('/api/services/math/operations')).toMatchObject({
      data: ['POST /evaluate', 'POST /old'],
      total: 2,
    })
    expect(await ask('/api/services/shop/check:out/operations')).toMatchObject({ data: [hostile] })
    expect(await ask('/api/services/none/operations')).toMatchObject({ status: 200, data: [], total: 0 })
  })

  test('a search: parameters by name, microseconds, tags from logfmt as JSON', async () => {
    const tags = encodeURIComponent('{"error":"true","http.response.status_code":"500"}')
    const { data, status, total, limit } = await ask<JaegerTrace[]>(
      `/api/traces?end=${now}&limit=20&maxDuration=1.2s&minDuration=50ms&operation=POST+%2Fevaluate&service=math&start=${hourAgo}&tags=${tags}`,
    )
    expect([status, total, limit, namesIn(data)]).toEqual([200, 1, 20, ['bad']])
    // It takes the name of a row from the first span and its process.
    expect(data[0]?.processes[data[0]?.spans[0]?.processID ?? '']?.serviceName).toBe('math')
  })

  test('a trace by its ID, with the milliseconds that it adds where so configured', async () => {
    for (const query of ['', `?end=${nowMs}&start=${nowMs - 3_600_000}`]) {
      const { data, errors } = await ask<JaegerTrace[]>(`/api/traces/${traceId('bad')}${query}`)
      expect(errors).toBeNull()
      expect(data).toHaveLength(1)
      expect(data[0]?.spans).toMatchObject([
        {
          spanID: spanId('b1'),
          operationName: 'POST /evaluate',
          startTime: secondsAgo(60) * 1_000,
          duration: 100_000,
          references: [{ refType: 'FOLLOWS_FROM', traceID: traceId('ok'), spanID: spanId('o2') }],
          logs: [{ fields: [{ key: 'event', value: 'exception' }, {}, { key: 'exception.message', value: hostile }] }],
        },
      ])
    }
  })

  test('the graph of dependencies, in milliseconds, or without any time', async () => {
    const day = 86_400_000
    const { data } = await ask(`/api/dependencies?endTs=${nowMs}&lookback=${day}`)
    expect(data).toEqual([
      { parent: 'gateway', child: 'math', callCount: 42 },
      { parent: 'math', child: 'db:5432', callCount: 7 },
      { parent: 'gateway', child: 'pdf', callCount: 5 },
    ])
    expect((await ask('/api/dependencies')).data).toEqual(data)
  })
})

describe("Jaeger's UI", () => {
  test('its form sends all fields, empty ones without a value', async () => {
    const { data } = await ask<JaegerTrace[]>(
      `/api/traces?end=${now}&limit=20&lookback=1h&maxDuration&minDuration&service=gateway&start=${hourAgo}`,
    )
    expect(namesIn(data)).toEqual(['ok'])
    // The whole trace, not the spans that were meant.
    expect(data[0]?.spans.map(({ spanID }) => spanID)).toEqual([spanId('o1'), spanId('o2'), spanId('o3')])
    expect(Object.values(data[0]?.processes ?? {}).map(({ serviceName }) => serviceName)).toEqual(['gateway', 'math'])
  })

  test('operations with their kinds, for its monitor', async () => {
    expect((await ask('/api/operations?service=gateway')).data).toEqual([
      { name: 'GET /sum', spanKind: 'server' },
      { name: 'POST', spanKind: 'client' },
    ])
    expect((await ask('/api/operations?service=gateway&spanKind=server')).data).toEqual([
      { name: 'GET /sum', spanKind: 'server' },
    ])
    expect((await ask('/api/services/gateway/operations')).data).toEqual(['GET /sum', 'POST'])
  })

  test('traces that are compared, by their IDs; one that is missing is told beside the others', async () => {
    const asked = [traceId('bad'), traceId('ok'), 'f0'].map((id) => `traceID=${id}`).join('&')
    const { status, data, errors } = await ask<JaegerTrace[]>(`/api/traces?${asked}`)
    expect([status, namesIn(data)]).toEqual([200, ['bad', 'ok']])
    expect(errors).toEqual([{ msg: 'trace not found', traceID: 'f0'.padStart(32, '0') }])
  })

  test('dependencies of a week', async () => {
    const { data } = await ask<{ child: string }[]>(`/api/dependencies?endTs=${nowMs}&lookback=604800000`)
    expect(data.map(({ child }) => child)).toContain('gone')
    expect(await ask(`/api/dependencies?endTs=${nowMs}&lookback=604800000&service=gone`)).toMatchObject({
      data: [{ parent: 'math', child: 'gone', callCount: 1 }],
    })
  })

  test('an unknown trace is 404, with the text that it shows', async () => {
    expect(await ask(`/api/traces/${traceId('none')}`)).toEqual({
      status: 404,
      data: null,
      total: 0,
      limit: 0,
      offset: 0,
      errors: [{ code: 404, msg: 'trace not found' }],
    })
  })

  test.each(['POST /api/archive/abc', 'GET /api/metrics/latencies', 'POST /api/transform'])(
    'what is not here is refused in the same form: %s',
    async (asked) => {
      const [method = '', path = ''] = asked.split(' ')
      const response = await world.api.request(path, { method })
      expect([response.status, await response.json()]).toMatchObject([404, { data: null, errors: [{ code: 404 }] }])
    },
  )
})

// Requests of `src/api/v3/client.ts` of the UI, older and newer, and of `pkg/tsdb/jaeger/grpc_client.go` of Grafana.
describe("Jaeger's third version", () => {
  const ask3 = async (path: string) => {
    const response = await world.api.request(`/api/v3/${path}`)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const since = encodeURIComponent(iso(secondsAgo(3_600)))
  const until = encodeURIComponent(iso(nowMs))

  test('names of services and operations', async () => {
    expect((await ask3('services')).body).toEqual({ services: ['gateway', 'math', 'shop/check:out'] })
    expect((await ask3('operations?service=gateway')).body).toEqual({
      operations: [
        { name: 'GET /sum', spanKind: 'server' },
        { name: 'POST', spanKind: 'client' },
      ],
    })
    expect((await ask3('operations?service=gateway&span_kind=client')).body).toMatchObject({
      operations: [{ name: 'POST' }],
    })
  })

  test.each([
    `query.serviceName=gateway&query.startTimeMin=${since}&query.startTimeMax=${until}&query.searchDepth=20`,
    `query.service_name=gateway&query.start_time_min=${since}&query.start_time_max=${until}&query.num_traces=20`,
  ])('what was found, summed up: %s', async (query) => {
    const { body } = await ask3(`trace-summaries?${query}&query.durationMin=900ms&query.attributes={"user.id":"ada"}`)
    expect(body).toEqual({
      summaries: [
        {
          traceId: traceId('ok'),
          rootServiceName: 'gateway',
          rootOperationName: 'GET /sum',
          minStartTimeUnixNano: `${secondsAgo(120)}000000`,
          maxEndTimeUnixNano: `${secondsAgo(119) + 20}000000`,
          spanCount: 3,
          errorSpanCount: 0,
          orphanSpanCount: 0,
          services: [
            { name: 'gateway', spanCount: 2, errorSpanCount: 0 },
            { name: 'math', spanCount: 1, errorSpanCount: 0 },
          ],
        },
      ],
    })
  })

  test('as many as asked for, and none where none is meant', async () => {
    const found = async (more: string) =>
      (await ask3(`trace-summaries?query.serviceName=math&query.startTimeMin=${since}${more}`)).body['summaries']
    expect(await found('')).toHaveLength(2)
    expect(await found('&query.searchDepth=1')).toMatchObject([{ traceId: traceId('bad'), errorSpanCount: 1 }])
    expect(await found('&query.attributes={"error":"false"}')).toMatchObject([{ traceId: traceId('ok') }])
    expect(await found('&query.operationName=none')).toEqual([])
  })

  test("a trace is OTLP's JSON", async () => {
    const { body } = await ask3(`traces/${traceId('bad')}?startTime=${since}&endTime=${until}`)
    const startNano = `${secondsAgo(60)}000000`
    expect(body).toMatchObject({
      result: {
        resourceSpans: [
          {
            resource: { attributes: [{ key: 'service.name', value: { stringValue: 'math' } }] },
            scopeSpans: [
              {
                scope: { name: 'test' },
                spans: [
                  {
                    traceId: traceId('bad'),
                    spanId: spanId('b1'),
                    kind: 2,
                    startTimeUnixNano: startNano,
                    endTimeUnixNano: `${secondsAgo(60) + 100}000000`,
                    attributes: [
                      { key: 'http.response.status_code', value: { intValue: '500' } },
                      { key: 'url.query', value: { stringValue: 'a:b=c' } },
                    ],
                    events: [{ name: 'exception' }],
                    links: [{ traceId: traceId('ok'), spanId: spanId('o2') }],
                    status: { code: 2, message: hostile },
                  },
                ],
              },
            ],
          },
        ],
      },
    })
    expect(JSON.stringify(body)).not.toContain('parentSpanId')
  })

  test.each([
    ['trace-summaries', 400, /service: missing/],
    ['trace-summaries?query.serviceName=a&query.searchDepth=0', 400, /query\.searchDepth: "0": use a whole number/],
    ['trace-summaries?query.serviceName=a&query.startTimeMin=1', 400, /query\.startTimeMin: "1": use RFC 3339/],
    ['operations', 400, /service/],
    ['traces/none', 400, /traceId: "none": use 1 to 32 hex digits/],
    [`traces/${traceId('none')}`, 404, /trace not found/],
    ['none', 404, /There is nothing at/],
  ])('%s is refused with %i', async (path, status, message) => {
    expect(await ask3(path)).toEqual({
      status,
      body: { error: { httpCode: status, message: expect.stringMatching(message) } },
    })
  })
})

describe('a search', () => {
  test('finds the newest traces first, and no more than asked for', async () => {
    expect(await find({ service: 'math' })).toEqual(['bad', 'ok'])
    expect(await find({ service: 'math', limit: '1' })).toEqual(['bad'])
    expect(await find({ service: 'math', lookback: '2d', start: '' })).toEqual(['bad', 'ok', 'old'])
  })

  test.each([
    [{ service: 'gateway', minDuration: '900ms' }, ['ok']],
    [{ service: 'gateway', minDuration: '901ms' }, []],
    [{ service: 'math', maxDuration: '15ms' }, ['ok']],
    [{ service: 'math', maxDuration: '14.999999ms' }, []],
    [{ service: 'math', minDuration: '0.0001h' }, []],
    [{ service: 'gateway', operation: 'POST' }, ['ok']],
    [{ service: 'math', tags: '{"error":"true"}' }, ['bad']],
    [{ service: 'math', tags: '{"error":false}' }, ['ok']],
    [{ service: 'math', tag: 'error:true' }, ['bad']],
    [{ service: 'math', tag: 'url.query:a:b=c' }, ['bad']],
    [{ service: 'gateway', tags: '{"span.kind":"client"}' }, ['ok']],
    [{ service: 'gateway', tags: '{"span.kind":"consumer"}' }, []],
    [{ service: 'math', tags: '{"otel.status_code":"ERROR"}' }, ['bad']],
    [{ service: 'math', tags: '{"otel.scope.name":"test","service.name":"math"}' }, ['bad', 'ok']],
    [{ service: 'gateway', tags: '{"user.id":"ada"}' }, ['ok']],
    [{ service: 'gateway', tags: '{"user.id":"bob"}' }, []],
  ] as [Record<string, string>, string[]][])('%j finds %j', async (query, found) => {
    expect(await find(query)).toEqual(found)
  })

  test.each([
    ['/api/traces', /service: missing/],
    ['/api/traces?service=a&limit=1501', /limit: "1501": use a whole number from 1 to 1500/],
    ['/api/traces?service=a&limit=0', /limit/],
    ['/api/traces?service=a&start=yesterday', /start: "yesterday": use microseconds since 1970/],
    [`/api/traces?service=a&start=${now}&end=${hourAgo}`, /start: \d+ is after end/],
    ['/api/traces?service=a&lookback=1y', /lookback: "1y"/],
    ['/api/traces?service=a&minDuration=fast', /minDuration: "fast": use a number and its unit/],
    ['/api/traces?service=a&minDuration=2s&maxDuration=1s', /maxDuration: is less than minDuration/],
    ['/api/traces?service=a&tags=error', /tags/],
    ['/api/traces?service=a&tags={"a":{"b":1}}', /tags/],
    [`/api/traces?service=a${'&tag=a:b'.repeat(9)}`, /tags: 9 tags: ask for at most 8/],
    ['/api/traces?service=a&tag=a', /tag/],
    ['/api/traces?service=a%00', /service.*U\+0000/],
    ['/api/traces?traceID=xyz', /traceID/],
    ['/api/traces/xyz', /traceID: "xyz": use 1 to 32 hex digits/],
    ['/api/operations', /service/],
    ['/api/operations?service=a&spanKind=x', /spanKind.*use server, client/],
    ['/api/dependencies?endTs=now', /endTs/],
    [`/api/dependencies?lookback=${32 * 86_400_000}`, /lookback: \d+: use at most 31 days/],
  ])('%s is refused with the field, its value and the mend', async (path, message) => {
    const { status, data, errors } = await ask(path)
    expect([status, data]).toEqual([400, null])
    expect(errors).toEqual([{ code: 400, msg: expect.stringMatching(message) }])
  })

  test('names and lists that are too long are refused', async () => {
    const told = async (path: string) => (await ask(path)).errors?.[0]?.msg
    expect(await told(`/api/traces?service=${'a'.repeat(501)}`)).toContain('use at most 500 characters')
    expect(await told(`/api/services/${'a/'.repeat(300)}operations`)).toContain('use a name of 1 to 500')
    expect(await told(`/api/traces?${'traceID=1&'.repeat(101)}`)).toContain('name at most 100 traces')
  })

  test('the text of a name, a tag or an exception stays text', async () => {
    const response = await world.api.request(`/api/traces?service=shop/check:out&start=${hourAgo}`)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    const { data } = (await response.json()) as Envelope<JaegerTrace[]>
    expect(data.map(({ spans }) => spans.map(({ operationName }) => operationName))).toEqual([[hostile]])
    const injected = await find({ service: "math' OR 1=1 --", tags: `{"a') OR ('1'='1":"x"}` })
    expect(injected).toEqual([])
  })

  test('whole traces, as many as have room; those left out are told and counted, and one alone is cut', async () => {
    const big = (trace: string, spans: number, at: number) =>
      Array.from({ length: spans }, (_, i) =>
        rawSpan({
          trace,
          span: `${trace.slice(0, 1)}${i}`,
          at: at + i,
          service: 'big',
          name: 'step',
          kind: 'Internal',
        }),
      )
    await world.insert('otel_traces', big('huge', spansMax + 1, secondsAgo(1_000)))
    await world.insert('otel_traces', big('other', spansMax / 2 + 1, secondsAgo(900)))
    await world.insert('otel_traces', big('rest', spansMax / 2, secondsAgo(800)))
    const api = world.serve()
    const query = `/api/traces?service=big&start=${hourAgo}&end=${now}`
    const { data, total, errors } = await ask<JaegerTrace[]>(query, api)
    expect([namesIn(data), total, errors]).toEqual([['rest'], 3, null])
    expect(data[0]?.spans).toHaveLength(spansMax / 2)
    const asked = await ask(`/api/traces?traceID=${traceId('rest')}&traceID=${traceId('other')}`, api)
    expect(asked.errors).toEqual([{ msg: expect.stringContaining('ask for it alone'), traceID: traceId('other') }])
    expect(await (await api.request('/metrics')).text()).toContain('headwater_jaeger_traces_left_out_total 3')
    const alone = await ask<JaegerTrace[]>(`/api/traces/${traceId('huge')}`, api)
    expect(alone.data[0]?.spans).toHaveLength(spansMax)
    expect(alone.data[0]?.warnings).toEqual([expect.stringContaining(`at most ${spansMax} spans`)])
  })
})

describe('access', () => {
  test("the token is asked for, as a header that Grafana's data sources can be given", async () => {
    const api = world.serve({ settings: { host: '0.0.0.0', token: 'right' } })
    expect(await ask('/api/services', api)).toMatchObject({
      status: 401,
      data: null,
      errors: [{ code: 401, msg: expect.stringContaining('The token is missing') }],
    })
    const headers = { authorization: 'Bearer right' }
    expect((await api.request('/api/services', { headers })).status).toBe(200)
    expect((await api.request(`/api/traces/${traceId('ok')}`, { headers })).status).toBe(200)
  })

  test('names of other machines are refused in the same form', async () => {
    const response = await world.api.request('/api/services', { headers: { host: 'evil.example' } })
    expect([response.status, await response.json()]).toMatchObject([403, { data: null, errors: [{ code: 403 }] }])
  })

  test("our own API keeps its form, and Jaeger's its own, also for what is neither", async () => {
    expect(await (await world.api.request('/api/v1/none')).json()).toHaveProperty('error')
    expect(await (await world.api.request('/api/none')).json()).toHaveProperty('errors')
  })
})
