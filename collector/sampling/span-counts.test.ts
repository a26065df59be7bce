import { bucketOf } from '@headwater/vocabulary'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SpanCount } from '@headwater/store'
import { SpanCounts } from './span-counts.ts'
import { textTable } from './test-traffic.ts'

const server = 2
const client = 3

test('spans are counted by service, operation, kind and the ten seconds in which they ended', () => {
  const texts = textTable()
  const [shop, get] = [texts.numberOfText('shop'), texts.numberOfText('GET /')]
  const counts = new SpanCounts()
  counts.begin(texts, 15_000)
  counts.count(shop, get, server, false, 300, 12_000)
  counts.count(shop, get, server, true, 300, 13_000)
  counts.count(shop, get, server, false, 301, 14_000)
  counts.count(shop, get, client, false, 300, 14_000)
  counts.count(shop, get, server, false, 300, 9_000)
  expect(counts.drain(60_000)).toEqual([
    {
      windowS: 10,
      service: 'shop',
      operation: 'GET /',
      kind: 'Server',
      spans: 3,
      errors: 1,
      duration: { 300: 2, 301: 1 },
    },
    { windowS: 10, service: 'shop', operation: 'GET /', kind: 'Client', spans: 1, errors: 0, duration: { 300: 1 } },
    { windowS: 0, service: 'shop', operation: 'GET /', kind: 'Server', spans: 1, errors: 0, duration: { 300: 1 } },
  ])
  expect(counts.drain(60_000)).toEqual([])
})

test('a window is told ten seconds after its end, one that lies ahead at once, and the running one only when asked for all', () => {
  const texts = textTable()
  const counts = new SpanCounts()
  counts.begin(texts, 100_000)
  const [service, operation] = [texts.numberOfText('shop'), texts.numberOfText('GET /')]
  for (const endMs of [79_000, 81_000, 95_000, 101_000, 3_600_000]) {
    counts.count(service, operation, server, false, 300, endMs)
  }
  const windows = (rows: { windowS: number }[]): number[] => rows.map(({ windowS }) => windowS)
  expect(windows(counts.drain(100_000))).toEqual([70, 80, 3_600])
  expect(windows(counts.drain(100_000))).toEqual([])
  // What stays is counted on under its numbers.
  counts.count(service, operation, server, false, 300, 95_000)
  expect(counts.size).toBe(2)
  expect(windows(counts.drain(110_000))).toEqual([90])
  expect(counts.drain(110_000, { all: true })).toMatchObject([{ windowS: 100, spans: 1 }])
  expect(counts.size).toBe(0)
})

test('numbers may lose their meaning meanwhile: each row bears the names of its spans', () => {
  const texts = textTable()
  const counts = new SpanCounts()
  const countOf = (service: string): void => {
    counts.begin(texts, 0)
    counts.count(texts.numberOfText(service), texts.numberOfText('GET /'), server, false, 300, 0)
  }
  countOf('shop')
  texts.forget()
  countOf('till')
  counts.drain(5_000)
  countOf('till')
  texts.forget()
  countOf('shop')
  const spans = Object.entries(Object.groupBy(counts.drain(60_000), ({ service }) => service)).map(
    ([service, rows = []]) => [service, rows.reduce((sum, row) => sum + row.spans, 0)],
  )
  expect(Object.fromEntries(spans)).toEqual({ shop: 2, till: 2 })
})

test('what finds no room is counted as other, in the window in which it came, and nothing is lost', () => {
  const texts = textTable()
  const counts = new SpanCounts({ keysMax: 3, bucketsMax: 4 })
  counts.begin(texts, 25_000)
  for (let operation = 0; operation < 5; operation += 1) {
    for (const bucket of [300, 301]) {
      counts.count(texts.numberOfText('shop'), texts.numberOfText(`GET /${operation}`), server, true, bucket, 5_000)
    }
  }
  expect(counts.size).toBe(3)
  expect(counts.others).toBe(6)
  expect(counts.drain(60_000)).toMatchObject([
    { windowS: 0, operation: 'GET /0', spans: 2, duration: { 300: 1, 301: 1 } },
    { windowS: 0, operation: 'GET /1', spans: 2, duration: { 300: 1, 301: 1 } },
    { windowS: 20, service: 'other', operation: '', spans: 6, errors: 6, duration: { 300: 3, 301: 3 } },
  ])
  counts.count(texts.numberOfText('shop'), texts.numberOfText('GET /4'), server, false, 300, 5_000)
  expect(counts.drain(60_000)).toMatchObject([{ service: 'shop', operation: 'GET /4' }])
})

test('whatever comes and whenever it is drained, the sums are those of what came', () => {
  const spans = fc.array(
    fc.record({
      operation: fc.integer({ min: 0, max: 12 }),
      isError: fc.boolean(),
      durationNs: fc.integer({ min: 0, max: 1_000_000_000 }),
      endMs: fc.integer({ min: 0, max: 60_000 }),
      drains: fc.boolean(),
      forgets: fc.boolean(),
    }),
    { maxLength: 100 },
  )
  fc.assert(
    fc.property(spans, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 40 }), (all, keysMax, bucketsMax) => {
      const texts = textTable()
      const counts = new SpanCounts({ keysMax, bucketsMax })
      const rows: SpanCount[] = []
      for (const { operation, isError, durationNs, endMs, drains, forgets } of all) {
        if (forgets) texts.forget()
        counts.begin(texts, 30_000)
        const number = texts.numberOfText(`GET /${operation}`)
        counts.count(texts.numberOfText('shop'), number, server, isError, bucketOf(durationNs), endMs)
        if (drains) rows.push(...counts.drain(30_000))
      }
      rows.push(...counts.drain(30_000, { all: true }))
      const known = rows.filter(({ service }) => service === 'shop')
      const other = rows.filter(({ service }) => service === 'other')
      const sum = (of: SpanCount[], part: (row: SpanCount) => number): number =>
        of.reduce((total, row) => total + part(row), 0)
      expect(sum(rows, (row) => row.spans)).toBe(all.length)
      expect(sum(other, (row) => row.spans)).toBe(counts.others)
      expect(sum(rows, (row) => row.errors)).toBe(all.filter(({ isError }) => isError).length)
      for (const row of rows) expect(Object.values(row.duration).reduce((a, b) => a + b, 0)).toBe(row.spans)
      for (let operation = 0; operation <= 12; operation += 1) {
        const named = known.filter((row) => row.operation === `GET /${operation}`)
        expect(sum(named, (row) => row.spans)).toBeLessThanOrEqual(
          all.filter((span) => span.operation === operation).length,
        )
      }
    }),
  )
})
