import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectStore, type Store } from './connect.ts'
import { readLogPatterns, spreadStretches } from './log-patterns.ts'
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

const told = async (range: Omit<Parameters<typeof readLogPatterns>[1], 'fromMs' | 'toMs'>) =>
  (await readLogPatterns(store, { fromMs: startMs, toMs: startMs + 120_000, ...range })).patterns
    .map(
      ({ operation, pattern, severity, spans, ofSpans, windowMs }) =>
        `${(windowMs - startMs) / 60_000} ${operation} “${pattern}” ${severity}: ${spans} of ${ofSpans}`,
    )
    .toSorted()

test('lines are told apart by where they are written, else by their text without numbers', async () => {
  expect(await told({})).toEqual([
    '0 charge “Charge took # for order #” 9: 8 of 8',
    '0 charge “Charge:40” 17: 4 of 8',
    '0 charge “” 0: 0 of 8',
    '0 refund “” 0: 0 of 1',
  ])
})

test('window by window, without what is excluded', async () => {
  expect(await told({ windowMs: 60_000 })).toEqual([
    '0 charge “Charge took # for order #” 9: 4 of 4',
    '0 charge “” 0: 0 of 4',
    '1 charge “Charge took # for order #” 9: 4 of 4',
    '1 charge “Charge:40” 17: 4 of 4',
    '1 charge “” 0: 0 of 4',
    '1 refund “” 0: 0 of 1',
  ])
  expect(await told({ excluded: [{ fromMs: startMs + 60_000, toMs: startMs + 120_000 }] })).toEqual([
    '0 charge “Charge took # for order #” 9: 4 of 4',
    '0 charge “” 0: 0 of 4',
  ])
})

test('of what is too much a part is looked at, spans with and without lines alike, and about how much is left out is told', async () => {
  const busyMs = startMs - 3_600_000
  const time = { fromMs: busyMs, toMs: busyMs + 600_000 }
  const secondsOf = (n: number): string => ((busyMs + n * 3_000) / 1_000).toFixed(9)
  const calls = Array.from({ length: 200 }, (_, n) => ({ n, id: `b${n}` }))
  await store.clickhouse.insert({
    table: 'otel_traces',
    format: 'JSONEachRow',
    values: calls.map(({ n, id }) => ({
      Timestamp: secondsOf(n),
      TraceId: `t${id}`,
      SpanId: id,
      SpanName: n % 2 === 0 ? 'says' : 'says nothing',
      ServiceName: 'busy',
    })),
  })
  await store.clickhouse.insert({
    table: 'otel_logs',
    format: 'JSONEachRow',
    values: calls
      .filter(({ n }) => n % 2 === 0)
      .map(({ n, id }) => ({
        Timestamp: secondsOf(n),
        TraceId: `t${id}`,
        SpanId: id,
        ServiceName: 'busy',
        Body: 'done',
      })),
  })
  await store.clickhouse.insert({
    table: 'chain_health_metrics',
    format: 'JSONEachRow',
    values: Array.from({ length: 10 }, (_, minute) => ({
      Window: busyMs / 1_000 + minute * 60,
      Service: 'busy',
      Calls: 20,
    })),
  })
  const ofAll = async (...limits: [{ callsMax: number; recordsMax: number }?]) => {
    const read = await readLogPatterns(store, time, ...limits)
    const counts = read.patterns.map(({ operation, pattern, spans, ofSpans }) => [
      `${operation}${pattern}`,
      { spans, ofSpans },
    ])
    return { ...read, counts: Object.fromEntries(counts) as Record<string, { spans: number; ofSpans: number }> }
  }
  const whole = await ofAll()
  expect(whole).toMatchObject({ calls: 200, callsLeftOut: 0, counts: { 'says done': { spans: 100, ofSpans: 100 } } })
  // Of all spans a quarter, …
  const some = await ofAll({ callsMax: 200, recordsMax: 25 })
  expect(some).toMatchObject({ calls: 200, callsLeftOut: 150 })
  const { spans, ofSpans } = some.counts['says done'] ?? { spans: 0, ofSpans: 0 }
  expect(spans).toBe(ofSpans)
  expect(spans).toBeGreaterThan(10)
  expect(spans).toBeLessThan(45)
  expect(some.counts['says nothing']?.ofSpans).toBeLessThan(45)
  // … and of the time two stretches of two minutes, with all of theirs.
  const short = await ofAll({ callsMax: 80, recordsMax: 100 })
  expect(short).toMatchObject({ callsLeftOut: 120, counts: { 'says done': { spans: 40, ofSpans: 40 } } })
})

test('of a busy time some stretches of whole minutes are looked at, evenly spread over its windows; of a calm one all, as one', () => {
  const hour = { fromMs: 0, toMs: 3_600_000, windowMs: 300_000 }
  const spread = (time: typeof hour, share: number): string[] =>
    spreadStretches(time, share).map(({ fromMs, toMs }) => `${fromMs / 60_000}-${toMs / 60_000}`)
  expect(spread(hour, 1)).toEqual(['0-60'])
  expect(spread(hour, 0.5)).toEqual(['5-10', '15-20', '25-30', '35-40', '45-50', '55-60'])
  // Of five at least, for the sake of their median, parts.
  expect(spread(hour, 0.25)).toEqual(['5-8', '15-18', '30-33', '40-43', '50-53'])
  expect(spread(hour, 0)).toEqual(['5-6', '15-16', '30-31', '40-41', '50-51'])
  // A time that is one window is spread over as well.
  expect(spread({ ...hour, toMs: 600_000, windowMs: 600_000 }, 0.4)).toEqual(['0-2', '5-7'])
})
