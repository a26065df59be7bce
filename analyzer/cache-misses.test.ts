import type { CallState } from '@headwater/store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cacheBefore } from './cache-misses.ts'
import { pictureOf } from './picture.ts'
import { callsIn, multiplied, otherName, renamed } from './test-table.ts'

interface Asked {
  /** In how many of 100 calls the catalog asks the cache, and in how many the database. */
  cache?: number
  database?: number
  /** How long the cache takes; the database takes 30 ms. */
  cacheMs?: number
  also?: string
}

function catalog({ cache = 100, database = 5, cacheMs = 1, also = '' }: Asked = {}): CallState[] {
  return callsIn(`
    - > catalog GET /products: 100 calls, 4 ms
    catalog GET /products ?> redis: ${cache} calls, ${cacheMs} ms
    catalog GET /products ?> postgres: ${database} calls, 30 ms
    ${also}`)
}

/** The cache that stands before the database that is asked more often; `none` where none does. */
function cacheOf(now: CallState[], before = catalog(), database = 'postgres'): string {
  const [recent, known] = [pictureOf(now), pictureOf(before)]
  const callee = [...known.edges.values()].find(({ service }) => service === database)
  if (callee === undefined) throw new Error(`Nobody asks ${database}`)
  return cacheBefore(callee, { recent, known })?.service ?? 'none'
}

test('a worked example: asked in each call, where the database is asked in one of twenty, and quicker, redis is the cache', () => {
  expect(cacheOf(catalog({ database: 80 }))).toBe('redis')
})

test('a cache is asked in half of the calls at least, and twice as often as who stands behind it', () => {
  const before = (asked: Asked): string => cacheOf(catalog({ ...asked, database: 90 }), catalog(asked))
  expect(before({ cache: 50 })).toBe('redis')
  expect(before({ cache: 49 })).toBe('none')
  expect(before({ cache: 80, database: 40 })).toBe('redis')
  expect(before({ cache: 80, database: 41 })).toBe('none')
})

test('a cache is asked about as often as ever: a quarter more or less at most', () => {
  const now = (cache: number): string => cacheOf(catalog({ cache, database: 80 }))
  expect([75, 100, 125].map((cache) => now(cache))).toEqual(['redis', 'redis', 'redis'])
  expect([74, 126].map((cache) => now(cache))).toEqual(['none', 'none'])
})

test('what is slower than the database is no cache of it, nor is what sends spans of its own, nor what another operation asks', () => {
  expect(cacheOf(catalog({ cacheMs: 60, database: 80 }), catalog({ cacheMs: 60 }))).toBe('none')
  const service = (database: number) =>
    callsIn(`
      - > catalog GET /products: 100 calls, 4 ms
      catalog GET /products > prices GET /price: 100 calls, 1 ms
      catalog GET /products ?> postgres: ${database} calls, 30 ms`)
  expect(cacheOf(service(80), service(5))).toBe('none')
  const other = (database: number) =>
    callsIn(`
      - > catalog GET /products: 100 calls, 4 ms
      - > catalog GET /offers: 100 calls, 4 ms
      catalog GET /offers ?> redis: 100 calls, 1 ms
      catalog GET /products ?> postgres: ${database} calls, 30 ms`)
  expect(cacheOf(other(80), other(5))).toBe('none')
})

test('of whom nobody calls now, nothing is known', () => {
  expect(cacheOf([])).toBe('none')
})

const asked = fc.record({ cache: fc.integer({ min: 30, max: 150 }), database: fc.integer({ min: 1, max: 100 }) })

test('neither order, names nor load matter, and how often the database is asked now does not either', () => {
  fc.assert(
    fc.property(asked, asked, fc.integer({ min: 2, max: 9 }), (is, was, factor) => {
      const [now, before] = [catalog(is), catalog(was)]
      const told = cacheOf(now, before)
      expect(cacheOf(now.toReversed(), before.toReversed())).toBe(told)
      expect(cacheOf(multiplied(now, factor), multiplied(before, factor))).toBe(told)
      expect(cacheOf(renamed(now, otherName), renamed(before, otherName), otherName('postgres'))).toBe(
        told === 'none' ? told : otherName(told),
      )
      expect(cacheOf(catalog({ ...is, database: 100 }), before)).toBe(told)
    }),
  )
})

test('who was a cache is one where the database behind it was asked less', () => {
  fc.assert(
    fc.property(asked, asked, fc.integer({ min: 0, max: 99 }), (is, was, less) => {
      const isCache = (database: number): boolean => cacheOf(catalog(is), catalog({ ...was, database })) === 'redis'
      expect(isCache(Math.max(1, was.database - less)) || !isCache(was.database)).toBe(true)
    }),
  )
})
