import { expect, test } from 'vitest'
import { RateLimit } from './rate.ts'

test('as many go out at once as in one stretch, then one after the other', () => {
  const limit = new RateLimit({ messages: 3, perMs: 60_000 }, 0)
  expect(limit.available(0)).toBe(3)
  for (let count = 0; count < 3; count++) limit.take()
  expect([0, 19_999, 20_000, 39_000].map((ms) => limit.available(ms))).toEqual([0, 0, 1, 1])
  expect(limit.available(3_600_000)).toBe(3)
})

test('a clock that goes back makes nobody wait for ever', () => {
  const limit = new RateLimit({ messages: 1, perMs: 1_000 }, 1_000_000)
  limit.take()
  expect(limit.available(0)).toBe(0)
  expect(limit.available(1_000)).toBe(1)
})
