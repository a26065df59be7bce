import fc from 'fast-check'
import { expect, test } from 'vitest'
import { News } from './news.ts'

const told = (points: number, values: readonly number[]) => {
  const news = new News(points)
  return values.map((value) => news.push(value))
}

test('of 5, 7, 6, 7 and 9 only 5, 7 and 9 are news', () => {
  expect(told(10, [5, 7, 6, 7, 9])).toEqual([5, 7, 0, 0, 9])
})

test('what was told long ago may be told again', () => {
  expect(told(2, [7, 1, 1, 7])).toEqual([7, 0, 0, 7])
  expect(told(3, [7, 1, 1, 7])).toEqual([7, 0, 0, 0])
})

test('a value is news exactly if it is above all of the last ones', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 10 }),
      (values, points) => {
        const expected = values.map((value, i) =>
          value > Math.max(0, ...values.slice(Math.max(0, i - points), i)) ? value : 0,
        )
        expect(told(points, values)).toEqual(expected)
      },
    ),
  )
})
