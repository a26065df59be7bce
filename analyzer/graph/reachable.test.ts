import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reachableFrom } from './reachable.ts'

type Steps = Record<string, string[]>

function reachedIn(steps: Steps, ...from: string[]): string[] {
  return [...reachableFrom(from, (node) => steps[node] ?? [])].toSorted()
}

const steps = fc
  .array(
    fc.array(
      fc.integer({ min: 0, max: 9 }).map((node) => `s${node}`),
      { maxLength: 3 },
    ),
    { minLength: 10, maxLength: 10 },
  )
  .map((all): Steps => Object.fromEntries(all.map((next, node) => [`s${node}`, next])))

test('whom a service calls, directly or through others, and itself', () => {
  expect(reachedIn({ gateway: ['orders'], orders: ['payments'], search: ['orders'] }, 'orders')).toEqual([
    'orders',
    'payments',
  ])
})

test('circles end, and of nothing nothing is reached', () => {
  expect(reachedIn({ a: ['b'], b: ['a'] }, 'a')).toEqual(['a', 'b'])
  expect(reachedIn({ a: ['b'] })).toEqual([])
})

test('what is reached leads nowhere else, and from more nodes no less is reached', () => {
  fc.assert(
    fc.property(steps, (given) => {
      const reached = reachedIn(given, 's0')
      expect(reached.flatMap((node) => given[node] ?? []).filter((node) => !reached.includes(node))).toEqual([])
      expect(reachedIn(given, 's0', 's1')).toEqual(expect.arrayContaining(reached))
    }),
  )
})
