import fc from 'fast-check'
import { expect, test } from 'vitest'
import { negativeBinomialAtMost } from './negative-binomial.ts'

const expected = fc.oneof(fc.double({ min: 0.01, max: 50, noNaN: true }), fc.double({ min: 1, max: 1e6, noNaN: true }))
const calls = fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 1_000_000 }))
const dispersion = fc.constantFrom(1, 10, 20, 1_000)
const runs = { numRuns: 60 }

test('with a dispersion of one it is the geometric distribution', () => {
  // One call due: each further one half as likely, 1/2 + 1/4 + 1/8.
  expect(negativeBinomialAtMost({ k: 0, expected: 1, dispersion: 1 })).toBeCloseTo(1 / 2, 12)
  expect(negativeBinomialAtMost({ k: 2, expected: 1, dispersion: 1 })).toBeCloseTo(7 / 8, 12)
})

test('no call where ten were due, with a dispersion of ten, has a chance of one in 1,024', () => {
  expect(negativeBinomialAtMost({ k: 0, expected: 10, dispersion: 10 })).toBeCloseTo(2 ** -10, 14)
})

test('with a huge dispersion it becomes Poisson', () => {
  const poisson = (k: number, mean: number): number => {
    let term = Math.exp(-mean)
    let sum = term
    for (let i = 1; i <= k; i += 1) {
      term *= mean / i
      sum += term
    }
    return sum
  }
  for (const k of [0, 1, 5, 12, 30]) {
    expect(negativeBinomialAtMost({ k, expected: 12, dispersion: 1e7 }) / poisson(k, 12)).toBeCloseTo(1, 4)
  }
})

test('where nothing was due, nothing is certain', () => {
  expect(negativeBinomialAtMost({ k: 0, expected: 0 })).toBe(1)
})

test('it is a chance, whatever the counts', () => {
  fc.assert(
    fc.property(calls, expected, dispersion, (k, due, r) => {
      const chance = negativeBinomialAtMost({ k, expected: due, dispersion: r })
      expect(chance).toBeGreaterThanOrEqual(0)
      expect(chance).toBeLessThanOrEqual(1)
    }),
    runs,
  )
})

test('the more calls came, the less they were too few; the more were due, the more', () => {
  fc.assert(
    fc.property(calls, expected, dispersion, (k, due, r) => {
      const chance = negativeBinomialAtMost({ k, expected: due, dispersion: r })
      expect(negativeBinomialAtMost({ k: k * 2, expected: due, dispersion: r })).toBeGreaterThanOrEqual(
        chance * (1 - 1e-6),
      )
      expect(negativeBinomialAtMost({ k, expected: due * 2, dispersion: r })).toBeLessThanOrEqual(chance * (1 + 1e-6))
    }),
    runs,
  )
})

test('far more calls than due are never too few, also where single terms are too small for a number', () => {
  expect(negativeBinomialAtMost({ k: 10_000, expected: 100, dispersion: 20 })).toBeCloseTo(1, 9)
  expect(negativeBinomialAtMost({ k: 1_000_000, expected: 1, dispersion: 1e6 })).toBeCloseTo(1, 9)
})

test('a hundred judgements of a million calls each take less than two seconds', () => {
  const before = process.cpuUsage()
  for (let i = 1; i <= 100; i += 1) negativeBinomialAtMost({ k: 10_000 * i, expected: 1_000_000, dispersion: 20 })
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(2)
})
