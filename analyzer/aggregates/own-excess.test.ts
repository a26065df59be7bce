import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Calls, type Inclusive, ownExcess, type OwnExcess } from './own-excess.ts'

/** `a 300, b 200` as departures of components with a standard error of 10. */
function departuresIn(text: string): Map<string, Inclusive> {
  return new Map(
    text.split(', ').map((part) => {
      const [name = '', excess = ''] = part.split(' ')
      return [name, { excess: Number(excess), spread: 10 }]
    }),
  )
}

/** `entry > a, a > b 20` as edges, with their calls where they are known. */
function graphIn(text: string): Calls[] {
  return text.split(', ').map((part) => {
    const [, caller = '', callee = '', calls] = /^(\S+) > (\S+)(?: (\d+))?$/.exec(part) ?? []
    return { caller, callee, ...(calls === undefined ? {} : { calls: Number(calls) }) }
  })
}

function ownOf(
  departures: string,
  graph: string,
  callsTaken: Record<string, number> = {},
): Record<string, Pick<OwnExcess, 'excess' | 'share'>> {
  const found = ownExcess({
    entry: 'entry',
    departing: departuresIn(departures),
    callsTaken: new Map(Object.entries(callsTaken)),
    graph: graphIn(graph),
  })
  return Object.fromEntries(
    found.map(({ component, excess, share }) => [
      component,
      { excess: Math.round(excess), share: Math.round(share * 100) / 100 },
    ]),
  )
}

test('each answers only for what its callees do not explain', () => {
  expect(ownOf('entry 3000, a 2400, b 200', 'entry > a, a > b')).toEqual({
    entry: { excess: 600, share: 0.2 },
    a: { excess: 2_200, share: 0.73 },
    b: { excess: 200, share: 0.07 },
  })
})

test('a callee of several is divided by their calls to it, or else by the calls that they took', () => {
  const both = 'entry 1000, a 600, b 400, shared 800'
  const graph = 'entry > a, entry > b, a > shared, b > shared'
  expect(ownOf(both, graph, { a: 300, b: 100 })).toMatchObject({ a: { excess: 0 }, b: { excess: 200 } })
  expect(ownOf(both, 'entry > a, entry > b, a > shared 100, b > shared 300')).toMatchObject({
    a: { excess: 400 },
    b: { excess: 0 },
  })
})

test('a caller outside of what the entry reaches takes its part of a callee', () => {
  // Half of the calls of a come from elsewhere.
  expect(ownOf('entry 500, a 600', 'entry > a, other > a', { entry: 100, other: 100 })).toMatchObject({
    entry: { excess: 200 },
    a: { excess: 600 },
  })
})

test('a component that does not depart beyond chance passes on what its callees have', () => {
  expect(ownOf('entry 1000, b 900', 'entry > a, a > b', { entry: 10, a: 10, b: 10 })).toEqual({
    entry: { excess: 100, share: 0.1 },
    b: { excess: 900, share: 0.9 },
  })
})

test('what the entry does not reach is not told', () => {
  expect(ownOf('entry 1000, far 5000', 'far > entry')).toEqual({ entry: { excess: 1_000, share: 1 } })
})

test('circles end', () => {
  expect(ownOf('entry 1000, a 800, b 700', 'entry > a, a > b, b > a, a > a', { entry: 1, a: 1, b: 1 })).toMatchObject({
    entry: { excess: 600 },
  })
  expect(ownOf('entry 1000, c 700', 'entry > a, a > b, b > a, a > c', { entry: 1, a: 1, b: 1 })).toMatchObject({
    c: { excess: 700 },
  })
})

const names = ['entry', 'a', 'b', 'c', 'd', 'e', 'f']
const world = fc.record({
  excesses: fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 7, maxLength: 7 }),
  departs: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
  edges: fc.uniqueArray(
    fc
      .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 6 }))
      .map(([from, step]) => [from, Math.min(6, from + step)] as const),
    { selector: ([from, to]) => `${from} ${to}`, maxLength: 14 },
  ),
  calls: fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 7, maxLength: 7 }),
})
type World = typeof world extends fc.Arbitrary<infer T> ? T : never

function judge(
  { excesses, departs, edges, calls }: World,
  { rename = (name: string) => name, scale = 1, turned = false, raise = undefined as string | undefined } = {},
): Map<string, OwnExcess> {
  const nameAt = (at: number): string => rename(names[at] ?? '')
  const departing = excesses.flatMap((excess, at) =>
    at === 0 || departs[at] === true
      ? [[nameAt(at), { excess: (excess + (names[at] === raise ? 1_000 : 0)) * scale, spread: scale }] as const]
      : [],
  )
  const graph = edges.map(([from, to]): Calls => ({ caller: nameAt(from), callee: nameAt(to) }))
  const found = ownExcess({
    entry: rename('entry'),
    departing: new Map(turned ? departing.toReversed() : departing),
    callsTaken: new Map(calls.map((count, at) => [nameAt(at), count])),
    graph: turned ? graph.toReversed() : graph,
  })
  return new Map(found.map((own) => [own.component, own]))
}

test('order, names and unit change nothing', () => {
  fc.assert(
    fc.property(world, fc.integer({ min: 2, max: 1_000_000 }), (told, scale) => {
      const found = judge(told)
      const turned = judge(told, { turned: true })
      const renamed = judge(told, { rename: (name) => `z-${name}` })
      const scaled = judge(told, { scale })
      expect([...turned.keys()].toSorted()).toEqual([...found.keys()].toSorted())
      for (const [component, { excess, share }] of found) {
        for (const other of [turned.get(component), renamed.get(`z-${component}`)]) {
          expect(other?.excess).toBeCloseTo(excess, 6)
          expect(other?.share).toBeCloseTo(share, 6)
        }
        expect((scaled.get(component)?.excess ?? 0) / scale).toBeCloseTo(excess, 6)
        expect(scaled.get(component)?.share).toBeCloseTo(share, 6)
      }
    }),
  )
})

test('without circles the shares add up to the whole', () => {
  fc.assert(
    fc.property(world, (told) => {
      const shares = [...judge(told).values()].reduce((sum, { share }) => sum + share, 0)
      expect(shares).toBeCloseTo(1, 6)
    }),
  )
})

test('who has more of its own answers for more, and its callers for no more than before', () => {
  fc.assert(
    fc.property(world, fc.constantFrom(...names), (told, raise) => {
      const before = judge(told)
      const after = judge(told, { raise })
      const grown = (component: string): number =>
        (after.get(component)?.excess ?? 0) - (before.get(component)?.excess ?? 0)
      expect(grown(raise)).toBeGreaterThanOrEqual(0)
      const others = [...before.keys()].filter((component) => component !== raise)
      expect(Math.max(0, ...others.map(grown))).toBeLessThanOrEqual(1e-6)
    }),
  )
})
