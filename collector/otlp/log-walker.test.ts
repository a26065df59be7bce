import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { connectStore, insertBlocks, LogBlock, migrateClickHouse, type Store } from '@headwater/store'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createRedaction, type Redaction } from '../redaction/redaction.ts'
import { acceptedWindow } from './accepted-window.ts'
import { LogWalker } from './log-walker.ts'
import { exportLogsRequest } from './reference/schema.ts'
import type { Walked, WalkLimits } from './walk.ts'
import { TooLarge } from './too-large.ts'
import { WireError } from './wire.ts'

const nowMs = Math.floor(Date.now() / 1_000) * 1_000
const nowNs = BigInt(nowMs) * 1_000_000n
const hourNs = 3_600_000_000_000n
const window = acceptedWindow({ nowMs, retentionDays: 30 })
const limits: WalkLimits = { recordsMax: 200_000, columnBytesMax: 1 << 30, repeatedBytesMax: 64 << 20 }
const keepAll = createRedaction({ defaults: false, attributes: [], patterns: [] }, { hashKey: undefined })
const traceId = Buffer.from('0123456789abcdef0123456789abcdef', 'hex')
const spanId = Buffer.from('0123456789abcdef', 'hex')

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
  await store.clickhouse.command({ query: 'TRUNCATE TABLE otel_logs' })
})

type Message = Record<string, unknown>

/** A 64-bit number as protobufjs writes it exactly. */
function long(value: bigint): { low: number; high: number } {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)) }
}

function encode(request: Message): Uint8Array {
  return exportLogsRequest.encode(request).finish()
}

/** A request of one resource and scope. */
function requestOf(...logRecords: Message[]): Uint8Array {
  return encode({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })
}

const atNow: Message = { timeUnixNano: long(nowNs) }

function attribute(key: string, value: Message): Message {
  return { key, value }
}

class Walk {
  readonly block = new LogBlock()
  readonly #walker: LogWalker

  constructor(redaction: Redaction = keepAll, over: Partial<WalkLimits> = {}) {
    this.#walker = new LogWalker(this.block, redaction, { ...limits, ...over })
  }

  take(body: Uint8Array): Walked {
    return this.#walker.walk(body, window, nowNs)
  }

  async store(): Promise<void> {
    const columns = this.block.block.columns.map(({ name }) => name)
    const token = crypto.randomUUID()
    const blocks = [this.block.seal()]
    const inserted = await insertBlocks(store, { table: 'otel_logs', columns, blocks, token, timeoutMs: 30_000 })
    if (inserted.kind !== 'stored') throw new Error('Cannot store the block', { cause: inserted.cause })
  }
}

type Row = Record<string, string | number | Record<string, string>>

/** Rows in the order in which they came, which the severity's text or the attribute `row` tells. */
async function stored(): Promise<Row[]> {
  const answer = await store.clickhouse.query({
    query: `
      SELECT * REPLACE (
        toString(toUnixTimestamp64Nano(Timestamp)) AS Timestamp,
        toString(toUnixTimestamp64Nano(ObservedTimestamp)) AS ObservedTimestamp), FlowId
      FROM otel_logs
      ORDER BY toUInt32OrZero(LogAttributes['row']), SeverityText`,
    format: 'JSONEachRow',
  })
  return await answer.json<Row>()
}

async function storedFrom(body: Uint8Array, redaction?: Redaction): Promise<Row[]> {
  const walk = new Walk(redaction)
  walk.take(body)
  await walk.store()
  return await stored()
}

test('every field of a record, its scope and its resource has a place', async () => {
  const body = encode({
    resourceLogs: [
      {
        resource: {
          attributes: [
            attribute('service.name', { stringValue: 'checkout' }),
            attribute('service.namespace', { stringValue: 'shop' }),
            attribute('deployment.environment.name', { stringValue: 'staging' }),
            attribute('service.version', { stringValue: '7' }),
            attribute('service.instance.id', { stringValue: 'c-1' }),
          ],
          droppedAttributesCount: 3,
        },
        schemaUrl: 'https://opentelemetry.io/schemas/1.44.0',
        scopeLogs: [
          {
            scope: {
              name: 'pino',
              version: '9.1',
              attributes: [attribute('scope', { boolValue: true })],
              droppedAttributesCount: 4,
            },
            schemaUrl: 'https://opentelemetry.io/schemas/1.43.0',
            logRecords: [
              {
                timeUnixNano: long(nowNs - 1n),
                observedTimeUnixNano: long(nowNs + 1n),
                severityNumber: 17,
                severityText: 'ERROR',
                body: { stringValue: 'cannot pay' },
                attributes: [attribute('exception.type', { stringValue: 'TypeError' })],
                droppedAttributesCount: 5,
                flags: 0x0301,
                traceId,
                spanId,
                eventName: 'payment.failed',
              },
            ],
          },
        ],
      },
    ],
  })
  expect(await storedFrom(body)).toMatchObject([
    {
      Timestamp: String(nowNs - 1n),
      ObservedTimestamp: String(nowNs + 1n),
      TraceId: traceId.toString('hex'),
      SpanId: spanId.toString('hex'),
      TraceFlags: 1,
      Flags: 0x0301,
      SeverityText: 'ERROR',
      SeverityNumber: 17,
      Body: 'cannot pay',
      EventName: 'payment.failed',
      LogAttributes: { 'exception.type': 'TypeError' },
      DroppedAttributes: 5,
      ServiceName: 'checkout',
      Service: 'shop/checkout@staging',
      Namespace: 'shop',
      Environment: 'staging',
      Version: '7',
      Instance: 'c-1',
      ResourceSchemaUrl: 'https://opentelemetry.io/schemas/1.44.0',
      ResourceDroppedAttributes: 3,
      ScopeName: 'pino',
      ScopeVersion: '9.1',
      ScopeSchemaUrl: 'https://opentelemetry.io/schemas/1.43.0',
      ScopeAttributes: { scope: 'true' },
      ScopeDroppedAttributes: 4,
      FlowId: traceId.toString('hex'),
    },
  ])
})

test.each([
  { what: 'its own', time: nowNs - hourNs, observed: nowNs, expected: nowNs - hourNs },
  { what: 'that of its observation', time: 0n, observed: nowNs - hourNs, expected: nowNs - hourNs },
  { what: 'that of its arrival', time: 0n, observed: 0n, expected: nowNs },
])('the time of a record is $what', async ({ time, observed, expected }) => {
  const record = { timeUnixNano: long(time), observedTimeUnixNano: long(observed) }
  expect(await storedFrom(requestOf(record))).toMatchObject([
    { Timestamp: String(expected), ObservedTimestamp: String(observed) },
  ])
})

test('a record without trace context is kept, and one with identities of zeros has none', async () => {
  const zeros = { severityText: 'b', traceId: new Uint8Array(16), spanId: new Uint8Array(8) }
  expect(await storedFrom(requestOf({ ...atNow, severityText: 'a' }, { ...atNow, ...zeros }))).toMatchObject([
    { TraceId: '', SpanId: '', FlowId: '', ServiceName: 'unknown_service' },
    { TraceId: '', SpanId: '', FlowId: '', ServiceName: 'unknown_service' },
  ])
})

test('of an id of a wrong length nothing is taken, and the record is kept', async () => {
  const wrong = { ...atNow, traceId: Buffer.from('abcd', 'hex'), spanId: traceId }
  expect(await storedFrom(requestOf(wrong))).toMatchObject([{ TraceId: '', SpanId: '' }])
})

test('the flow of a record is its attribute where that names one, else its trace', async () => {
  const flow = 'd'.repeat(32)
  const texts = [flow, '0'.repeat(32), flow.toUpperCase(), `${flow}d`, '']
  const records = texts.map((stringValue, row) => ({
    ...atNow,
    severityText: String(row),
    traceId,
    attributes: [attribute('flow.id', { stringValue })],
  }))
  const trace = traceId.toString('hex')
  expect((await storedFrom(requestOf(...records))).map(({ FlowId }) => FlowId)).toEqual([
    flow,
    trace,
    trace,
    trace,
    trace,
  ])
})

describe('a record that cannot be kept is rejected alone', () => {
  const cases: { reason: string; record: Message; message: string }[] = [
    {
      reason: 'outside_window',
      record: { timeUnixNano: long(nowNs - 31n * 24n * hourNs) },
      message: `time_unix_nano ${nowNs - 31n * 24n * hourNs} is before`,
    },
    {
      reason: 'outside_window',
      record: { observedTimeUnixNano: long(nowNs + 25n * hourNs) },
      message: `observed_time_unix_nano ${nowNs + 25n * hourNs} is after`,
    },
    {
      reason: 'outside_window',
      record: { timeUnixNano: long(2n ** 64n - 1n) },
      message: `time_unix_nano ${2n ** 64n - 1n} is after`,
    },
    {
      reason: 'log_time',
      record: { ...atNow, observedTimeUnixNano: long(2n ** 63n) },
      message: `observed_time_unix_nano ${2n ** 63n} is beyond ${2n ** 63n - 1n}`,
    },
  ]
  test.each(cases)('$reason: $message', ({ reason, record, message }) => {
    const walk = new Walk()
    const { records, rejections } = walk.take(requestOf(atNow, record, atNow))
    expect(records).toBe(3)
    expect(walk.block.block.rows).toBe(2)
    expect([...rejections.counts]).toEqual([[reason, 1]])
    expect(rejections.describe(records, 'log records')).toContain(message)
    expect(rejections.describe(records, 'log records')).toContain('(1 of 3 log records)')
  })
})

test('severity numbers are kept as they are, but those beyond a byte are not set', async () => {
  const numbers = [0, 1, 24, 25, 255, 256, -1]
  const records = numbers.map((severityNumber, row) => ({ ...atNow, severityText: String(row), severityNumber }))
  const rows = await storedFrom(requestOf(...records))
  expect(rows.map(({ SeverityNumber }) => SeverityNumber)).toEqual([0, 1, 24, 25, 255, 0, 0])
})

test('wrong bytes in any text become U+FFFD', async () => {
  const body = requestOf({ ...atNow, severityText: 'AA', body: { stringValue: 'BB' }, eventName: 'CC' })
  for (const letter of 'ABC') {
    const place = Buffer.from(body).indexOf(letter + letter)
    body[place] = 0xff
  }
  expect(await storedFrom(body)).toMatchObject([
    { SeverityText: '\u{fffd}A', Body: '\u{fffd}B', EventName: '\u{fffd}C' },
  ])
})

test('what is secret is not stored, wherever it is', async () => {
  const redaction = createRedaction(
    { defaults: true, attributes: [], patterns: [{ pattern: /PO-[0-9]+/g, literal: 'PO-', action: 'drop' }] },
    { hashKey: undefined },
  )
  const record = {
    ...atNow,
    severityText: 'card 4111 1111 1111 1111',
    attributes: [attribute('authorization', { stringValue: 'Bearer 123' })],
  }
  const withBody = (body: Message, row: number): Message => ({
    ...record,
    body,
    eventName: 'order PO-17',
    attributes: [...record.attributes, attribute('row', { intValue: row })],
  })
  const rows = await storedFrom(
    requestOf(
      withBody({ stringValue: 'GET /?password=hunter2' }, 0),
      withBody({ kvlistValue: { values: [attribute('password', { stringValue: 'hunter2' })] } }, 1),
      withBody({ stringValue: 'ordered PO-17' }, 2),
      withBody({ arrayValue: { values: [{ stringValue: 'PO-17' }, { stringValue: 'fine' }] } }, 3),
    ),
    redaction,
  )
  const text = JSON.stringify(rows)
  for (const secret of ['hunter2', 'Bearer', '1111 1111', 'PO-17']) expect(text).not.toContain(secret)
  expect(rows.map(({ Body }) => Body)).toMatchObject([
    expect.stringContaining('GET /?password='),
    expect.stringContaining('{"password":'),
    '',
    '["fine"]',
  ])
})

test('a request that is none leaves the block as it was', () => {
  const good = requestOf({ ...atNow, body: { stringValue: 'fine' }, attributes: [attribute('a', { intValue: 1 })] })
  const expected = new Walk()
  expected.take(good)
  expected.take(good)
  const walk = new Walk()
  walk.take(good)
  for (let end = 1; end < good.length; end += 1) {
    expect(() => walk.take(good.subarray(0, end)), `cut at ${end}`).toThrow(WireError)
  }
  walk.take(good)
  expect(walk.block.seal().equals(expected.block.seal())).toBe(true)
})

test('a request may have so many records, and repeat its resource for so many bytes', () => {
  const walk = new Walk(keepAll, { recordsMax: 2, columnBytesMax: 1 << 30, repeatedBytesMax: 1_000 })
  expect(() => walk.take(requestOf(atNow, atNow, atNow))).toThrow(TooLarge)
  const resource = { attributes: [attribute('service.name', { stringValue: 'x'.repeat(600) })] }
  const large = encode({ resourceLogs: [{ resource, scopeLogs: [{ logRecords: [atNow, atNow] }] }] })
  expect(() => walk.take(large)).toThrow('Resources repeated for all log records make more than 1000 bytes')
  expect(walk.block.block.rows).toBe(0)
})

test('what another writer leaves out, the table fills as the collector does', async () => {
  const text = (key: string, stringValue: string): Message => attribute(key, { stringValue })
  const resources = [
    [],
    [text('service.name', 'a/b@c%d'), text('service.namespace', 'x@y'), text('deployment.environment', 'old/name')],
    [text('service.name', 'a'), text('deployment.environment.name', 'new'), text('deployment.environment', 'old')],
    [text('service.name', 'a'), text('service.version', '7'), text('host.name', 'h')],
    [text('service.name', 'a'), text('service.instance.id', 'i'), text('host.name', 'h')],
  ]
  const flows = ['', 'd'.repeat(32), 'D'.repeat(32), '0'.repeat(32), traceId.toString('hex')]
  const records = flows.map((flow) => ({
    ...atNow,
    observedTimeUnixNano: long(nowNs),
    traceId,
    flags: 1,
    attributes: [text('flow.id', flow)],
  }))
  const walk = new Walk()
  walk.take(
    encode({
      resourceLogs: resources.map((attributes) => ({
        resource: { attributes },
        scopeLogs: [{ logRecords: records }],
      })),
    }),
  )
  await walk.store()
  const theirs = `Timestamp, TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber, ServiceName, Body, ResourceSchemaUrl,
    ResourceAttributes, ScopeSchemaUrl, ScopeName, ScopeVersion, ScopeAttributes, LogAttributes, EventName`
  await store.clickhouse.command({ query: `INSERT INTO otel_logs (${theirs}) SELECT ${theirs} FROM otel_logs` })
  const answer = await store.clickhouse.query({
    query: `SELECT count() AS times, * EXCEPT (ReceivedAt) FROM otel_logs GROUP BY ALL`,
    format: 'JSONEachRow',
  })
  const rows = await answer.json<{ times: number }>()
  expect(rows).toHaveLength(resources.length * flows.length)
  expect(rows.filter(({ times }) => times !== 2)).toEqual([])
})

test('a block that has more texts than are remembered is written whole, and the next one too', async () => {
  const count = 140_000
  const walk = new Walk()
  // Two requests, since a call takes only so many arguments.
  for (const half of [0, 1]) {
    const rows = Array.from({ length: count / 2 }, (_, row) => (half * count) / 2 + row)
    walk.take(requestOf(...rows.map((row) => ({ ...atNow, severityText: `level ${row}` }))))
  }
  await walk.store()
  walk.take(requestOf({ ...atNow, severityText: 'one more' }))
  await walk.store()
  const answer = await store.clickhouse.query({
    query: `SELECT uniqExact(SeverityText) AS texts, countIf(SeverityText = 'one more') AS more, countIf(ServiceName = 'unknown_service') AS named FROM otel_logs`,
    format: 'JSONEachRow',
  })
  expect(await answer.json()).toEqual([{ texts: count + 1, more: 1, named: count + 1 }])
})

/** A value as it is sent, and as it is stored by itself and within others. */
interface Value {
  sent: Message
  text: string
  json: string
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 })

const { value } = fc.letrec<{ value: Value; scalar: Value; list: Value; map: Value }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('scalar'), tie('list'), tie('map')),
  scalar: fc.oneof(
    text.map((it): Value => ({ sent: { stringValue: it }, text: it, json: JSON.stringify(it) })),
    fc.boolean().map((it): Value => ({ sent: { boolValue: it }, text: String(it), json: String(it) })),
    fc
      .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
      .map((it): Value => ({ sent: { intValue: long(it) }, text: String(it), json: String(it) })),
    fc.double().map((it): Value => {
      const digits = String(it)
      return { sent: { doubleValue: it }, text: digits, json: Number.isFinite(it) ? digits : `"${digits}"` }
    }),
    fc.uint8Array({ maxLength: 20 }).map((it): Value => {
      const base64 = Buffer.from(it).toString('base64')
      return { sent: { bytesValue: it }, text: base64, json: `"${base64}"` }
    }),
    fc.constant<Value>({ sent: {}, text: '', json: 'null' }),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }).map((items): Value => {
    const json = `[${items.map((item) => item.json).join(',')}]`
    return { sent: { arrayValue: { values: items.map(({ sent }) => sent) } }, text: json, json }
  }),
  map: fc
    .uniqueArray(fc.tuple(text, tie('value')), { selector: ([key]) => key, maxLength: 4 })
    .map((entries): Value => {
      const json = `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${member.json}`).join(',')}}`
      const values = entries.map(([key, { sent }]) => attribute(key, sent))
      return { sent: { kvlistValue: { values } }, text: json, json }
    }),
}))

/** Attributes, some of them sent twice: the last one counts. */
const attributes = fc.array(fc.tuple(text, value), { maxLength: 6 }).map((entries) => ({
  sent: entries.map(([key, { sent }]) => attribute(key, sent)),
  texts: Object.fromEntries(entries.map(([key, member]) => [key, member.text])),
}))

const uint32 = fc.nat({ max: 0xffff_ffff })
const timeNs = fc.oneof(fc.constant(0n), fc.bigInt({ min: nowNs - hourNs, max: nowNs + hourNs }))
const id = (length: number): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.constant(Buffer.alloc(0)),
    fc
      .uint8Array({ minLength: length, maxLength: length })
      .filter((bytes) => bytes.some((byte) => byte !== 0))
      .map((bytes) => Buffer.from(bytes)),
  )

const record = fc.record({
  timeNs,
  observedNs: timeNs,
  severityNumber: fc.nat({ max: 24 }),
  severityText: text,
  body: fc.option(value, { nil: undefined }),
  attributes,
  dropped: uint32,
  flags: uint32,
  traceId: id(16),
  spanId: id(8),
  eventName: text,
})

const scope = fc.record({
  name: text,
  version: text,
  attributes,
  dropped: uint32,
  schemaUrl: text,
  records: fc.array(record, { maxLength: 4 }),
})

const resource = fc.record({ attributes, dropped: uint32, schemaUrl: text, scopes: fc.array(scope, { maxLength: 3 }) })

type Resource = typeof resource extends fc.Arbitrary<infer It> ? It : never

/** The request, and the rows that it makes; records bear their number, so that the rows can be put in order. */
function requestAndRows(resources: Resource[]): { request: Message; rows: Row[] } {
  const rows: Row[] = []
  const resourceLogs = resources.map((each) => ({
    resource: { attributes: each.attributes.sent, droppedAttributesCount: each.dropped },
    schemaUrl: each.schemaUrl,
    scopeLogs: each.scopes.map((scoped) => ({
      scope: {
        name: scoped.name,
        version: scoped.version,
        attributes: scoped.attributes.sent,
        droppedAttributesCount: scoped.dropped,
      },
      schemaUrl: scoped.schemaUrl,
      logRecords: scoped.records.map((it) => {
        const row = String(rows.length)
        rows.push({
          Timestamp: String(it.timeNs || it.observedNs || nowNs),
          ObservedTimestamp: String(it.observedNs),
          TraceId: it.traceId.toString('hex'),
          SpanId: it.spanId.toString('hex'),
          TraceFlags: it.flags % 256,
          Flags: it.flags,
          SeverityText: it.severityText,
          SeverityNumber: it.severityNumber,
          Body: it.body?.text ?? '',
          EventName: it.eventName,
          LogAttributes: { ...it.attributes.texts, row },
          DroppedAttributes: it.dropped,
          ResourceAttributes: each.attributes.texts,
          ResourceSchemaUrl: each.schemaUrl,
          ResourceDroppedAttributes: each.dropped,
          ScopeName: scoped.name,
          ScopeVersion: scoped.version,
          ScopeAttributes: scoped.attributes.texts,
          ScopeSchemaUrl: scoped.schemaUrl,
          ScopeDroppedAttributes: scoped.dropped,
          FlowId: it.traceId.toString('hex'),
        })
        return {
          timeUnixNano: long(it.timeNs),
          observedTimeUnixNano: long(it.observedNs),
          severityNumber: it.severityNumber,
          severityText: it.severityText,
          ...(it.body && { body: it.body.sent }),
          attributes: [...it.attributes.sent, attribute('row', { stringValue: row })],
          droppedAttributesCount: it.dropped,
          flags: it.flags,
          traceId: it.traceId,
          spanId: it.spanId,
          eventName: it.eventName,
        }
      }),
    })),
  }))
  return { request: { resourceLogs }, rows }
}

test('whatever is sent is what ClickHouse gives back', async () => {
  const walk = new Walk()
  await fc.assert(
    fc.asyncProperty(fc.array(resource, { maxLength: 3 }), async (resources) => {
      const { request, rows } = requestAndRows(resources)
      const { records, rejections } = walk.take(encode(request))
      expect([records, rejections.count]).toEqual([rows.length, 0])
      if (rows.length === 0) return
      await walk.store()
      const names = Object.keys(rows[0] ?? {})
      const back = (await stored()).map((row) => Object.fromEntries(names.map((name) => [name, row[name]])))
      await store.clickhouse.command({ query: 'TRUNCATE TABLE otel_logs' })
      expect(back).toEqual(rows)
    }),
    { numRuns: 60 },
  )
})
