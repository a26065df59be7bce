import { expect, test } from 'vitest'
import { blastRows, callersOf, trueRadius, withAncestors } from './blast-radius.ts'

const call = (caller: string, callee: string) => ({ caller, callee, startUs: 0, latencyUs: 1, status: 200 })

test('all who call a service are its ancestors, also in a circle', () => {
  const callers = callersOf([call('door', 'a'), call('a', 'b'), call('b', 'a'), call('b', 'c'), call('c', 'c')])
  expect([...withAncestors(['b'], callers)].toSorted()).toEqual(['a', 'b', 'door'])
})

test('a fault reaches those who called its culprit in an affected trace', () => {
  const traces = [
    { id: '1', spans: [call('door', 'a'), call('a', 'b'), call('a', 'c')] },
    { id: '2', spans: [call('x', 'b')] },
  ]
  expect([...trueRadius(traces, { culprits: ['b'], affected: new Set(['1']) })].toSorted()).toEqual(['a', 'b', 'door'])
})

test('precision and recall are over all services of all incidents', () => {
  const truth = new Set(['a', 'b'])
  const rows = blastRows(
    [{ kind: 'delay', truth, told: { ours: new Set(['a']), floor: new Set(['a', 'b', 'c', 'd']) } }],
    'set',
  )
  expect(rows).toMatchObject([
    { id: 'blast_precision', value: 1, floor: 0.5, goal: '≥ 0.75', met: true },
    { id: 'blast_recall', value: 0.5, floor: 1, goal: '≥ 1', met: false },
  ])
})
