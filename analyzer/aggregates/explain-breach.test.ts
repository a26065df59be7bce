import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Breach } from './breach-findings.ts'
import { type BreachExplanation, explainBreach } from './explain-breach.ts'
import { component, intervalsIn } from './test-intervals.ts'

/** A site that calls a search, which calls a table, and a cart; a timer calls the search as well. */
function shop(now: Partial<Record<'site' | 'search' | 'table' | 'cart' | 'timer', string>> = {}): Breach['components'] {
  return [
    component('site', '300 x 1000 calls, 90 ms', now.site ?? '2 x 1000 calls, 90 ms'),
    component('search', '300 x 1100 calls, 20 ms', now.search ?? '2 x 1100 calls, 20 ms'),
    component('table', '300 x 1100 calls, 10 ms', now.table ?? '2 x 1100 calls, 10 ms'),
    component('cart', '300 x 300 calls, 30 ms', now.cart ?? '2 x 300 calls, 30 ms'),
    component('timer', '300 x 100 calls, 25 ms', now.timer ?? '2 x 100 calls, 25 ms'),
  ]
}

const graph = [
  { caller: 'site', callee: 'search' },
  { caller: 'site', callee: 'cart' },
  { caller: 'timer', callee: 'search' },
  { caller: 'search', callee: 'table' },
]

function explain(components: Breach['components'], aspect: Breach['aspect'] = 'latency'): BreachExplanation {
  return explainBreach({ entry: 'site', aspect, components, graph })
}

function causesOf(explanation: BreachExplanation): string[] {
  return explanation.state === 'explained'
    ? explanation.causes.map(({ service, kind }) => `${kind} ${service}`)
    : [explanation.state]
}

test('who got slow by itself is blamed, not who waits for it, however much slower that one is', () => {
  expect(
    causesOf(explain(shop({ site: '1000 calls, 150 ms', search: '1100 calls, 80 ms', timer: '100 calls, 85 ms' }))),
  ).toEqual(['latency search'])
  expect(
    causesOf(explain(shop({ site: '1000 calls, 150 ms', search: '1100 calls, 80 ms', table: '1100 calls, 70 ms' }))),
  ).toEqual(['latency table'])
})

test('an entry whose callees are as ever is to blame itself', () => {
  expect(causesOf(explain(shop({ site: '1000 calls, 150 ms' })))).toEqual(['latency site'])
})

test('who fails by itself is blamed', () => {
  const failing = shop({
    site: '1000 calls, 90 ms, 50 failed',
    search: '1100 calls, 20 ms, 55 failed',
    table: '1100 calls, 10 ms',
  })
  expect(causesOf(explain(failing, 'errors'))).toEqual(['errors search'])
})

test('an idle component that always fails is not blamed for the failures of a busy one', () => {
  const components = [
    ...shop({ site: '1000 calls, 90 ms, 50 failed', search: '1100 calls, 20 ms, 55 failed' }),
    component('probe', '300 x 2 calls, 5 ms, 2 failed', '2 calls, 5 ms, 2 failed'),
  ]
  const told = explainBreach({
    entry: 'site',
    aspect: 'errors',
    components,
    graph: [...graph, { caller: 'site', callee: 'probe' }],
  })
  expect(causesOf(told)).toEqual(['errors search'])
})

test('a callee that nobody called before is the deed of its caller', () => {
  const components = [
    ...shop({ site: '1000 calls, 90 ms, 50 failed', cart: '300 calls, 30 ms, 50 failed' }),
    { name: 'typo', before: [], now: intervalsIn('50 calls, 5 ms, 50 failed', 300 * 300_000) },
  ]
  const told = explainBreach({
    entry: 'site',
    aspect: 'errors',
    components,
    graph: [...graph, { caller: 'cart', callee: 'typo' }],
  })
  expect(causesOf(told)).toEqual(['errors cart'])
})

test('a callee that takes no calls any more is blamed for what its caller fails by itself', () => {
  const failing = shop({
    site: '2 x 1000 calls, 90 ms, 300 failed',
    search: '2 x 1100 calls, 20 ms',
    cart: '2 x 0 calls',
  })
  const told = explain(failing, 'errors')
  expect(causesOf(told)).toEqual(['unavailable cart'])
  // Silence alone, while the entry is well, is no breach.
  expect(causesOf(explain(shop({ cart: '2 x 0 calls' }), 'errors'))).toEqual(['not enough data'])
})

test('a callee that often has no calls is not missed', () => {
  const components = shop({ site: '2 x 1000 calls, 90 ms, 300 failed' }).map((each) =>
    each.name === 'cart'
      ? component('cart', '100 x 300 calls, 30 ms;100 x 0 calls;100 x 300 calls, 30 ms', '2 x 0 calls')
      : each,
  )
  expect(causesOf(explain(components, 'errors'))).toEqual(['errors site'])
  const young = shop({ site: '2 x 1000 calls, 90 ms, 300 failed' }).map((each) =>
    each.name === 'cart' ? component('cart', '20 x 300 calls, 30 ms', '2 x 0 calls') : each,
  )
  expect(causesOf(explain(young, 'errors'))).toEqual(['errors site'])
})

test('where nothing is wrong, or nothing is known, that is said', () => {
  expect(explain(shop())).toMatchObject({ state: 'not enough data' })
  expect(explain(shop({ site: '2 x 1000 calls, 92 ms' }))).toMatchObject({ state: 'not enough data' })
  expect(explain([])).toEqual({ state: 'not enough data', reason: 'too little is known of the entry' })
  expect(explain(shop({ site: '1 calls, 800 ms' }))).toMatchObject({ state: 'not enough data' })
})

test('a breach is found within the time since the complaint, though it began later and is over', () => {
  const fine = '1000 calls, 90 ms'
  const told = explain(
    shop({
      site: `${fine}; ${fine}; 1000 calls, 160 ms; ${fine}`,
      search: '1100 calls, 20 ms; 1100 calls, 20 ms; 1100 calls, 90 ms; 1100 calls, 20 ms',
    }),
  )
  expect(causesOf(told)).toEqual(['latency search'])
})

test('causes bear names, evidence and the way to the entry', () => {
  const named = (name: string): string => (name === 'table' ? 'stock@eu-west-2/items' : name)
  const told = explainBreach({
    entry: 'site',
    aspect: 'latency',
    components: shop({
      site: '1000 calls, 150 ms',
      search: '1100 calls, 80 ms',
      table: '1100 calls, 70 ms',
    }).map((each) => ({ ...each, name: named(each.name) })),
    graph: graph.map(({ caller, callee }) => ({ caller: named(caller), callee: named(callee) })),
  })
  expect(told).toMatchObject({
    state: 'explained',
    causes: [
      {
        service: 'stock@eu-west-2/items',
        path: [{ service: 'stock@eu-west-2/items' }, { service: 'search' }, { service: 'site' }],
        evidence: [{ signal: 'self-time', unit: 'ns' }],
      },
    ],
  })
  expect(told.state === 'explained' ? told.confidence : 0).toBeGreaterThan(0.9)
})

test('order and names change no verdict', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('site', 'search', 'table', 'cart'),
      fc.constantFrom('latency' as const, 'errors' as const),
      fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
      (culprit, aspect, keys) => {
        const above: readonly string[] = {
          site: [],
          search: ['site', 'timer'],
          table: ['search', 'site', 'timer'],
          cart: ['site'],
        }[culprit]
        const bad = (name: string, well: string, slow: string): string =>
          name === culprit || above.includes(name) ? (aspect === 'latency' ? slow : `${well}, 60 failed`) : well
        const components = shop({
          site: bad('site', '1000 calls, 90 ms', '1000 calls, 170 ms'),
          search: bad('search', '1100 calls, 20 ms', '1100 calls, 95 ms'),
          table: bad('table', '1100 calls, 10 ms', '1100 calls, 85 ms'),
          cart: bad('cart', '300 calls, 30 ms', '300 calls, 290 ms'),
        })
        const shuffled = components
          .map((each, at) => ({ each, key: keys[at] ?? 0 }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ each }) => each)
        const told = explain(components, aspect)
        expect(causesOf(told)[0]).toBe(`${aspect} ${culprit}`)
        expect(explain(shuffled, aspect)).toEqual(told)
        const renamed = explainBreach({
          entry: 'x-site',
          aspect,
          components: components.map((each) => ({ ...each, name: `x-${each.name}` })),
          graph: graph.map(({ caller, callee }) => ({ caller: `x-${caller}`, callee: `x-${callee}` })),
        })
        expect(causesOf(renamed)[0]).toBe(`${aspect} x-${culprit}`)
      },
    ),
  )
})

test('a cause that is found stays the cause when its effect grows', () => {
  const explainWith = (ms: number): BreachExplanation =>
    explain(
      shop({
        site: `1000 calls, ${90 + ms} ms`,
        search: `1100 calls, ${20 + ms} ms`,
        timer: `100 calls, ${25 + ms} ms`,
      }),
    )
  const isFound = (ms: number): boolean => causesOf(explainWith(ms))[0] === 'latency search'
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 2_000 }), (ms, more) => {
      fc.pre(isFound(ms))
      expect(isFound(ms + more)).toBe(true)
    }),
  )
  expect(isFound(1)).toBe(false)
  expect(isFound(60)).toBe(true)
})
