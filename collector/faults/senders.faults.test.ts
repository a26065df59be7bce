import { afterAll, beforeAll, expect, test } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { readBooks, sumOf } from './test-books.ts'
import { type CollectorProcess, type Headwater, startHeadwater } from './test-headwater.ts'
import { goThrough, startBoth, targetsOf } from './test-rounds.ts'

let headwater: Headwater
let collectors: CollectorProcess[]
const loadMs = 2_000

beforeAll(async () => {
  headwater = await startHeadwater()
  collectors = await startBoth(headwater)
})

afterAll(() => headwater?.stop())

test('senders end in the midst of a body and send again: nothing is lost or counted twice', async () => {
  const { lost, twice } = await goThrough({
    name: 'client aborts mid-body',
    headwater,
    targets: targetsOf(collectors),
    happens: () => sleep(loadMs),
    mishapsOf: (index) => (index % 2 === 0 ? [{ abortAfterBytes: 1 + ((index * 37) % 400) }] : []),
  })
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
})

test('senders do not wait for the answer and send the same bytes again, at once or later: nothing is counted twice', async () => {
  const duplicatesBefore = sumOf(await readBooks(headwater.store)).duplicate
  const { lost, twice } = await goThrough({
    name: 'client times out and resends',
    headwater,
    targets: targetsOf(collectors),
    happens: () => sleep(loadMs),
    // A copy comes while the first is on its way, and another one after its sender has lost patience once more.
    mishapsOf: (index) => (index % 3 === 0 ? [] : [{ timeoutMs: 1 + (index % 12) }, { timeoutMs: 1 + (index % 40) }]),
    resendsOf: (index) => index % 5 === 0,
  })
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
  expect(sumOf(await readBooks(headwater.store)).duplicate).toBeGreaterThan(duplicatesBefore)
})
