import type { EdgeSummary, RecentEdge } from '@headwater/store'
import { expect, test } from 'vitest'
import { histogramOf, incident } from '../test-world.ts'
import { nodesMax, snapshotOf } from './snapshot.ts'

const hourly = (caller: string, service: string, kind: EdgeSummary['kind'] = 'sync'): EdgeSummary => ({
  caller,
  service,
  kind,
  operations: [],
  calls: 1_000,
  errors: 0,
  p95Ms: 10,
})

const recent = (
  caller: string,
  service: string,
  {
    kind = 'sync',
    calls = 60,
    errors = 0,
    ms = 10,
  }: { kind?: RecentEdge['kind']; calls?: number; errors?: number; ms?: number } = {},
): RecentEdge => ({ caller, service, kind, calls, errors, duration: histogramOf(ms, calls) })

const at = { sinceMs: 0, untilMs: 60_000, nowMs: 66_000 }

test('services of the last hour stay on the map while they are quiet, and new ones join at once', () => {
  const { nodes, edges } = snapshotOf({
    ...at,
    hour: [hourly('', 'gateway', 'entry'), hourly('gateway', 'math')],
    recent: [recent('', 'gateway', { kind: 'entry' }), recent('gateway', 'pdf')],
    incidents: [],
  })
  expect(nodes.map(({ id, state, perSecond }) => [id, state, perSecond])).toEqual([
    ['gateway', 'ok', 1],
    ['math', 'quiet', 0],
    ['pdf', 'ok', 1],
  ])
  expect(edges.map(({ from, to, calls }) => [from, to, calls])).toEqual([
    ['gateway', 'math', 0],
    ['gateway', 'pdf', 60],
  ])
})

test('the figures of a service are those of all calls into it', () => {
  const { nodes } = snapshotOf({
    ...at,
    hour: [],
    recent: [
      recent('a', 'math', { calls: 90, errors: 3, ms: 10 }),
      recent('b', 'math', { calls: 10, errors: 7, ms: 500 }),
    ],
    incidents: [],
  })
  const math = nodes.find(({ id }) => id === 'math')
  expect(math).toMatchObject({ calls: 100, errors: 10, state: 'failing' })
  expect(math?.p50Ms).toBeCloseTo(10, 0)
  expect(math?.p95Ms ?? 0).toBeGreaterThan(450)
})

test('few failures say nothing; an open incident says more than they do', () => {
  const calls = [recent('gateway', 'math', { calls: 4, errors: 4 }), recent('gateway', 'pdf', { calls: 5, errors: 1 })]
  const plain = snapshotOf({ ...at, hour: [], recent: calls, incidents: [] })
  expect(plain.nodes.map(({ id, state }) => [id, state])).toEqual([
    ['gateway', 'quiet'],
    ['math', 'ok'],
    ['pdf', 'failing'],
  ])
  const told = snapshotOf({ ...at, hour: [], recent: calls, incidents: [incident('a')] })
  expect(told.nodes.map(({ id, state }) => [id, state])).toEqual([
    ['gateway', 'hit'],
    ['math', 'cause'],
    ['pdf', 'failing'],
  ])
  expect(told.incidents).toMatchObject([
    { id: 'a', cause: { service: 'math' }, flows: 2, runsAffected: 7, usersAffected: 4 },
  ])
})

test('queues and peers without spans are nodes of their own kinds', () => {
  const { nodes, edges } = snapshotOf({
    ...at,
    hour: [],
    recent: [recent('gateway', 'orders', { kind: 'publish' }), recent('gateway', 'db:5432', { kind: 'peer' })],
    incidents: [],
  })
  expect(nodes.map(({ id, kind }) => [id, kind])).toEqual([
    ['gateway', 'service'],
    ['peer:db:5432', 'peer'],
    ['queue:orders', 'queue'],
  ])
  expect(edges.map(({ to, kind, calls }) => [to, kind, calls])).toEqual([
    ['queue:orders', 'publish', 60],
    ['peer:db:5432', 'peer', 60],
  ])
})

test('of more nodes than anybody could read, the busiest stay, and the answer says so', () => {
  const many = Array.from({ length: nodesMax + 5 }, (_, i) => recent('', `s${i}`, { kind: 'entry', calls: i + 1 }))
  const { nodes, truncated } = snapshotOf({ ...at, hour: [], recent: many, incidents: [] })
  expect(nodes).toHaveLength(nodesMax)
  expect(truncated).toBe(true)
  expect(Math.min(...nodes.map(({ calls }) => calls))).toBe(6)
})
