import { expect, test } from 'vitest'
import { moreMinutes, newestMinutes } from './window.ts'

test('a list that is half full after ten minutes is looked for in thirty', () => {
  expect(moreMinutes(10, 0.5)).toBe(30)
})

test('a list that lacks little is looked for in twice the time', () => {
  expect(moreMinutes(10, 0.98)).toBe(20)
})

test('a list that lacks much is looked for in three hours, and then in as much as should fill it', () => {
  expect(moreMinutes(10, 0.1)).toBe(180)
  expect(moreMinutes(180, 0.5)).toBe(540)
})

test('a list of which nothing is found is looked for in three hours, and then in everything', () => {
  expect(moreMinutes(10, 0)).toBe(180)
  expect(moreMinutes(180, 0)).toBe(Infinity)
})

test('however little more each stretch brings, a month is read after a dozen', () => {
  let minutes = newestMinutes
  for (let stretches = 1; stretches < 14; stretches += 1) minutes = moreMinutes(minutes, 0.999)
  expect(minutes).toBeGreaterThan(30 * 24 * 60)
})
