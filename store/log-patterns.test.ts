import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectStore, type Store } from './connect.ts'
import { type LogPattern, readLogPatterns } from './log-patterns.ts'
import { migrateClickHouse } from './migrate.ts'

const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 600_000

let engines: TestEngines
let store: Store

beforeAll(async () => {
  engines = await startTestEngines()
  store = connectStore(engines)
  await migrateClickHouse(engines.clickhouseUrl)
  // Four charges a minute, of which those of the second minute log what they should not, and a refund that says nothing.
  const spans = [0, 1].flatMap((minute) => [1, 2, 3, 4].map((n) => ({ minute, id: `${minute}${n}`, name: 'charge' })))
  await store.clickhouse.insert({
    table: 'otel_traces',
    format: 'JSONEachRow',
    values: [...spans, { minute: 1, id: 'r', name: 'refund' }].map(({ minute, id, name }) => ({
      Timestamp: at(minute),
      TraceId: `t${id}`,
      SpanId: `s${id}`,
      SpanName: name,
      ServiceName: 'payments',
    })),
  })
  const line = (id: string, minute: number, Body: string, SeverityNumber: number, code?: string) => ({
    Timestamp: at(minute),
    TraceId: `t${id}`,
    SpanId: `s${id}`,
    ServiceName: 'payments',
    ScopeName: 'Charge',
    Body,
    SeverityNumber,
    LogAttributes: code === undefined ? {} : { 'code.line.number': code },
  })
  await store.clickhouse.insert({
    table: 'otel_logs',
    format: 'JSONEachRow',
    values: [
      // A span that says the same twice says it once; numbers and ids do not make a line another one.
      ...spans.flatMap(({ id, minute }) => [
        line(id, minute, `took ${id} for order 4be1f2-99${id}`, 9),
        line(id, minute, `took ${id} for order 77${id}`, 9),
      ]),
      ...spans.filter(({ minute }) => minute === 1).map(({ id }) => line(id, 1, `no ${id}`, 17, '40')),
      line('unknown', 1, 'of a span that is not there', 9),
    ],
  })
})

afterAll(async () => {
  await store.close()
  await engines.stop()
})

function at(minute: number): string {
  return ((startMs + minute * 60_000 + 5_000) / 1_000).toFixed(9)
}

const minutes = { fromMs: startMs, toMs: startMs + 120_000 }

function told(patterns: readonly LogPattern[]): string[] {
  return patterns
    .map(
      ({ operation, pattern, severity, spans, ofSpans, windowMs }) =>
        `${(windowMs - startMs) / 60_000} ${operation} “${pattern}” ${severity}: ${spans} of ${ofSpans}`,
    )
    .toSorted()
}

test('lines are told apart by where they are written, else by their text without numbers', async () => {
  const { recent } = await readLogPatterns(store, { recent: minutes, usual: { ...minutes, windowMs: 60_000 } })
  expect(told(recent)).toEqual([
    '0 charge “Charge took # for order #” 9: 8 of 8',
    '0 charge “Charge:40” 17: 4 of 8',
    '0 charge “” 0: 0 of 8',
    '0 refund “” 0: 0 of 1',
  ])
})

test('what is usual is told window by window, without what is excluded', async () => {
  const { usual } = await readLogPatterns(store, { recent: minutes, usual: { ...minutes, windowMs: 60_000 } })
  expect(told(usual)).toEqual([
    '0 charge “Charge took # for order #” 9: 4 of 4',
    '0 charge “” 0: 0 of 4',
    '1 charge “Charge took # for order #” 9: 4 of 4',
    '1 charge “Charge:40” 17: 4 of 4',
    '1 charge “” 0: 0 of 4',
    '1 refund “” 0: 0 of 1',
  ])
  const excluded = [{ fromMs: startMs + 60_000, toMs: startMs + 120_000 }]
  const one = await readLogPatterns(store, { recent: minutes, usual: { ...minutes, windowMs: 120_000, excluded } })
  expect(told(one.usual)).toEqual(['0 charge “Charge took # for order #” 9: 4 of 4', '0 charge “” 0: 0 of 4'])
})

test('of what is too much a part is looked at, spans with and without lines alike, and about how much is left out is told', async () => {
  const busyMs = startMs - 3_600_000
  const [usual, recent] = [0, 10].map((minute) => ({
    fromMs: busyMs + minute * 60_000,
    toMs: busyMs + (minute + 10) * 60_000,
  }))
  if (usual === undefined || recent === undefined) throw new Error('Two times')
  // Two services make a call each three seconds, of which every other logs a line; in the second ten minutes one logs another line, too.
  const calls = ['calm', 'changed'].flatMap((service) =>
    Array.from({ length: 400 }, (_, n) => ({ service, n, id: `${service}${n}`, ms: busyMs + n * 3_000 })),
  )
  const rowOf = ({ service, id, ms }: (typeof calls)[number]) => ({
    Timestamp: (ms / 1_000).toFixed(9),
    TraceId: `t${id}`,
    SpanId: id,
    ServiceName: service,
  })
  await store.clickhouse.insert({
    table: 'otel_traces',
    format: 'JSONEachRow',
    values: calls.map((call) => ({ ...rowOf(call), SpanName: call.n % 2 === 0 ? 'says' : 'says nothing' })),
  })
  await store.clickhouse.insert({
    table: 'otel_logs',
    format: 'JSONEachRow',
    values: [
      ...calls.filter(({ n }) => n % 2 === 0).map((call) => ({ ...rowOf(call), Body: 'done' })),
      ...calls
        .filter(({ n, ms, service }) => n % 2 === 0 && ms >= recent.fromMs && service === 'changed')
        .map((call) => ({ ...rowOf(call), Body: 'oops' })),
    ],
  })
  await store.clickhouse.insert({
    table: 'chain_health_metrics',
    format: 'JSONEachRow',
    values: ['calm', 'changed'].flatMap((Service) =>
      Array.from({ length: 20 }, (_, minute) => ({
        Window: busyMs / 1_000 + minute * 60,
        Service,
        Kind: 'entry',
        Calls: 20,
      })),
    ),
  })
  const whole = {
    timeCallsMax: 1_000,
    callsMax: 1_000,
    servicesMin: 1,
    recordsMax: 1_000,
    screenedCallsMax: 1_000,
    screenedMax: 1_000,
  }
  const read = async (limits: Partial<typeof whole>) => {
    const patterns = await readLogPatterns(
      store,
      { recent, usual: { ...usual, windowMs: 300_000 } },
      { ...whole, ...limits },
    )
    const { calls: ofCalls, callsLeftOut } = patterns
    const lines = patterns.recent.map(
      ({ service, operation, pattern, spans, ofSpans }) =>
        [`${service} ${operation}${pattern}`, [spans, ofSpans]] as const,
    )
    return { ofCalls, callsLeftOut, lines: Object.fromEntries(lines) }
  }
  expect(await read({})).toEqual({
    ofCalls: 800,
    callsLeftOut: 0,
    lines: {
      'calm says': [0, 100],
      'calm says done': [100, 100],
      'calm says nothing': [0, 100],
      'changed says': [0, 100],
      'changed says done': [100, 100],
      'changed says oops': [100, 100],
      'changed says nothing': [0, 100],
    },
  })
  // Of two services the one whose log has changed, …
  const one = await read({ callsMax: 780, screenedCallsMax: 160, screenedMax: 50 })
  expect(one).toMatchObject({ callsLeftOut: 400, lines: { 'changed says oops': [100, 100] } })
  expect(Object.keys(one.lines).filter((line) => line.startsWith('calm'))).toEqual([])
  // (and others, too, where that one must leave them room) …
  expect(await read({ callsMax: 780, servicesMin: 4 })).toMatchObject({ callsLeftOut: 0 })
  // … of all spans a part: a third of the recent ones, which logged three hundred lines, and half of the others, …
  const some = await read({ recordsMax: 100 })
  expect(some.callsLeftOut).toBe(467)
  const [spans = 0, ofSpans = 0] = some.lines['changed says oops'] ?? []
  expect(spans).toBe(ofSpans)
  expect(spans).toBeGreaterThan(10)
  expect(spans).toBeLessThan(60)
  // … and of each time two stretches of two minutes.
  expect(await read({ timeCallsMax: 160 })).toMatchObject({
    callsLeftOut: 480,
    lines: { 'changed says oops': [40, 40], 'calm says nothing': [0, 40] },
  })
})
