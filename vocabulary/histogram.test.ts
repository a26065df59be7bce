import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addHistogram,
  bucketMiddle,
  bucketOf,
  countAbove,
  countCalls,
  type Histogram,
  quantileBucket,
  quantileNs,
} from './histogram.ts'

function histogramOf(durations: number[]): Histogram {
  const histogram: Histogram = {}
  for (const duration of durations) addHistogram(histogram, { [bucketOf(duration)]: 1 })
  return histogram
}

const durations = fc.array(fc.integer({ min: 0, max: 10_000_000_000 }), { minLength: 1, maxLength: 50 })

test('a quantile is within one bucket, 5 %, of the true one', () => {
  fc.assert(
    fc.property(durations, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, q) => {
      const sorted = values.toSorted((a, b) => a - b)
      const exact = sorted[Math.max(0, Math.ceil(q * sorted.length - 1e-9) - 1)] ?? 0
      expect(quantileBucket(histogramOf(values), q)).toBe(bucketOf(exact))
    }),
  )
})

test('histograms of two times add up to the histogram of both', () => {
  fc.assert(
    fc.property(durations, durations, (first, second) => {
      const sum = histogramOf(first)
      addHistogram(sum, histogramOf(second))
      expect(sum).toEqual(histogramOf([...first, ...second]))
    }),
  )
})

test('an empty histogram has no quantile', () => {
  expect(quantileNs({}, 0.5)).toBeUndefined()
  expect(countCalls({})).toBe(0)
})

test('calls above a bucket are counted without those in it', () => {
  expect(countAbove({ 3: 2, 5: 1, 9: 4 }, 5)).toBe(4)
})

test('the middle of a bucket lies in it', () => {
  for (let bucket = 1; bucket < 600; bucket += 7) expect(bucketOf(bucketMiddle(bucket))).toBe(bucket)
})
