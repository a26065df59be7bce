// Counts go into ClickHouse as a block, and are read back as exact rates.

import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { bucketOf } from '@headwater/vocabulary'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectStore, type Store } from '../connect.ts'
import { insertBlocks } from '../insert-blocks.ts'
import { migrateClickHouse } from '../migrate.ts'
import { readSpanCounts } from '../queries/span-counts.ts'
import { CountBlock, type SpanCount } from './count-block.ts'

const startS = Math.floor(Date.now() / 10_000) * 10 - 600
const during = { since: new Date(startS * 1_000), until: new Date((startS + 20) * 1_000) }

let engines: TestEngines
let store: Store

beforeAll(async () => {
  engines = await startTestEngines()
  store = connectStore(engines)
  await migrateClickHouse(engines.clickhouseUrl)
})

afterAll(async () => {
  await store?.close()
  await engines?.stop()
})

beforeEach(async () => {
  await store.clickhouse.command({ query: 'TRUNCATE TABLE collector_span_counts' })
})

const block = new CountBlock()
const columns = block.block.columns.map(({ name }) => name)

function blockOf(collector: string, rows: readonly SpanCount[]): Buffer {
  for (const row of rows) block.add(collector, row)
  return block.seal()
}

async function insert(token: string, ...blocks: readonly Buffer[]): Promise<void> {
  const inserted = await insertBlocks(store, {
    table: 'collector_span_counts',
    columns,
    blocks,
    token,
    timeoutMs: 30_000,
  })
  expect(inserted).toEqual({ kind: 'stored' })
}

/** So many spans of each duration. */
function spansTaking(...spans: readonly (readonly [durationNs: number, spans: number])[]): Map<number, number> {
  return new Map(spans.map(([durationNs, some]) => [bucketOf(durationNs), some]))
}

const checkout: SpanCount = {
  windowS: startS,
  service: 'shop/checkout@staging',
  operation: 'POST /pay',
  kind: 'Server',
  spans: 300,
  errors: 7,
  duration: spansTaking([10e6, 200], [500e6, 100]),
}

test('a block read back says what was counted, in every column', async () => {
  const many = 2 ** 40 + 3
  const server = {
    ...checkout,
    duration: new Map([
      [0, 1],
      [300, 299],
    ]),
  }
  const empty = { ...checkout, kind: '', spans: 0, errors: 0, duration: new Map<number, number>() }
  const client = {
    ...checkout,
    operation: 'π',
    kind: 'Client',
    spans: many,
    errors: 2 ** 33,
    duration: new Map([[909, many]]),
  }
  await insert('whole', blockOf('host/1', [server, client, empty]))
  const read = await store.clickhouse.query({
    query: `
      SELECT toUnixTimestamp(Window) AS windowS, Collector AS collector, Service AS service, Operation AS operation,
        Kind AS kind, Spans AS spans, Errors AS errors, Duration AS duration
      FROM collector_span_counts ORDER BY Operation, Kind DESC`,
    format: 'JSONEachRow',
  })
  expect(await read.json()).toEqual([
    { ...server, collector: 'host/1', duration: { 0: 1, 300: 299 } },
    { ...empty, collector: 'host/1', duration: {} },
    { ...client, collector: 'host/1', duration: { 909: many } },
  ])
})

test('counts of several collectors, blocks and windows add up to exact rates', async () => {
  const later = { ...checkout, windowS: startS + 10, spans: 100, errors: 0, duration: spansTaking([10e6, 100]) }
  const client = { ...checkout, kind: 'Client', spans: 5, errors: 0, duration: spansTaking([1e6, 5]) }
  await insert('together', blockOf('a', [checkout, client]), blockOf('a', [later]))
  await insert('apart', blockOf('b', [checkout]))
  const rates = await readSpanCounts(store, during)
  expect(rates).toMatchObject([
    { service: 'shop/checkout@staging', operation: 'POST /pay', kind: 'Server', spans: 700, errors: 14 },
    { service: 'shop/checkout@staging', operation: 'POST /pay', kind: 'Client', spans: 5, errors: 0 },
  ])
  expect(rates.map(({ spansPerSecond }) => spansPerSecond)).toEqual([35, 0.25])
  expect(rates[0]?.p50Ms).toBeCloseTo(10, 0)
  expect((rates[0]?.p95Ms ?? 0) / 500).toBeCloseTo(1, 1)
})

test('blocks that are inserted again under their token count once', async () => {
  const blocks = [blockOf('a', [checkout]), blockOf('a', [checkout])]
  await insert('again', ...blocks)
  await insert('again', ...blocks)
  expect(await readSpanCounts(store, during)).toMatchObject([{ spans: 600, errors: 14 }])
})

test('other times are left out, and a window with nothing in it has no rates', async () => {
  await insert(
    'times',
    blockOf(
      'a',
      [-10, 20, 30].map((seconds) => ({ ...checkout, windowS: startS + seconds })),
    ),
  )
  expect(await readSpanCounts(store, during)).toEqual([])
})
