import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ResidualTail } from './residual-tail.ts'

const options = { size: 500, tailFrom: 0.9, countMin: 20 }

function after(residuals: readonly number[]): ResidualTail {
  const tail = new ResidualTail(options)
  for (const residual of residuals) tail.push(residual)
  return tail
}

const residuals = fc.array(
  fc.integer({ min: -16_000, max: 16_000 }).map((sixteenths) => sixteenths / 16),
  { minLength: 20, maxLength: 200 },
)
const one = fc.integer({ min: -1_600_000, max: 1_600_000 }).map((sixteenths) => sixteenths / 16)

test('of 99 residuals 1 to 99, 50 are at or above 50', () => {
  const tail = after(Array.from({ length: 99 }, (_, i) => i + 1))
  expect(tail.surprise(50)).toBeCloseTo(-Math.log10(51 / 100), 12)
})

test('each side has its own tail: a fall surprises where only rises were seen', () => {
  const tail = after(Array.from({ length: 99 }, (_, i) => i + 1))
  expect(tail.surprise(-1)).toBeGreaterThan(tail.surprise(99))
})

test('beyond an exponential tail each further mean excess is worth a factor of e', () => {
  // Quantiles of an exponential distribution: the excess over any of them has a mean near 1.
  const tail = after(Array.from({ length: 400 }, (_, i) => -Math.log(1 - (i + 0.5) / 400)))
  const step = tail.surprise(8) - tail.surprise(7)
  expect(step).toBeGreaterThan(0.9 * Math.LOG10E)
  expect(step).toBeLessThan(1.1 * Math.LOG10E)
})

test('a heavier tail makes the same residual less surprising', () => {
  const light = Array.from({ length: 400 }, (_, i) => -Math.log(1 - (i + 0.5) / 400))
  expect(after(light.map((x) => x ** 2)).surprise(20)).toBeLessThan(after(light).surprise(20))
})

test('where nothing has ever moved, any move is as surprising as can be', () => {
  const tail = after(Array.from({ length: 50 }, () => 0))
  expect(tail.surprise(0)).toBe(0)
  expect(tail.surprise(1e-9)).toBe(15)
})

test('a tail that is known from few residuals makes less sure', () => {
  const tail = (count: number) => after(Array.from({ length: count }, (_, i) => -Math.log(1 - (i + 0.5) / count)))
  expect(tail(30).surprise(20)).toBeLessThan(tail(400).surprise(20))
})

test('few residuals tell nothing', () => {
  expect(after([1, 2, 3]).surprise(1e9)).toBe(0)
})

test('the larger, the more surprising', () => {
  fc.assert(
    fc.property(residuals, one, fc.double({ min: 1, max: 100, noNaN: true }), (given, residual, factor) => {
      const tail = after(given)
      expect(tail.surprise(residual * factor)).toBeGreaterThanOrEqual(tail.surprise(residual) - 1e-9)
    }),
  )
})

test('neither the order, nor the unit, nor the sign of all residuals matters', () => {
  fc.assert(
    fc.property(residuals, one, fc.integer({ min: -20, max: 20 }), (given, residual, exponent) => {
      const expected = after(given).surprise(residual)
      const factor = 2 ** exponent
      expect(after(given.toReversed()).surprise(residual)).toBeCloseTo(expected, 6)
      expect(after(given.map((x) => x * factor)).surprise(residual * factor)).toBeCloseTo(expected, 6)
      expect(after(given.map((x) => -x)).surprise(-residual)).toBeCloseTo(expected, 6)
    }),
  )
})
