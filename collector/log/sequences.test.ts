import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Sequences } from './sequences.ts'

test('numbers that touch are one interval, in whatever order they come', () => {
  const sequences = new Sequences()
  for (const number of [5, 1, 3, 2]) sequences.add(number)
  expect(sequences.intervals).toEqual([
    [1, 3],
    [5, 5],
  ])
  sequences.add(4)
  expect(sequences.intervals).toEqual([[1, 5]])
})

test('it knows the same numbers as a set', () => {
  const ranges = fc.array(fc.tuple(fc.nat(60), fc.nat(8)), { maxLength: 30 })
  fc.assert(
    fc.property(ranges, (added) => {
      const sequences = new Sequences()
      const set = new Set<number>()
      for (const [first, length] of added) {
        sequences.add(first, first + length - 1)
        for (let number = first; number < first + length; number += 1) set.add(number)
      }
      const numbers = Array.from({ length: 70 }, (_, number) => number)
      expect(numbers.filter((number) => sequences.has(number))).toEqual(numbers.filter((number) => set.has(number)))
      const missing = new Sequences(sequences.missing(0, 69))
      expect(numbers.filter((number) => missing.has(number))).toEqual(numbers.filter((number) => !set.has(number)))
      const ends = sequences.intervals.flat()
      expect(ends).toEqual(ends.toSorted((a, b) => a - b))
      for (const [index, [first]] of sequences.intervals.entries()) {
        expect(first).toBeGreaterThan((sequences.intervals[index - 1]?.[1] ?? -2) + 1)
      }
    }),
  )
})

test('what is taken out is not in it, and nothing else is', () => {
  const ranges = fc.array(fc.record({ first: fc.nat(60), length: fc.nat(8), isAdded: fc.boolean() }), { maxLength: 30 })
  fc.assert(
    fc.property(ranges, (changes) => {
      const sequences = new Sequences()
      const set = new Set<number>()
      for (const { first, length, isAdded } of changes) {
        if (isAdded) sequences.add(first, first + length - 1)
        else sequences.remove(first, first + length - 1)
        for (let number = first; number < first + length; number += 1) {
          if (isAdded) set.add(number)
          else set.delete(number)
        }
      }
      const numbers = Array.from({ length: 70 }, (_, number) => number)
      expect(numbers.filter((number) => sequences.has(number))).toEqual(numbers.filter((number) => set.has(number)))
    }),
  )
})
