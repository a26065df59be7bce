import { bucketOf } from '@headwater/vocabulary'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SpanCount } from '@headwater/store'
import { SpanCounts } from './span-counts.ts'
import { textTable } from './test-traffic.ts'

const server = 2
const client = 3

function sum(of: readonly SpanCount[], part: (row: SpanCount) => number): number {
  return of.reduce((total, row) => total + part(row), 0)
}

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
  counts.commit()
  expect(counts.take()).toEqual([
    {
      windowS: 10,
      service: 'shop',
      operation: 'GET /',
      kind: 'Server',
      spans: 3,
      errors: 1,
      duration: new Map([
        [300, 2],
        [301, 1],
      ]),
    },
    {
      windowS: 10,
      service: 'shop',
      operation: 'GET /',
      kind: 'Client',
      spans: 1,
      errors: 0,
      duration: new Map([[300, 1]]),
    },
    {
      windowS: 0,
      service: 'shop',
      operation: 'GET /',
      kind: 'Server',
      spans: 1,
      errors: 0,
      duration: new Map([[300, 1]]),
    },
  ])
  expect(counts.take()).toEqual([])
})

test('what came with a refused request is not counted, also where it found no room', () => {
  const texts = textTable()
  const counts = new SpanCounts({ keysMax: 2, bucketsMax: 2 })
  const request = (operations: readonly string[], isGood: boolean): void => {
    counts.begin(texts, 0)
    for (const operation of operations) {
      counts.count(texts.numberOfText('shop'), texts.numberOfText(operation), server, true, 300, 0)
    }
    if (isGood) counts.commit()
    else counts.rollBack()
  }
  request(['GET /a', 'GET /b', 'GET /c'], false)
  request(['GET /b'], true)
  request(['GET /b', 'GET /c'], false)
  expect(counts.others).toBe(0)
  expect(counts.take()).toMatchObject([{ operation: 'GET /b', spans: 1, errors: 1, duration: new Map([[300, 1]]) }])
})

test('a request whose end nobody told counts for nothing', () => {
  const texts = textTable()
  const counts = new SpanCounts()
  const [shop, get] = [texts.numberOfText('shop'), texts.numberOfText('GET /')]
  counts.begin(texts, 0)
  counts.count(shop, get, server, false, 300, 0)
  counts.begin(texts, 0)
  counts.commit()
  counts.count(shop, get, server, false, 300, 0)
  expect(counts.take()).toEqual([])
  counts.commit()
  expect(counts.take()).toEqual([])
})

test('numbers may lose their meaning meanwhile: each row bears the names of its spans', () => {
  const texts = textTable()
  const counts = new SpanCounts()
  const countOf = (service: string): void => {
    counts.begin(texts, 0)
    counts.count(texts.numberOfText(service), texts.numberOfText('GET /'), server, false, 300, 0)
    counts.commit()
  }
  countOf('shop')
  texts.forget()
  countOf('till')
  countOf('till')
  texts.forget()
  countOf('shop')
  const rows = counts.take()
  const spansOf = (name: string): number =>
    sum(
      rows.filter(({ service }) => service === name),
      ({ spans }) => spans,
    )
  expect([spansOf('shop'), spansOf('till')]).toEqual([2, 2])
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
  counts.commit()
  expect(counts.size).toBe(3)
  expect(counts.others).toBe(6)
  expect(counts.take()).toMatchObject([
    {
      windowS: 0,
      operation: 'GET /0',
      spans: 2,
      duration: new Map([
        [300, 1],
        [301, 1],
      ]),
    },
    {
      windowS: 0,
      operation: 'GET /1',
      spans: 2,
      duration: new Map([
        [300, 1],
        [301, 1],
      ]),
    },
    {
      windowS: 20,
      service: 'other',
      operation: '',
      spans: 6,
      errors: 6,
      duration: new Map([
        [300, 3],
        [301, 3],
      ]),
    },
  ])
  counts.begin(texts, 25_000)
  counts.count(texts.numberOfText('shop'), texts.numberOfText('GET /4'), server, false, 300, 5_000)
  counts.commit()
  expect(counts.take()).toMatchObject([{ service: 'shop', operation: 'GET /4' }])
})

test('a request may be larger than any before', () => {
  const texts = textTable()
  const counts = new SpanCounts()
  const [shop, get] = [texts.numberOfText('shop'), texts.numberOfText('GET /')]
  counts.begin(texts, 0)
  for (let span = 0; span < 10_000; span += 1) counts.count(shop, get, server, span % 10 === 0, span % 900, 0)
  counts.commit()
  const rows = counts.take()
  expect(rows).toMatchObject([{ spans: 10_000, errors: 1_000 }])
  expect(sum(rows, ({ duration }) => duration.values().reduce((a, b) => a + b))).toBe(10_000)
})

test('whatever comes, is refused or taken out, the sums are those of what came and was not refused', () => {
  const requests = fc.array(
    fc.record({
      spans: fc.array(
        fc.record({
          operation: fc.integer({ min: 0, max: 12 }),
          isError: fc.boolean(),
          durationNs: fc.integer({ min: 0, max: 1_000_000_000 }),
          endMs: fc.integer({ min: 0, max: 60_000 }),
        }),
        { maxLength: 8 },
      ),
      isGood: fc.boolean(),
      isLast: fc.boolean(),
      forgets: fc.boolean(),
    }),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(
      requests,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 40 }),
      (all, keysMax, bucketsMax) => {
        const texts = textTable()
        const counts = new SpanCounts({ keysMax, bucketsMax })
        const rows: SpanCount[] = []
        for (const { spans, isGood, isLast, forgets } of all) {
          if (forgets) texts.forget()
          counts.begin(texts, 30_000)
          for (const { operation, isError, durationNs, endMs } of spans) {
            const number = texts.numberOfText(`GET /${operation}`)
            counts.count(texts.numberOfText('shop'), number, server, isError, bucketOf(durationNs), endMs)
          }
          if (isGood) counts.commit()
          else counts.rollBack()
          if (isLast) rows.push(...counts.take())
        }
        rows.push(...counts.take())
        const came = all.filter(({ isGood }) => isGood).flatMap(({ spans }) => spans)
        const known = rows.filter(({ service }) => service === 'shop')
        const other = rows.filter(({ service }) => service === 'other')
        expect(sum(rows, (row) => row.spans)).toBe(came.length)
        expect(sum(other, (row) => row.spans)).toBe(counts.others)
        expect(sum(rows, (row) => row.errors)).toBe(came.filter(({ isError }) => isError).length)
        for (const row of rows) expect(row.duration.values().reduce((a, b) => a + b, 0)).toBe(row.spans)
        for (let operation = 0; operation <= 12; operation += 1) {
          const named = known.filter((row) => row.operation === `GET /${operation}`)
          expect(sum(named, (row) => row.spans)).toBeLessThanOrEqual(
            came.filter((span) => span.operation === operation).length,
          )
        }
      },
    ),
  )
})
