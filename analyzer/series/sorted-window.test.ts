import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SortedWindow } from './sorted-window.ts'

// Integers scaled: -0 and 0 are the same size, so that their order says nothing.
const one = fc.integer({ min: -1e8, max: 1e8 }).map((hundredths) => hundredths / 100 + 0)
const values = fc.array(one, { minLength: 1, maxLength: 80 })

test('after 5, 1 and 3 the median is 3, and 5 is forgotten first', () => {
  const window = new SortedWindow(3)
  for (const value of [5, 1, 3]) window.push(value)
  expect(window.median).toBe(3)
  window.push(2)
  expect([window.at(0), window.at(1), window.at(2)]).toEqual([1, 2, 3])
})

test('it counts what is smaller, and what is smaller or the same', () => {
  const window = new SortedWindow(5)
  for (const value of [2, 1, 2, 3]) window.push(value)
  expect(window.below(2)).toBe(1)
  expect(window.atMost(2)).toBe(3)
})

test('it is the last values, sorted', () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 20 }), (given, size) => {
      const window = new SortedWindow(size)
      for (const value of given) window.push(value)
      const expected = given.slice(-size).toSorted((a, b) => a - b)
      expect(window.count).toBe(expected.length)
      expect(expected.map((_, rank) => window.at(rank))).toEqual(expected)
    }),
  )
})
