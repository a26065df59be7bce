import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gammaTail } from './gamma-tail.ts'

test('with a shape of 1 it is exponential, with one of 3 three exponentials added', () => {
  expect(gammaTail(1, 2)).toBeCloseTo(Math.exp(-2), 12)
  // e^−x · (1 + x + x² / 2)
  expect(gammaTail(3, 20)).toBeCloseTo(Math.exp(-20) * 221, 18)
})

test('the value of 3.841 that a squared normal exceeds with a chance of 5 %', () => {
  expect(gammaTail(0.5, 3.841459 / 2)).toBeCloseTo(0.05, 7)
})

test('it is a chance that falls, and one for nothing', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.05, max: 50, noNaN: true }),
      fc.double({ min: 0, max: 200, noNaN: true }),
      fc.double({ min: 0, max: 50, noNaN: true }),
      (shape, x, more) => {
        const chance = gammaTail(shape, x)
        expect(chance).toBeGreaterThanOrEqual(0)
        expect(chance).toBeLessThanOrEqual(1 + 1e-12)
        expect(gammaTail(shape, x + more)).toBeLessThanOrEqual(chance * (1 + 1e-9) + 1e-12)
      },
    ),
  )
  expect(gammaTail(2, 0)).toBe(1)
})
