import { expect, test } from 'vitest'
import { upstreamOf } from './upstream.ts'

test('who called it in a trace, directly or through others', () => {
  const calls = [
    ['door', 'a'],
    ['a', 'b'],
    ['a', 'c'],
  ] as const
  expect([...upstreamOf('b', [calls])]).toEqual(['b', 'a', 'door'])
})

test('callers of one trace are not joined with those of another', () => {
  const found = upstreamOf('c', [[['b', 'c']], [['a', 'b']]])
  expect([...found]).toEqual(['c', 'b'])
})

test('circles end, and who is called by nobody stands alone', () => {
  const circle = [
    ['a', 'b'],
    ['b', 'a'],
  ] as const
  expect([...upstreamOf('a', [circle])]).toEqual(['a', 'b'])
  expect([...upstreamOf('z', [circle])]).toEqual(['z'])
})
