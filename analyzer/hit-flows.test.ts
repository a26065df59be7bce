import type { MissingRuns } from '@headwater/vocabulary'
import { expect, test } from 'vitest'
import { hitFlows } from './hit-flows.ts'

const missing = (runs: number, cameLater = 0): MissingRuns => ({
  runs,
  low: runs / 2,
  high: runs * 1.5,
  cameLater,
  expected: runs + 100,
  seen: 100,
  from: '2026-11-20T12:00:00.000Z',
  to: '2026-11-20T12:01:00.000Z',
  pValue: 1e-9,
})

test('runs that did not come are runs of the flow, and hit', () => {
  const [flow] = hitFlows(
    [{ name: 'POST /orders', runs: 100, runsAffected: 20, counted: 100 }],
    new Map([['POST /orders', missing(60)]]),
  )
  expect(flow).toMatchObject({ name: 'POST /orders', runs: 160, runsAffected: 80, share: 0.5 })
  // 20 of 100 is 13 to 29 %; with 30 and 90 missing that is (13 + 30) / 130 and (29 + 90) / 190.
  expect(flow?.low).toBeCloseTo(43 / 130, 1)
  expect(flow?.high).toBeCloseTo(119 / 190, 1)
})

test('those that came later than due are among the runs already', () => {
  const [flow] = hitFlows(
    [{ name: 'POST /orders', runs: 100, runsAffected: 20, counted: 100 }],
    new Map([['POST /orders', missing(60, 40)]]),
  )
  expect(flow).toMatchObject({ runs: 120, runsAffected: 80 })
})

test('a flow of which nothing else went wrong is hit, too, and those with most runs that are hit come first', () => {
  const flows = hitFlows(
    [{ name: 'POST /orders', runs: 100, runsAffected: 20.4, counted: 100 }],
    new Map([['GET /image', missing(60)]]),
  )
  expect(flows).toMatchObject([
    { name: 'GET /image', runs: 160, runsAffected: 60, share: 0.375 },
    { name: 'POST /orders', runs: 100, runsAffected: 20, share: 0.2 },
  ])
  expect(flows[1]?.missing).toBeUndefined()
})

test('of runs that stand for others the interval is wider, and the share the same', () => {
  const [one] = hitFlows([{ name: 'POST /orders', runs: 100, runsAffected: 20, counted: 100 }], new Map())
  const [few] = hitFlows([{ name: 'POST /orders', runs: 100, runsAffected: 20, counted: 10 }], new Map())
  expect(few?.share).toBe(one?.share)
  expect(few?.low).toBeLessThan(one?.low ?? 0)
  expect(few?.high).toBeGreaterThan(one?.high ?? 1)
})
