// What must not be kept never reaches the disk: neither the log nor ClickHouse.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestCollectors, type TestCollectors } from './test-collector.ts'

let world: TestCollectors

beforeAll(async () => {
  world = await startTestCollectors()
})
afterAll(() => world?.stop())

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } })

function requestOf(traceId: string, attributes: object[]) {
  const time = `${Date.now()}000000`
  const span = {
    traceId,
    spanId: 'b7ad6b7169203331',
    name: 'GET https://bob:hunter2@shop.example/',
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    status: { code: 2, message: 'card 4111 1111 1111 1111 declined' },
    attributes,
    events: [{ timeUnixNano: time, name: 'exception', attributes }],
  }
  return JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }] })
}

function everything(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}

test('secrets are gone before anything is written, wherever they came', async () => {
  const logDirectory = await world.directory()
  const logging = await world.create({ acknowledgement: 'logged' }, { logDirectory })
  const { app } = logging
  const traceId = 'ab'.repeat(16)
  const body = requestOf(traceId, [
    attribute('http.request.header.authorization', 'Bearer s3cr3t-one'),
    attribute('url.full', 'https://shop.example/a?access_token=s3cr3t-two&page=2'),
    attribute('db.password', 's3cr3t-three'),
    attribute('note', 'paid with 4111111111111111'),
    attribute('plain', 'stays as it is'),
  ])
  const response = await app.request('/v1/traces', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  expect(response.status).toBe(200)
  const log = everything(logDirectory)
  expect(log).toContain('stays as it is')
  for (const secret of ['s3cr3t', 'hunter2', '4111']) expect(log).not.toContain(secret)
  await logging.idle()
  const stored = await world.store.clickhouse.query({
    query: 'SELECT * FROM otel_traces WHERE TraceId = {traceId:String}',
    query_params: { traceId },
    format: 'JSONEachRow',
  })
  const [row] = await stored.json<Record<string, unknown>>()
  expect(row?.['SpanAttributes']).toEqual({
    'http.request.header.authorization': '[redacted]',
    'url.full': 'https://shop.example/a?access_token=[redacted]&page=2',
    'db.password': '[redacted]',
    note: 'paid with [redacted card …1111]',
    plain: 'stays as it is',
  })
  expect(row).toMatchObject({
    SpanName: 'GET https://[redacted]@shop.example/',
    StatusMessage: 'card [redacted card …1111] declined',
    ResourceAttributes: { 'db.password': '[redacted]' },
    'Events.Attributes': [{ 'db.password': '[redacted]' }],
  })
})

test('rules of the operator drop, hash and mask by name and by pattern', async () => {
  const redactionPath = join(await world.directory(), 'rules.json')
  const rules = [
    { attribute: 'user.email', action: 'hash' },
    { attribute: '*.ssn', action: 'drop' },
    { pattern: 'PO-[0-9]+', action: 'mask' },
  ]
  writeFileSync(redactionPath, JSON.stringify({ rules }))
  const { app } = await world.create({ redactionPath, hashKey: 'a key of tests, long enough' })
  const traceId = 'cd'.repeat(16)
  const body = requestOf(traceId, [
    attribute('user.email', 'bob@shop.example'),
    attribute('patient.ssn', '078-05-1120'),
    attribute('order', 'see PO-4711 for more'),
  ])
  const response = await app.request('/v1/traces', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  expect(response.status).toBe(200)
  const stored = await world.store.clickhouse.query({
    query: 'SELECT SpanAttributes FROM otel_traces WHERE TraceId = {traceId:String}',
    query_params: { traceId },
    format: 'JSONEachRow',
  })
  expect(await stored.json()).toEqual([
    {
      SpanAttributes: { 'user.email': expect.stringMatching(/^hmac:[0-9a-f]{32}$/), order: 'see [redacted] for more' },
    },
  ])
})
