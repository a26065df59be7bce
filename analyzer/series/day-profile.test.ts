import { expect, test } from 'vitest'
import { DayProfile } from './day-profile.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const options = { slotMs: hourMs, days: 3, daysMin: 2, slotsAround: 0 }

function noons(values: readonly number[], days = 3): DayProfile {
  const profile = new DayProfile({ ...options, days })
  for (const [day, value] of values.entries()) {
    profile.push(day * dayMs, 0)
    profile.push(day * dayMs + 12 * hourMs, value)
    profile.push(day * dayMs + 13 * hourMs, 0)
  }
  return profile
}

test('with 1, 2 and 9 at noon of three days, 2 is expected at noon of the fourth', () => {
  expect(noons([1, 2, 9]).expected(3 * dayMs + 12 * hourMs)).toBe(2)
})

test('days before the last three are forgotten', () => {
  expect(noons([100, 100, 1, 2, 9]).expected(5 * dayMs + 12 * hourMs)).toBe(2)
})

test('two days are too few', () => {
  expect(noons([1, 2]).expected(dayMs + 13 * hourMs)).toBeNull()
})

test('what is less than half a day old does not count', () => {
  const profile = noons([1, 2, 9, 8, 500], 4)
  expect(profile.expected(4 * dayMs + 12.5 * hourMs)).toBe(8)
  expect(profile.expected(5 * dayMs + 12 * hourMs)).toBe(8.5)
})

test('points of one slot count as their mean', () => {
  const profile = new DayProfile({ ...options, days: 1, daysMin: 0, slotsAround: 1 })
  for (const [minutes, value] of [
    [0, 1],
    [30, 3],
    [60, 7],
    [120, 9],
    [180, 0],
  ] as const) {
    profile.push(minutes * 60_000, value)
  }
  // Slots of 2, 7 and 9.
  expect(profile.expected(dayMs + hourMs)).toBe(7)
})
