import { expect, test } from 'vitest'
import { backOffMs } from './back-off.ts'

test('waiting doubles from 100 ms to five seconds, and is up to half as long by chance', () => {
  expect([1, 2, 3, 6, 7, 50, 5_000].map((failures) => backOffMs(failures, 1))).toEqual([
    100, 200, 400, 3_200, 5_000, 5_000, 5_000,
  ])
  expect(backOffMs(2, 0)).toBe(100)
})
