import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shortestPath } from './path.ts'

type Callers = Record<string, string[]>

function pathIn(callers: Callers, start: string, ...ends: string[]): string[] {
  return shortestPath(
    start,
    (node) => callers[node] ?? [],
    (node) => ends.includes(node),
  )
}

const callers = fc
  .integer({ min: 1, max: 12 })
  .chain((size) =>
    fc.array(
      fc.array(
        fc.integer({ min: 0, max: size - 1 }).map((node) => `s${node}`),
        { maxLength: 4 },
      ),
      { minLength: size, maxLength: size },
    ),
  )
  .map((steps): Callers => Object.fromEntries(steps.map((next, node) => [`s${node}`, next])))

test('the shortest of two ways is taken', () => {
  expect(pathIn({ math: ['pdf', 'gateway'], pdf: ['gateway'] }, 'math', 'gateway')).toEqual(['math', 'gateway'])
})

test('of two ways of one length, the one whose first step is given first', () => {
  const diamond = { math: ['report', 'export'], report: ['gateway'], export: ['gateway'] }
  expect(pathIn(diamond, 'math', 'gateway')).toEqual(['math', 'report', 'gateway'])
})

test('who is an entry itself needs no way', () => {
  expect(pathIn({ gateway: ['gateway'] }, 'gateway', 'gateway')).toEqual(['gateway'])
})

test('where no entry is reached there is only the start, also when the callers go in a circle', () => {
  expect(pathIn({ a: ['b'], b: ['a'] }, 'a', 'gateway')).toEqual(['a'])
  expect(pathIn({}, 'a', 'gateway')).toEqual(['a'])
})

test('a path begins at the start, ends at an end, takes only given steps and visits nobody twice', () => {
  fc.assert(
    fc.property(callers, (steps) => {
      const path = pathIn(steps, 's0', 's1', 's2')
      expect(path[0]).toBe('s0')
      expect(new Set(path).size).toBe(path.length)
      for (const [i, node] of path.slice(1).entries()) expect(steps[path[i] ?? '']).toContain(node)
      expect(path.length === 1 || ['s1', 's2'].includes(path.at(-1) ?? '')).toBe(true)
    }),
  )
})

test('nobody on the way is nearer to the start than the path says', () => {
  fc.assert(
    fc.property(callers, (steps) => {
      const path = pathIn(steps, 's0', 's1')
      const distance = new Map([['s0', 0]])
      for (const [node, far] of distance) {
        for (const next of steps[node] ?? []) if (!distance.has(next)) distance.set(next, far + 1)
      }
      for (const [i, node] of path.entries()) expect(distance.get(node)).toBe(i)
      expect(path.length > 1).toBe(distance.has('s1'))
    }),
  )
})
