import fc from 'fast-check'
import { expect, test } from 'vitest'
import { benjaminiHochberg } from './benjamini-hochberg.ts'

const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 60 })
const rate = fc.double({ min: 1e-6, max: 0.5, noNaN: true })

test('the fifteen p-values of the paper of 1995: at 5 % the four smallest are rejected', () => {
  const paper = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
  ]
  expect(benjaminiHochberg(paper, 0.05)).toBe(0.0095)
})

test('a p-value over its own limit is rejected along with a larger one that keeps to its limit', () => {
  // Limits are 0.05 · rank / 3: 0.0167, 0.0333, 0.05. The first is over its own.
  expect(benjaminiHochberg([0.03, 0.02, 0.031], 0.05)).toBe(0.031)
})

test('of no p-values, and of p-values that are all large, none is rejected', () => {
  expect(benjaminiHochberg([], 0.05)).toBe(0)
  expect(benjaminiHochberg([0.2, 0.9, 0.5], 0.05)).toBe(0)
})

test('a single p-value is rejected up to the rate itself', () => {
  expect(benjaminiHochberg([0.05], 0.05)).toBe(0.05)
  expect(benjaminiHochberg([0.0501], 0.05)).toBe(0)
})

test('the order of the series does not matter, and none is changed', () => {
  fc.assert(
    fc.property(pValues, rate, (values, q) => {
      const given = [...values]
      expect(benjaminiHochberg(values.toReversed(), q)).toBe(benjaminiHochberg(values, q))
      expect(values).toEqual(given)
    }),
  )
})

test('a higher rate rejects no less', () => {
  fc.assert(
    fc.property(pValues, rate, rate, (values, a, b) => {
      expect(benjaminiHochberg(values, Math.min(a, b))).toBeLessThanOrEqual(benjaminiHochberg(values, Math.max(a, b)))
    }),
  )
})

test('it rejects no less than Bonferroni and no more than no correction at all', () => {
  fc.assert(
    fc.property(pValues, rate, (values, q) => {
      const threshold = benjaminiHochberg(values, q)
      const bonferroni = values.filter((p) => p <= q / values.length)
      expect(bonferroni.every((p) => p <= threshold)).toBe(true)
      expect(threshold).toBeLessThanOrEqual(q)
    }),
  )
})

test('series that are as usual make the threshold stricter, never looser', () => {
  fc.assert(
    fc.property(pValues, rate, (values, q) => {
      expect(benjaminiHochberg([...values, 1], q)).toBeLessThanOrEqual(benjaminiHochberg(values, q))
    }),
  )
})
