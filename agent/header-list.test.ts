import { expect, test } from 'vitest'
import { headersAsObject } from './header-list.ts'

test('headers come as an object, as a flat list or as a list of pairs', () => {
  expect(headersAsObject({ Accept: '*/*' })).toEqual({ Accept: '*/*' })
  expect(headersAsObject(undefined)).toEqual({})
  expect(headersAsObject(['Accept', '*/*', 'x-a', '1'])).toEqual({ Accept: '*/*', 'x-a': '1' })
  const pairs: unknown = [
    ['Accept', '*/*'],
    ['x-a', '1'],
  ]
  expect(headersAsObject(pairs as string[])).toEqual({ Accept: '*/*', 'x-a': '1' })
})

test('a header that is in the list several times is kept several times, however it is spelt', () => {
  expect(headersAsObject(['Cookie', 'a=1', 'cookie', 'b=2', 'COOKIE', 'c=3'])).toEqual({
    Cookie: ['a=1', 'b=2', 'c=3'],
  })
})
