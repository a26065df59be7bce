import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exceedance } from './exceedance.ts'

const histograms = fc.dictionary(fc.integer({ min: 0, max: 60 }).map(String), fc.integer({ min: 1, max: 50 }), {
  minKeys: 1,
})
const margins = fc.integer({ min: 0, max: 10 })

test('the worked example', () => {
  expect(exceedance({ 10: 4 }, { 1: 9, 20: 1 }, 3).share).toBeCloseTo(0.81 / 0.91)
})

test('without a margin it is Mann and Whitney’s U, from no difference to all', () => {
  // 1, 3 against 2, 4: one of four pairs is won, so nothing lies beyond; 3, 5 against 2, 4 wins three of four.
  expect(exceedance({ 1: 1, 3: 1 }, { 2: 1, 4: 1 }, 0).share).toBe(0)
  expect(exceedance({ 3: 1, 5: 1 }, { 2: 1, 4: 1 }, 0).share).toBeCloseTo((0.75 - 0.5) / 0.5)
  expect(exceedance({ 9: 3 }, { 1: 2 }, 0).share).toBe(1)
})

test('nothing changed, nothing seen', () => {
  fc.assert(
    fc.property(histograms, margins, (histogram, margin) => {
      expect(exceedance(histogram, histogram, margin)).toEqual({ share: 0, pValue: 1 })
    }),
  )
  expect(exceedance({}, { 1: 1 }, 0)).toEqual({ share: 0, pValue: 1 })
  expect(exceedance({ 1: 1 }, {}, 0)).toEqual({ share: 0, pValue: 1 })
})

test('what is slower by more is further beyond, whatever the unit of time', () => {
  const moved = (histogram: Record<string, number>, by: number): Record<string, number> =>
    Object.fromEntries(Object.entries(histogram).map(([bucket, calls]) => [String(Number(bucket) + by), calls]))
  fc.assert(
    fc.property(histograms, histograms, margins, fc.nat(20), (now, before, margin, by) => {
      const { share, pValue } = exceedance(now, before, margin)
      const further = exceedance(moved(now, by), before, margin)
      expect(further.share).toBeGreaterThanOrEqual(share - 1e-12)
      expect(further.pValue).toBeLessThanOrEqual(pValue + 1e-12)
      expect(exceedance(moved(now, by), moved(before, by), margin).share).toBeCloseTo(share, 12)
    }),
  )
})

test('more calls of the same kind are surer and no further beyond', () => {
  fc.assert(
    fc.property(histograms, histograms, margins, (now, before, margin) => {
      const twice = Object.fromEntries(Object.entries(now).map(([bucket, calls]) => [bucket, calls * 2]))
      const { share, pValue } = exceedance(now, before, margin)
      const more = exceedance(twice, before, margin)
      expect(more.share).toBeCloseTo(share, 12)
      expect(more.pValue).toBeLessThanOrEqual(pValue + 1e-12)
    }),
  )
})
