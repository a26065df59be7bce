// Whatever OTLP can say is stored as it was said: random requests go through the walkers into a real ClickHouse and are
// compared, field by field, with rows that another decoder makes by the specification.

import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { connectStore, migrateClickHouse, type Store } from '@headwater/store'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRedaction, type Redaction } from '../redaction/redaction.ts'
import { defaultRules, parseRules } from '../redaction/rules.ts'
import { jsonToProtobuf } from './json-to-protobuf.ts'
import { Chance } from './reference/chance.ts'
import type { Row, Times } from './reference/expected-rows.ts'
import { createIntake, Judge, keepEverything } from './reference/judge.ts'
import { type Json, protobufOf, randomRequest } from './reference/random-request.ts'
import { scramble } from './reference/scramble.ts'
import { createPlainTable, inOrder, insertBlock, readRows } from './reference/stored-rows.ts'
import { keepAll } from './reference/value-text.ts'

const signals = ['traces', 'logs'] as const
type Signal = (typeof signals)[number]

/** Of the requests that go to ClickHouse; the others have their own. */
const seed = Date.now() % 1_000_000

const dayNs = 86_400_000_000_000n
const nowNs = BigInt(Date.now()) * 1_000_000n
const times: Times = { fromNs: nowNs - 3n * dayNs, toNs: nowNs + dayNs, nowNs }

const redactions: [string, Redaction][] = [
  ['no redaction', keepEverything],
  ['a redaction that looks at every text', { ...keepEverything, looksAtEveryText: true, mayHoldSecret: () => true }],
  ['the redaction that is the default', createRedaction(defaultRules, { hashKey: undefined })],
  ['rules of all kinds', rulesOfAllKinds()],
]

function rulesOfAllKinds(): Redaction {
  const rules = [
    { attribute: 'user.id', action: 'hash' },
    { attribute: 'flow.name', action: 'drop' },
    { attribute: 'server.*', action: 'mask' },
    { pattern: 'PO-', action: 'drop' },
    { pattern: 'GET', action: 'mask' },
  ]
  return createRedaction(parseRules(JSON.stringify({ rules }), 'rules.json'), { hashKey: 'a key of sixteen bytes' })
}

/** A request and how its protobuf is scrambled. */
function scrambledRequest(signal: Signal) {
  return fc.tuple(randomRequest(signal, nowNs), fc.integer()).map(([request, how]) => {
    return scramble(signal, protobufOf(signal, request), new Chance(how))
  })
}

describe.each(signals)('of %s', (signal) => {
  test.each(redactions)(
    'with %s, a request makes the rows and rejections that the specification says',
    (_, redaction) => {
      const neighbour = protobufOf(signal, fc.sample(randomRequest(signal, nowNs), { numRuns: 1, seed: 1 })[0] as Json)
      const judge = new Judge(signal, { redaction, times, neighbour })
      fc.assert(
        fc.property(scrambledRequest(signal), (body) => {
          expect(() => judge.judge(body)).not.toThrow()
        }),
        { numRuns: 200 },
      )
    },
  )

  test('the JSON of a request makes the same bytes of a block as its protobuf', () => {
    const [fromJson, fromProtobuf] = [createIntake(signal), createIntake(signal)]
    fc.assert(
      fc.property(randomRequest(signal, nowNs), (request) => {
        const body = jsonToProtobuf(signal, Buffer.from(JSON.stringify(request)), { objectsMax: 100_000 })
        const json = fromJson.walk(body, times)
        const protobuf = fromProtobuf.walk(protobufOf(signal, request), times)
        expect(json.rejections.describe(json.records, 'spans')).toBe(
          protobuf.rejections.describe(protobuf.records, 'spans'),
        )
        expect(fromJson.seal().equals(fromProtobuf.seal())).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})

describe(`in ClickHouse, by seed ${seed},`, () => {
  let engines: TestEngines
  let store: Store

  beforeAll(async () => {
    engines = await startTestEngines()
    await migrateClickHouse(engines.clickhouseUrl)
    store = connectStore(engines)
  })

  afterAll(async () => {
    await store?.close()
    await engines?.stop()
  })

  /** A table that holds random requests in one block, and the rows that it should have. */
  async function store300(signal: Signal, table: string) {
    const intake = createIntake(signal)
    const bodies = fc.sample(scrambledRequest(signal), { numRuns: 300, seed })
    for (const body of bodies) intake.walk(body, times)
    const { columns } = intake
    await createPlainTable(store, table, `otel_${signal}`)
    await insertBlock(store, { table, columns, block: intake.seal() })
    const rows = bodies.flatMap((body) => intake.expected(body, times, keepAll).rows)
    expect(rows.length).toBeGreaterThan(100)
    // The engine makes it of the other two.
    const withFlow = rows.map((row): Row => ({ ...row, FlowId: row['OtherFlowId'] || (row['TraceId'] as string) }))
    return { columns: [...columns, { name: 'FlowId', type: 'String' }], rows: withFlow }
  }

  test.each(signals)('%s read back say what was sent, in every column', async (signal) => {
    const { columns, rows } = await store300(signal, `${signal}_sent`)
    expect(inOrder(await readRows(store, `${signal}_sent`, columns))).toEqual(inOrder(rows))
  })

  test.each(signals)(
    'of %s, what ClickHouse computes from the exporter’s columns is what the walker writes',
    async (signal) => {
      const { columns, rows } = await store300(signal, `${signal}_known`)
      const foreign = exportersColumns[signal].map((name) => `\`${name}\``).join(', ')
      await createPlainTable(store, `${signal}_foreign`, `otel_${signal}`)
      await store.clickhouse.command({
        query: `INSERT INTO ${signal}_foreign (${foreign}) SELECT ${foreign} FROM ${signal}_known`,
      })
      const computed = columns.filter(({ name }) => computedColumns.has(name))
      const only = (some: readonly Row[]): Row[] =>
        inOrder(some.map((row) => Object.fromEntries(computed.map(({ name }) => [name, row[name] as string]))))
      expect(only(await readRows(store, `${signal}_foreign`, computed))).toEqual(only(rows))
    },
  )
})

/** What the clickhouseexporter inserts. */
const exportersColumns = {
  traces: namesIn(`
    Timestamp TraceId SpanId ParentSpanId TraceState SpanName SpanKind ServiceName ResourceAttributes ScopeName
    ScopeVersion SpanAttributes Duration StatusCode StatusMessage Events.Timestamp Events.Name Events.Attributes
    Links.TraceId Links.SpanId Links.TraceState Links.Attributes`),
  logs: namesIn(`
    Timestamp TraceId SpanId TraceFlags SeverityText SeverityNumber ServiceName Body ResourceSchemaUrl
    ResourceAttributes ScopeSchemaUrl ScopeName ScopeVersion ScopeAttributes LogAttributes EventName`),
}

/** What follows from these. */
const computedColumns = new Set(
  namesIn(`
    TraceId SpanId OtherFlowId FlowId FlowName UserId PeerService PeerAddress Namespace Environment Version
    Instance Service Weight`),
)

function namesIn(text: string): string[] {
  return text.trim().split(/\s+/)
}
