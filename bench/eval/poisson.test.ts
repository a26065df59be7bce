import { expect, test } from 'vitest'
import { poissonInterval } from './poisson.ts'

test('an interval as in the tables', () => {
  // Garwood 1936, as tabulated in Ulm 1990, "A simple method to calculate the confidence interval of an SMR".
  expect(poissonInterval(0)).toEqual({ low: 0, high: expect.closeTo(3.689, 3) as number })
  expect(poissonInterval(1)).toEqual({ low: expect.closeTo(0.0253, 4), high: expect.closeTo(5.572, 3) })
  expect(poissonInterval(10)).toEqual({ low: expect.closeTo(4.795, 3), high: expect.closeTo(18.39, 2) })
})
