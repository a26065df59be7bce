import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pictureOf } from './picture.ts'
import { callsIn, multiplied, otherName, renamed } from './test-table.ts'
import { usualEntriesOf } from './usual-entries.ts'

const entryOf = (facts: string, { isSlowness = true }: { isSlowness?: boolean } = {}) => {
  const [entry] = usualEntriesOf(pictureOf(callsIn(`- > gateway GET /: ${facts}`)), { isSlowness })
  return { slowMs: (entry?.slowNs ?? 0) / 1e6, badShare: entry?.badShare }
}

test('a run is slow a quarter above the 99th percentile of its entry', () => {
  const { slowMs, badShare } = entryOf('1000 calls, 100 ms, 30 at 160 ms')
  expect(slowMs).toBeGreaterThan(190)
  expect(slowMs).toBeLessThan(210)
  expect(badShare).toBe(0)
})

test('where a few calls are slow anyway, a run is slow beyond the bulk, and their share is what goes wrong anyway', () => {
  const { slowMs, badShare } = entryOf('1000 calls, 100 ms, 30 at 3000 ms')
  expect(slowMs).toBeGreaterThan(200)
  expect(slowMs).toBeLessThan(300)
  expect(badShare).toBeCloseTo(0.03, 9)
})

test('beside errors alone no run is slow', () => {
  expect(entryOf('1000 calls, 100 ms, 30 at 3000 ms, 20 failed', { isSlowness: false })).toEqual({
    slowMs: 0,
    badShare: 0.02,
  })
})

test('who calls is no entry', () => {
  const picture = pictureOf(callsIn('gateway GET / > orders GET /: 100 calls, 20 ms'))
  expect(usualEntriesOf(picture, { isSlowness: true })).toEqual([])
})

test('a worked example: 20 of 1,000 runs fail and 30 others take thirty times as long, so 50 are bad anyway', () => {
  const { slowMs, badShare } = entryOf('1000 calls, 100 ms, 30 at 3000 ms, 20 failed')
  // 2.5 times the median of 100 ms; a quarter above the 99th percentile would be 3,750.
  expect(slowMs / 250).toBeCloseTo(1, 1)
  expect(badShare).toBeCloseTo(0.05, 9)
})

const entries = fc
  .record({
    ms: fc.integer({ min: 1, max: 2_000 }),
    slow: fc.integer({ min: 0, max: 300 }),
    slowMs: fc.integer({ min: 1, max: 9_000 }),
    failed: fc.integer({ min: 0, max: 1_000 }),
  })
  .map(({ ms, slow, slowMs, failed }) =>
    callsIn(`
      - > gateway GET /: 1000 calls, ${ms} ms, ${slow} at ${slowMs} ms, ${failed} failed
      - > gateway GET /other: 500 calls, 20 ms
      gateway GET / > orders GET /: 1000 calls, 1 ms`),
  )

test('neither order, names nor load matter', () => {
  fc.assert(
    fc.property(entries, fc.boolean(), fc.integer({ min: 2, max: 9 }), (states, isSlowness, factor) => {
      const of = (these: typeof states) =>
        usualEntriesOf(pictureOf(these), { isSlowness })
          .map(({ slowNs, badShare, ...entry }) => ({ ...entry, slowNs, badShare: Number(badShare.toFixed(12)) }))
          .toSorted((a, b) => (a.operation < b.operation ? -1 : 1))
      const told = of(states)
      expect(told.map(({ operation }) => operation)).toEqual(['GET /', 'GET /other'])
      expect(of(states.toReversed())).toEqual(told)
      expect(of(multiplied(states, factor))).toEqual(told)
      expect(of(renamed(states, otherName))).toEqual(
        told.map((entry) => ({ ...entry, service: otherName(entry.service) })),
      )
    }),
  )
})

test('the more runs fail anyway, the larger is the share that goes wrong anyway, up to all', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.nat(1_000), fc.nat(300), (one, other, slow) => {
      const of = (failed: number): number =>
        entryOf(`1000 calls, 100 ms, ${slow} at 3000 ms, ${failed} failed`).badShare ?? 0
      expect(of(Math.max(one, other))).toBeGreaterThanOrEqual(of(Math.min(one, other)))
      expect(of(Math.max(one, other))).toBeLessThanOrEqual(1)
    }),
  )
})
