import { expect, test } from 'vitest'
import { wilsonInterval } from './wilson.ts'

test('an interval as in the literature', () => {
  // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
  expect(wilsonInterval(81, 263).low).toBeCloseTo(0.2553, 4)
  expect(wilsonInterval(81, 263).high).toBeCloseTo(0.3662, 4)
  expect(wilsonInterval(0, 20).low).toBe(0)
  expect(wilsonInterval(0, 20).high).toBeCloseTo(0.1611, 4)
  expect(wilsonInterval(29, 29).low).toBeCloseTo(0.883, 4)
})

test('without cases anything is possible', () => {
  expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 })
})
