import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clusterPeers, type MapEdge, type MapNode, readableGraph } from './groups.ts'
import { incidentGraph, inGrid, inRows, linkId, neighbourhood, nodeHeight, nodeWidth, pathOf, wayOn } from './layout.ts'

const node = (id: string, over: Partial<MapNode> = {}): MapNode => ({
  id,
  kind: 'service',
  service: id,
  namespace: '',
  environment: '',
  state: 'ok',
  calls: 10,
  errors: 0,
  perSecond: 1,
  p50Ms: 1,
  p95Ms: 2,
  ...over,
})
const edge = (from: string, to: string, kind: MapEdge['kind'] = 'sync'): MapEdge => ({
  from,
  to,
  kind,
  calls: 10,
  errors: 1,
  perSecond: 1,
  p95Ms: 5,
})
const chain = {
  nodes: ['a', 'b', 'c', 'd'].map((id) => node(id)),
  edges: [edge('a', 'b'), edge('b', 'c'), edge('c', 'd')],
}
const ids = (nodes: MapNode[]) => nodes.map(({ id }) => id)

test('around a service are those that it calls and those that call it', () => {
  expect(ids(neighbourhood(chain, 'b', 1).nodes)).toEqual(['a', 'b', 'c'])
  expect(ids(neighbourhood(chain, 'a', 2).nodes)).toEqual(['a', 'b', 'c'])
  expect(neighbourhood(chain, 'b', 1).edges).toHaveLength(2)
})

test('without a service to focus on, or with one that is gone, the whole map is shown', () => {
  expect(ids(neighbourhood(chain, undefined, 1).nodes)).toHaveLength(4)
  expect(ids(neighbourhood(chain, 'gone', 1).nodes)).toHaveLength(4)
})

test('an incident shows its way, who else is hit, and whom its cause calls; the way is told by its links', () => {
  const graph = {
    nodes: [...chain.nodes, ...['other', 'apart', 'db'].map((id) => node(id))],
    edges: [...chain.edges, edge('other', 'b'), edge('other', 'apart'), edge('c', 'db', 'peer')],
  }
  const way = { path: ['a', 'b', 'c'], peer: 'db', hit: ['a', 'b', 'other'] }
  expect(ids(incidentGraph(graph, way).nodes)).toEqual(['a', 'b', 'c', 'd', 'other', 'db'])
  const on = wayOn(graph, way)
  expect([...on.nodes]).toEqual(['a', 'b', 'c', 'db'])
  expect([...on.links]).toEqual([edge('a', 'b'), edge('b', 'c'), edge('c', 'db')].map(linkId))
  const grouped = readableGraph(shop, { most: 5 })
  expect([...wayOn(grouped, { path: ['orders-core', 'billing-api'], hit: [] }).links]).toEqual([
    linkId({ from: 'group orders', to: 'group billing' }),
  ])
  expect(incidentGraph(graph, { path: ['gone'], hit: ['a'] })).toEqual(graph)
  expect(wayOn(graph, { path: ['gone'], hit: [] })).toEqual({ nodes: new Set(), links: new Set() })
})

test('many peers of one service stand as one, with their calls added up; shared peers stay', () => {
  const peers = ['p1', 'p2', 'p3', 'p4', 'shared'].map((id) => node(id, { kind: 'peer' }))
  const { nodes, edges } = clusterPeers({
    nodes: [node('a'), node('b'), ...peers],
    edges: [...peers.map(({ id }) => edge('a', id, 'peer')), edge('b', 'shared', 'peer')],
  })
  expect(ids(nodes)).toEqual(['a', 'b', 'shared', 'peers of a'])
  expect(nodes.at(-1)).toMatchObject({ service: '4 peers', calls: 40 })
  expect(edges.find(({ to }) => to === 'peers of a')).toMatchObject({ calls: 40, errors: 4 })
  const few = { nodes: [node('a'), node('p1', { kind: 'peer' })], edges: [edge('a', 'p1', 'peer')] }
  expect(clusterPeers(few)).toEqual(few)
})

const shop = {
  nodes: ['orders', 'billing', 'mail'].flatMap((part) =>
    ['api', 'core', 'worker'].map((role) => node(`${part}-${role}`)),
  ),
  edges: [
    edge('orders-api', 'orders-core'),
    edge('orders-core', 'orders-worker'),
    edge('orders-core', 'billing-api'),
    edge('orders-worker', 'billing-api'),
    edge('billing-api', 'billing-core'),
    edge('billing-core', 'mail-api'),
  ],
}

test('services of a map that is too large stand together by the first word of their names', () => {
  const { nodes, edges } = readableGraph(shop, { most: 5 })
  expect(nodes.map(({ service, group }) => [service, group?.members.length])).toEqual([
    ['orders', 3],
    ['billing', 3],
    ['mail', 3],
  ])
  expect(edges.map(({ from, to, calls }) => [from, to, calls])).toEqual([
    ['group orders', 'group billing', 20],
    ['group billing', 'group mail', 10],
  ])
  expect(readableGraph(shop, { most: 9 }).nodes).toHaveLength(9)
})

test('services of several namespaces stand together by these', () => {
  const nodes = shop.nodes.map((each, i) => ({ ...each, namespace: i % 2 === 0 ? 'shop' : 'back' }))
  expect(readableGraph({ nodes, edges: [] }, { most: 5 }).nodes.map(({ service }) => service)).toEqual(['shop', 'back'])
})

test('services whose names tell nothing stand together by who calls them', () => {
  const called = ['zeus', 'atlas', 'hera', 'ares'].map((id) => node(id))
  const { nodes } = readableGraph(
    { nodes: [node('gate'), ...called], edges: called.map(({ id }) => edge('gate', id)) },
    { most: 3 },
  )
  expect(nodes.map(({ service }) => service)).toEqual(['gate', 'called by gate'])
})

test('the cause of an incident is never hidden in a group, and a group tells its worst', () => {
  const nodes = shop.nodes.map((each) => ({
    ...each,
    state: each.id === 'billing-core' ? ('cause' as const) : each.id === 'orders-api' ? ('hit' as const) : each.state,
  }))
  const shown = readableGraph({ ...shop, nodes }, { most: 5 })
  expect(shown.nodes.map(({ service, state }) => [service, state])).toEqual([
    ['billing-core', 'cause'],
    ['orders', 'hit'],
    ['billing', 'ok'],
    ['mail', 'ok'],
  ])
})

test('an open group shows its members, and the groups that they call or are called by', () => {
  const { nodes, edges } = readableGraph(shop, { most: 5, open: 'billing' })
  expect(nodes.map(({ service }) => service).toSorted()).toEqual([
    'billing-api',
    'billing-core',
    'billing-worker',
    'mail',
    'orders',
  ])
  expect(edges).toContainEqual(expect.objectContaining({ from: 'group orders', to: 'billing-api', calls: 20 }))
  expect(readableGraph(shop, { most: 5, open: 'gone' })).toEqual(readableGraph(shop, { most: 5 }))
})

test('the shape of a grouped map does not change with its figures', () => {
  const shapeOf = (graph: typeof shop) => readableGraph(graph, { most: 5 }).nodes.map(({ id }) => id)
  const busier = {
    ...shop,
    nodes: shop.nodes.map((each, i) => ({
      ...each,
      calls: i * 100,
      errors: i,
      state: i % 2 === 0 ? ('failing' as const) : ('quiet' as const),
    })),
  }
  expect(shapeOf(busier)).toEqual(shapeOf(shop))
})

test('in a grid callers stand before those whom they call, and its shape is that of the window', () => {
  const { places, routes } = inGrid(readableGraph(shop, { most: 5 }), 100)
  expect([...places.values()].map(({ y }) => y)).toEqual([0, 0, 0])
  expect([...places].toSorted(([, a], [, b]) => a.x - b.x).map(([id]) => id)).toEqual([
    'group orders',
    'group billing',
    'group mail',
  ])
  expect(routes.size).toBe(2)
})

test('in a tall window callers stand above those whom they call, two beside one another', () => {
  const { places } = inRows(
    {
      nodes: ['gate', 'a', 'b', 'c', 'below'].map((id) => node(id)),
      edges: [edge('gate', 'a'), edge('gate', 'b'), edge('gate', 'c'), edge('c', 'below')],
    },
    0.6,
  )
  const rows = Map.groupBy(places, ([, { y }]) => y)
  expect([...rows.values()].map((row) => row.map(([id]) => id))).toEqual([['gate'], ['a', 'b'], ['c'], ['below']])
})

test.each([
  ['a grid', inGrid],
  ['rows', inRows],
])('in %s no node stands on another', (_name, layOut) => {
  const graphs = fc
    .tuple(
      fc.integer({ min: 1, max: 80 }),
      fc.array(fc.tuple(fc.nat(79), fc.nat(79)), { maxLength: 200 }),
      fc.integer({ min: 1, max: 16 }),
    )
    .map(([count, links, quarters]) => ({
      nodes: Array.from({ length: count }, (_, i) => node(`n${i}`)),
      edges: links.flatMap(([from, to]) => (from < count && to < count ? [edge(`n${from}`, `n${to}`)] : [])),
      aspect: quarters / 4,
    }))
  fc.assert(
    fc.property(graphs, ({ nodes, edges, aspect }) => {
      const placed = [...layOut({ nodes, edges }, aspect).places.values()]
      expect(placed).toHaveLength(nodes.length)
      const standsOn = placed.flatMap((a, i) =>
        placed
          .slice(i + 1)
          .filter((b) => Math.abs(a.x - b.x) < nodeWidth && Math.abs(a.y - b.y) < nodeHeight)
          .map((b) => [a, b]),
      )
      expect(standsOn).toEqual([])
    }),
  )
})

test('a way is drawn with round corners and labelled in the middle of its longest part', () => {
  const { path, middle } = pathOf([
    { x: 0, y: 0 },
    { x: 10, y: 0 },
    { x: 10, y: 100 },
    { x: 30, y: 100 },
  ])
  expect(path).toBe('M0,0L5,0Q10,0 10,7L10,93Q10,100 17,100L30,100')
  expect(middle).toEqual({ x: 10, y: 50 })
  expect(pathOf([]).path).toBe('')
})
