// What the SDKs of OpenTelemetry sent is stored as another decoder reads it, field by field.

import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { connectStore, migrateClickHouse, type Store } from '@headwater/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { jsonToProtobuf } from './json-to-protobuf.ts'
import { readExpectedLogs, readExpectedTraces } from './reference/expectation.ts'
import { logRules } from './reference/expected-logs.ts'
import { expectedRows, type Row } from './reference/expected-rows.ts'
import { spanRules } from './reference/expected-spans.ts'
import { anyTime, createIntake } from './reference/judge.ts'
import { readRecordings, type Recording } from './reference/recordings.ts'
import { createPlainTable, inOrder, insertBlock, readRows } from './reference/stored-rows.ts'
import { keepAll } from './reference/value-text.ts'

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

const recordings = readRecordings()

function rowsOfExpectation({ signal, readExpectation }: Recording): Row[] {
  const expected = readExpectation()
  const how = { times: anyTime, rules: keepAll }
  return signal === 'traces'
    ? expectedRows(readExpectedTraces(expected), spanRules, how).rows
    : expectedRows(readExpectedLogs(expected), logRules, how).rows
}

test('recordings are there of four SDKs', () => {
  const sdks = new Set(recordings.map(({ name }) => name.split('-')[0]))
  expect(sdks).toEqual(new Set(['go', 'java', 'javascript', 'python']))
})

test.each(recordings.map((recording): [string, Recording] => [recording.name, recording]))(
  '%s is stored field by field',
  async (name, recording) => {
    const { signal, format, body } = recording
    const { columns, walk, seal } = createIntake(signal)
    const { rejections } = walk(
      format === 'json' ? jsonToProtobuf(signal, body, { objectsMax: 100_000 }) : body,
      anyTime,
    )
    expect(rejections.count).toBe(0)
    const table = `recorded_${name.replaceAll('-', '_')}`
    await createPlainTable(store, table, `otel_${signal}`)
    await insertBlock(store, { table, columns, block: seal() })
    const stored = await readRows(store, table, columns)
    expect(stored.length).toBeGreaterThan(0)
    expect(inOrder(stored)).toEqual(inOrder(rowsOfExpectation(recording)))
  },
)
