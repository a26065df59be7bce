import { expect, test } from 'vitest'
import { disturbances, flowOf, type Outcome } from './outcomes.ts'
import type { FleetEvent } from './record.ts'
import { isSeenByUsers, shareErrors, trueImpact, usualDurations } from './true-impact.ts'

const second = 1_000
const latency: FleetEvent = {
  what: 'fault',
  kind: 'latency',
  service: 'crypto',
  operation: 'POST /sign',
  fromMs: 100 * second,
  toMs: 150 * second,
}
const errors: FleetEvent = { ...latency, kind: 'errors' }

function sign(sentS: number, durationMs: number, status: number | null = 200): Outcome {
  return { method: 'POST', path: '/sign', sentAtMs: sentS * second, durationMs, status }
}

test('a request belongs to the route that it meets', () => {
  expect(flowOf({ method: 'GET', path: '/report/8f3c' })).toBe('GET /report/:id')
  expect(flowOf({ method: 'POST', path: '/report' })).toBe('POST /report')
  expect(flowOf({ method: 'GET', path: '/invoice/1234' })).toBe('GET /invoice/:id')
})

test('usual is the median outside of faults', () => {
  const outcomes = [sign(10, 40), sign(20, 60), sign(30, 80), sign(120, 900), sign(155, 900)]
  expect(usualDurations(outcomes, [latency])).toEqual(new Map([['POST /sign', 60]]))
})

test('a fault hits whom it fails, and one that makes slow also who waits longer by half of what it adds', () => {
  const outcomes = [
    sign(99, 500, 500),
    sign(99, 1_500, 500),
    sign(110, 40, 502),
    sign(115, 10_000, null),
    sign(120, 420),
    sign(125, 400),
    sign(130, 40, 422),
    sign(149, 40, 500),
  ]
  const asked = { untilMs: 140 * second, usual: new Map([['POST /sign', 60]]) }
  // Six of them ended between 100 and 140 s.
  expect(trueImpact(outcomes, errors, asked)).toEqual(new Map([['POST /sign', { requests: 6, share: 3 / 6 }]]))
  expect(trueImpact(outcomes, latency, asked)).toEqual(new Map([['POST /sign', { requests: 6, share: 4 / 6 }]]))
})

test('shares are compared where a flow is hit or is told to be', () => {
  const truth = new Map([
    ['POST /sign', { requests: 50, share: 0.5 }],
    ['POST /convert', { requests: 50, share: 0.04 }],
    ['POST /report', { requests: 50, share: 0 }],
    ['POST /forecast', { requests: 50, share: 0.2 }],
  ])
  const told = [
    { name: 'POST /sign', share: 0.4 },
    { name: 'POST /report', share: 0.1 },
    { name: 'process reports', share: 1 },
  ]
  expect(shareErrors(told, truth, errors)).toEqual([
    { flow: 'POST /sign', told: 0.4, true: 0.5 },
    { flow: 'POST /report', told: 0.1, true: 0 },
    { flow: 'POST /forecast', told: 0, true: 0.2 },
  ])
})

test('a report fails unseen when the worker cannot hash it', () => {
  expect(isSeenByUsers('POST /report', { ...errors, operation: 'POST /hash' })).toBe(false)
  expect(isSeenByUsers('POST /report', { ...errors, kind: 'crash' })).toBe(false)
  expect(isSeenByUsers('POST /sign', { ...errors, kind: 'crash' })).toBe(true)
  expect(isSeenByUsers('POST /report', { ...latency, operation: 'POST /hash' })).toBe(true)
  expect(isSeenByUsers('POST /report', errors)).toBe(true)
})

test('it is the machine that keeps users waiting where nothing answers, or nothing is wrong with the fleet', () => {
  const quick = Array.from({ length: 19 }, (_, index) => sign(10 + index * 0.1, 40))
  const during = Array.from({ length: 19 }, (_, index) => sign(110 + index * 0.1, 40, 500))
  const found = (outcome: Outcome): number[] =>
    disturbances([...quick, ...during, outcome], [errors]).map(({ fromMs }) => fromMs / second)
  expect(found(sign(12, 2_500))).toEqual([10])
  expect(found(sign(12, 40, 502))).toEqual([10])
  expect(found(sign(12, 1_500))).toEqual([])
  expect(found(sign(112, 2_500, 500))).toEqual([])
  expect(found(sign(112, 10_000, null))).toEqual([110])
})
