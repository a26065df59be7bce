import fc from 'fast-check'
import { expect, test } from 'vitest'
import { normalScore, normalTail } from './normal-tail.ts'

test('tails as in the tables (Abramowitz & Stegun, table 26.1 and 26.2)', () => {
  expect(normalTail(0)).toBeCloseTo(0.5, 6)
  expect(normalTail(1)).toBeCloseTo(0.15865525, 7)
  expect(normalTail(-1)).toBeCloseTo(0.84134475, 7)
  expect(normalTail(5) / 2.866515719e-7).toBeCloseTo(1, 6)
  expect(normalTail(10) / 7.619853024e-24).toBeCloseTo(1, 6)
})

test('a larger score is less likely', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -37, max: 37, noNaN: true }),
      fc.double({ min: 0.01, max: 5, noNaN: true }),
      (z, more) => {
        expect(normalTail(z + more)).toBeLessThanOrEqual(normalTail(z))
      },
    ),
  )
})

test('the score of a tail is where it began', () => {
  fc.assert(
    fc.property(fc.double({ min: -5, max: 37, noNaN: true }), (z) => {
      expect(normalScore(normalTail(z))).toBeCloseTo(z, 1)
    }),
  )
  expect(normalScore(0.025)).toBeCloseTo(1.96, 3)
  expect(normalScore(0)).toBeCloseTo(38, 6)
})
