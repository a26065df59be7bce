import { expect, test } from 'vitest'
import { WeekProfile } from './week-profile.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** A Monday by the clock of wherever this runs. */
const mondayMs = new Date(2026, 10, 2).getTime()

function afterDays(days: number, { from = 0 } = {}): WeekProfile {
  const profile = new WeekProfile({ slotMs: hourMs, days: 7, daysMin: 3, slotsAround: 1 })
  for (let hour = from * 24; hour < days * 24; hour += 1) {
    const isNoon = hour % 24 > 10 && hour % 24 < 14
    profile.push(mondayMs + hour * hourMs, isNoon ? (Math.floor(hour / 24) % 7 < 5 ? 9 : 2) : 0)
  }
  return profile
}

test('after weeks of 9 on weekdays and 2 on the weekend, each is expected on its days', () => {
  const profile = afterDays(18)
  expect(profile.expected(mondayMs + 18 * dayMs + 12 * hourMs)).toBe(9)
  expect(profile.expected(mondayMs + 19 * dayMs + 12 * hourMs)).toBe(2)
})

test('of the first weekend nothing is known', () => {
  expect(afterDays(5).expected(mondayMs + 5 * dayMs + 12 * hourMs)).toBeNull()
})

test('three weekdays are enough for the fourth, and two are not', () => {
  expect(afterDays(2).expected(mondayMs + 2 * dayMs + 12 * hourMs)).toBeNull()
  expect(afterDays(3).expected(mondayMs + 3 * dayMs + 12 * hourMs)).toBe(9)
})

test('days count that are of one kind: a Friday and a Monday are two, and one Sunday is one', () => {
  expect(afterDays(8, { from: 4 }).expected(mondayMs + 8 * dayMs + 12 * hourMs)).toBeNull()
  expect(afterDays(9, { from: 4 }).expected(mondayMs + 9 * dayMs + 12 * hourMs)).toBe(9)
  expect(afterDays(12, { from: 6 }).expected(mondayMs + 12 * dayMs + 12 * hourMs)).toBeNull()
})
