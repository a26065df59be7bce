import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shareInterval, withInterval } from './share-interval.ts'

test('81 of 263 is 0.2553 to 0.3662, as Newcombe (1998) has it', () => {
  const { low, high } = shareInterval(81, 263)
  expect(low).toBeCloseTo(0.2553, 4)
  expect(high).toBeCloseTo(0.3662, 4)
})

test('of nothing seen, nothing is known', () => {
  expect(withInterval(0, 0)).toEqual({ share: 0, low: 0, high: 1 })
})

test('the interval holds the share, lies within 0 and 1, and narrows with more seen', () => {
  const counts = fc
    .integer({ min: 1, max: 1_000_000 })
    .chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)))
  fc.assert(
    fc.property(counts, ([hits, n]) => {
      const { low, high } = shareInterval(hits, n)
      expect(low).toBeGreaterThanOrEqual(0)
      expect(high).toBeLessThanOrEqual(1)
      expect(low - 1e-12).toBeLessThanOrEqual(hits / n)
      expect(high + 1e-12).toBeGreaterThanOrEqual(hits / n)
      const more = shareInterval(hits * 4, n * 4)
      expect(more.high - more.low).toBeLessThan(high - low)
      const mirrored = shareInterval(n - hits, n)
      expect(mirrored.low).toBeCloseTo(1 - high, 9)
    }),
  )
})

test('what stands for more has the share of all, and the interval of what was seen', () => {
  const { share, low, high } = withInterval(80, 100, 10)
  expect(share).toBe(0.8)
  expect({ low, high }).toEqual({ low: withInterval(8, 10).low, high: withInterval(8, 10).high })
})
