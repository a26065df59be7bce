import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectStore, type Store } from './connect.ts'
import { migrateClickHouse } from './migrate.ts'
import { type SettleRules, settleTick } from './settle.ts'

const rules: SettleRules = { quietMs: 5_000, openMs: 30_000, closeAfterS: 30 }
const startS = Math.floor(Date.now() / 1_000) - 600

let engines: TestEngines
let store: Store

beforeAll(async () => {
  engines = await startTestEngines()
  store = connectStore(engines)
  await migrateClickHouse(engines.clickhouseUrl)
})

afterAll(async () => {
  await store.close()
  await engines.stop()
})

beforeEach(async () => {
  for (const table of ['otel_traces', 'otel_logs', 'settled_spans', 'chain_dependency_events']) {
    await store.clickhouse.command({ query: `TRUNCATE TABLE ${table}` })
  }
})

type Attributes = Record<string, string>

/** A span that fails with the message "500"; times in seconds from the start of the story. */
interface TestSpan {
  id?: string
  failed?: boolean
  attributes?: Attributes
  exception?: Attributes
  sentAt?: number
}

/** A log record of span 1, at the second 0 unless said. */
interface TestLog {
  trace?: string
  span?: string
  at?: number
  sentAt?: number
  attributes: Attributes
}

async function receive({ id = '1', failed = true, attributes = {}, exception, sentAt = 1 }: TestSpan): Promise<void> {
  await store.clickhouse.insert({
    table: 'otel_traces',
    format: 'JSONEachRow',
    values: [
      {
        Timestamp: startS.toFixed(9),
        TraceId: 'a1',
        SpanId: id,
        SpanName: 'GET /',
        SpanKind: 'Server',
        ServiceName: 'math',
        SpanAttributes: attributes,
        Duration: 1_000_000,
        StatusCode: failed ? 'Error' : 'Unset',
        StatusMessage: failed ? '500' : '',
        'Events.Timestamp': exception === undefined ? [] : [startS.toFixed(9)],
        'Events.Name': exception === undefined ? [] : ['exception'],
        'Events.Attributes': exception === undefined ? [] : [exception],
        ReceivedAt: (startS + sentAt).toFixed(3),
      },
    ],
  })
}

async function receiveLogs(...logs: TestLog[]): Promise<void> {
  await store.clickhouse.insert({
    table: 'otel_logs',
    format: 'JSONEachRow',
    values: logs.map(({ trace = 'a1', span = '1', at = 0, sentAt = 1, attributes }) => ({
      Timestamp: (startS + at).toFixed(9),
      TraceId: trace,
      SpanId: span,
      ServiceName: 'math',
      LogAttributes: attributes,
      ReceivedAt: (startS + sentAt).toFixed(3),
    })),
  })
}

let ticks = 0

async function settle(fromS: number, toS: number): Promise<void> {
  ticks += 1
  await settleTick(store, { tick: ticks, fromMs: (startS + fromS) * 1_000, toMs: (startS + toS) * 1_000 }, rules)
}

async function errors(): Promise<{ failed: number; type: string; message: string }[]> {
  const answer = await store.clickhouse.query({
    query: `SELECT Failed AS failed, ErrorType AS type, Message AS message FROM chain_dependency_events FINAL ORDER BY SpanId`,
    format: 'JSONEachRow',
  })
  return await answer.json()
}

const thrown = { 'exception.type': 'TypeError', 'exception.message': 'x is undefined' }
const other = { 'exception.type': 'RangeError', 'exception.message': 'too deep' }

const cases: { fact: string; span: TestSpan; logs: TestLog[]; type: string; message: string }[] = [
  {
    fact: 'a span without an exception has the one that was logged with it',
    span: {},
    logs: [{ attributes: thrown }],
    type: 'TypeError',
    message: 'x is undefined',
  },
  {
    fact: 'an exception that came with its span is the one that counts',
    span: { exception: other },
    logs: [{ attributes: thrown }],
    type: 'RangeError',
    message: 'too deep',
  },
  {
    fact: 'of several logged exceptions the earliest counts, however often it comes',
    span: {},
    logs: [
      { at: 0.2, attributes: other },
      { at: 0.1, attributes: thrown },
      { at: 0.1, attributes: thrown },
    ],
    type: 'TypeError',
    message: 'x is undefined',
  },
  {
    fact: 'error.type of a span stays, and its log says what happened',
    span: { attributes: { 'error.type': '500' } },
    logs: [{ attributes: thrown }],
    type: '500',
    message: 'x is undefined',
  },
  {
    fact: 'a logged exception may have a type only',
    span: {},
    logs: [{ attributes: { 'exception.type': 'TypeError' } }],
    type: 'TypeError',
    message: '500',
  },
  {
    fact: 'a long message is cut',
    span: {},
    logs: [{ attributes: { 'exception.type': 'E', 'exception.message': 'é'.repeat(600) } }],
    type: 'E',
    message: 'é'.repeat(500),
  },
  {
    fact: 'logs of other spans, and logs that tell of no exception, change nothing',
    span: {},
    logs: [
      { span: '2', attributes: thrown },
      { trace: 'b1', attributes: thrown },
      { trace: '', span: '', attributes: thrown },
      { attributes: { 'code.function.name': 'f' } },
    ],
    type: '',
    message: '500',
  },
]

test.each(cases)('$fact', async ({ span, logs, type, message }) => {
  await receive(span)
  await receiveLogs(...logs)
  await settle(0, 10)
  expect(await errors()).toEqual([{ failed: 1, type, message }])
})

test('a logged exception makes no span fail: it may have been handled', async () => {
  await receive({ failed: false })
  await receiveLogs({ attributes: thrown })
  await settle(0, 10)
  expect((await errors()).map(({ failed }) => failed)).toEqual([0])
})

test('a log that comes after its trace was settled is found when the trace is settled again', async () => {
  await receive({})
  await settle(0, 10)
  await receiveLogs({ sentAt: 12, attributes: thrown })
  await settle(10, 20)
  expect(await errors()).toEqual([{ failed: 1, type: '', message: '500' }])
  await receive({ id: '2', sentAt: 22 })
  await settle(20, 30)
  expect(await errors()).toEqual([
    { failed: 1, type: 'TypeError', message: 'x is undefined' },
    { failed: 1, type: '', message: '500' },
  ])
})

test('a trace that goes on for long keeps what was logged at its beginning', async () => {
  await receive({})
  await receiveLogs({ attributes: thrown })
  await settle(0, 10)
  for (const [from, to] of [
    [200, 210],
    [400, 410],
  ] as const) {
    await receive({ id: String(from), failed: false, sentAt: from + 2 })
    await settle(from, to)
    expect((await errors())[0]).toEqual({ failed: 1, type: 'TypeError', message: 'x is undefined' })
  }
})

test('a log that comes after the boundary of a tick is not in it', async () => {
  await receive({})
  await receiveLogs({ sentAt: 10.5, attributes: thrown })
  await settle(0, 10)
  expect(await errors()).toEqual([{ failed: 1, type: '', message: '500' }])
})
