import { expect, test } from 'vitest'
import { clusterPeers, type MapEdge, type MapNode, neighbourhood, pathOf } from './layout.ts'

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
