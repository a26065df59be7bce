import { expect, test } from 'vitest'
import { constructCases, randomFrom } from './constructed.ts'

const faultFree = new Map(
  [
    { name: 'site', calls: 100, ms: 50 },
    { name: 'timer', calls: 100, ms: 5 },
    { name: 'search', calls: 200, ms: 10 },
  ].map(({ name, calls, ms }) => [
    name,
    Array.from({ length: 400 }, (_, at) => ({
      startMs: at * 300_000,
      calls,
      failed: 0,
      durationNs: calls * ms * 1e6,
    })),
  ]),
)
const graph = [
  { caller: 'site', callee: 'search' },
  { caller: 'timer', callee: 'search' },
]

function cases(seed: number) {
  return constructCases({
    entry: 'site',
    graph,
    faultFree,
    rises: { latency: [0.2], errors: [0.1] },
    momentsPerCulprit: 1,
    random: randomFrom(seed),
  })
}

test('a fault costs each caller its part, and the entry the rise that was asked for', () => {
  const told = cases(1).find(({ culprit, aspect }) => culprit === 'search' && aspect === 'latency')
  const added = (name: string) =>
    told?.components
      .find((each) => each.name === name)
      ?.now.map(({ durationNs }, at) => {
        const usual = faultFree.get(name)?.[at]?.durationNs ?? 0
        return Math.round((durationNs - usual) / 1e6)
      })
  // A fifth of the site's 5,000 ms; the search, half of whose calls come from the timer, has twice as much.
  expect(added('site')).toEqual([1_000, 1_000, 0, 0])
  expect(added('timer')).toEqual([1_000, 1_000, 0, 0])
  expect(added('search')).toEqual([2_000, 2_000, 0, 0])
})

test('as many calls fail as were asked for', () => {
  const told = cases(1).find(({ culprit, aspect }) => culprit === 'site' && aspect === 'errors')
  const site = told?.components.find(({ name }) => name === 'site')
  expect(site?.now.map(({ failed }) => failed)).toEqual([10, 10, 0, 0])
  expect(site?.before.every(({ failed }) => failed === 0)).toBe(true)
})

test('a seed decides everything', () => {
  expect(cases(3)).toEqual(cases(3))
  expect(cases(3)).not.toEqual(cases(4))
})
