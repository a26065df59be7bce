import type { OperationEdge } from '@headwater/store'
import { expect, test } from 'vitest'
import { dependentsOf } from './reach.ts'

/** `a>b` a calls b, `a~b` b consumes what a sends. One operation each. */
function edges(text: string): OperationEdge[] {
  return text.split(' ').map((edge) => {
    const [caller = '', service = ''] = edge.split(/[>~]/)
    const kind = edge.includes('~') ? 'async' : caller === '' ? 'entry' : 'sync'
    return { caller, callerOperation: 'op', service, operation: 'op', kind }
  })
}

const dependents = (text: string, place: string) =>
  dependentsOf(edges(text), ({ service }) => service === place)
    .map(({ service }) => service)
    .toSorted()

test.each([
  ['>a a>b b>c', 'c', ['a', 'b']],
  ['>a a>b b>c', 'a', []],
  ['>a a>b a~w w>d', 'b', ['a', 'w']],
  ['>a a~w w>d', 'a', ['w']],
  ['>a a~w w>d', 'd', ['w']],
  ['>a a>b b>a', 'b', ['a', 'b']],
])('in %s the failure of %s is felt by %j', (graph, place, felt) => {
  expect(dependents(graph, place)).toEqual(felt)
})
