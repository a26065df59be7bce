import fc from 'fast-check'
import { expect, test } from 'vitest'
import { operationKey, pictureOf } from './picture.ts'
import { callsIn, shop } from './test-table.ts'

test('an operation adds up all who call it, and an edge all operations that answer it', () => {
  const { operations, edges } = pictureOf(
    callsIn(`
      - > math POST /solve: 10 calls, 2 failed, 2 by itself
      gateway GET /report > math POST /solve: 30 calls, 3 failed, 1 by itself
      gateway GET /report > math POST /sum: 5 calls`),
  )
  expect(operations.get(operationKey('math', 'POST /solve'))).toMatchObject({
    calls: 40,
    errors: 5,
    originErrors: 3,
    entries: 10,
    isRoot: true,
  })
  expect(operations.get(operationKey('math', 'POST /sum'))).toMatchObject({ calls: 5, entries: 0, isRoot: false })
  expect([...edges.values()]).toMatchObject([
    { caller: 'gateway', callerOperation: 'GET /report', service: 'math', calls: 35, unanswered: 0, async: false },
  ])
  expect([...(edges.values().next().value?.operations ?? [])]).toEqual([
    ['POST /solve', 30],
    ['POST /sum', 5],
  ])
})

test('answered and unanswered calls of one callee are one edge, and only the unanswered keep their time at the caller', () => {
  const { edges, operations, served, made } = pictureOf(
    callsIn(`
      gateway GET /report > math POST /solve: 30 calls, 5 ms
      gateway GET /report ?> math: 10 calls, 2 ms, 9 failed`),
  )
  const [edge] = edges.values()
  expect(edge).toMatchObject({ calls: 40, unanswered: 10, unansweredErrors: 9 })
  expect((edge?.durationNs ?? 0) / 10 / 2e6).toBeCloseTo(1, 1)
  // Without a span of its own nothing was served.
  expect([...operations.keys()]).toEqual([operationKey('math', 'POST /solve')])
  expect([...served]).toEqual([['math', 30]])
  expect([...made]).toEqual([['gateway', 30]])
})

test("a failed call that was answered is the callee's error, not an unanswered one", () => {
  const [edge] = pictureOf(callsIn('gateway GET / > math POST /solve: 30 calls, 9 failed')).edges.values()
  expect(edge).toMatchObject({ unanswered: 0, unansweredErrors: 0 })
})

test('messages sent count for their sender, and are no calls', () => {
  const { published, operations, edges } = pictureOf(
    callsIn(`
      orders POST /orders >> mails: 7 calls
      orders POST /orders >> invoices: 3 calls
      orders POST /orders ~> mailer process: 7 calls`),
  )
  expect([...published]).toEqual([['orders', 10]])
  expect([...operations.keys()]).toEqual([operationKey('mailer', 'process')])
  expect([...edges.values()]).toMatchObject([{ service: 'mailer', async: true, calls: 7 }])
})

test('it knows which flows pass a service', () => {
  const { flowsThrough } = pictureOf(shop(10))
  expect([...(flowsThrough.get('gateway') ?? [])]).toEqual(['POST /orders', 'GET /products'])
  expect([...(flowsThrough.get('mailer') ?? [])]).toEqual(['POST /orders'])
})

test('of nothing there is an empty picture', () => {
  const picture = pictureOf([])
  expect(Object.values(picture).every(({ size }) => size === 0)).toBe(true)
})

test('the picture of two times is the same in whatever order their states come, and states stay as they are', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 500 }), (first, second) => {
      const states = [...shop(first), ...shop(second)]
      const given = structuredClone(states)
      const ordered = pictureOf(states)
      const turned = pictureOf(states.toReversed())
      expect(states).toEqual(given)
      for (const [key, { calls, duration }] of ordered.operations) {
        expect(turned.operations.get(key)).toMatchObject({ calls, duration })
      }
      for (const [key, { calls }] of ordered.edges) expect(turned.edges.get(key)?.calls).toBe(calls)
      expect(turned.served).toEqual(ordered.served)
    }),
    { numRuns: 30 },
  )
})
