import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connectedComponents } from './components.ts'

const graph = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 20 }).chain((nodes) =>
  fc.record({
    nodes: fc.constant(nodes),
    edges: fc.array(fc.tuple(fc.constantFrom(...nodes), fc.constantFrom(...nodes)), { maxLength: 30 }),
  }),
)

/** Components without regard to order. */
function asSets(components: string[][]): Set<string> {
  return new Set(components.map((nodes) => nodes.toSorted().join(' ')))
}

test('services that call each other are together, also over others; the rest stay alone', () => {
  const services = ['gateway', 'orders', 'payments', 'mailer', 'search']
  const calls: [string, string][] = [
    ['gateway', 'orders'],
    ['orders', 'payments'],
  ]
  expect(connectedComponents(services, calls)).toEqual([['gateway', 'orders', 'payments'], ['mailer'], ['search']])
})

test('a service in between that is not given joins nothing', () => {
  const calls: [string, string][] = [
    ['gateway', 'orders'],
    ['orders', 'payments'],
  ]
  expect(connectedComponents(['gateway', 'payments'], calls)).toEqual([['gateway'], ['payments']])
})

test('a service that calls itself is alone', () => {
  expect(connectedComponents(['gateway'], [['gateway', 'gateway']])).toEqual([['gateway']])
})

test('of nothing there are no components', () => {
  expect(connectedComponents([], [['a', 'b']])).toEqual([])
})

test('each node is in exactly one component, and both ends of an edge are in the same', () => {
  fc.assert(
    fc.property(graph, ({ nodes, edges }) => {
      const components = connectedComponents(nodes, edges)
      expect(components.flat().toSorted()).toEqual(nodes.toSorted())
      for (const [a, b] of edges) {
        expect(components.find((component) => component.includes(a))).toContain(b)
      }
    }),
  )
})

test('direction and order of edges and nodes do not matter', () => {
  fc.assert(
    fc.property(graph, ({ nodes, edges }) => {
      const turned = edges.map(([a, b]) => [b, a] as const).toReversed()
      expect(asSets(connectedComponents(nodes.toReversed(), turned))).toEqual(asSets(connectedComponents(nodes, edges)))
    }),
  )
})

test('an edge more joins at most two components', () => {
  fc.assert(
    fc.property(graph, ({ nodes, edges }) => {
      const before = connectedComponents(nodes, edges.slice(1)).length
      const after = connectedComponents(nodes, edges).length
      expect([before, before - 1]).toContain(after)
    }),
  )
})

test('a chain of a hundred thousand services is one component, at once', () => {
  const nodes = Array.from({ length: 100_000 }, (_, i) => `s${i}`)
  const edges = nodes.slice(1).map((node, i) => [nodes[i] ?? '', node] as const)
  const before = process.cpuUsage()
  expect(connectedComponents(nodes, edges)).toHaveLength(1)
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(2)
})
