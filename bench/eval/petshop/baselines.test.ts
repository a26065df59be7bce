import type { Component } from '@headwater/analyzer'
import { expect, test } from 'vitest'
import { baroScorer, deepestAnomalous, mostAbnormal } from './baselines.ts'

/** A component with past and present mean times in ms, a hundred calls each. */
function component(name: string, before: number[], now: number[]): Component {
  const intervals = (values: number[]) =>
    values.map((ms, at) => ({ startMs: at * 300_000, calls: 100, failed: 0, durationNs: 100 * ms * 1e6 }))
  return { name, before: intervals(before), now: intervals(now) }
}

// Medians 10, 20 and 30; the middle of the distances from them is 1, 2 and 10.
const site = component('site', [9, 10, 10, 11, 12, 9, 11], [10, 10, 40])
const search = component('search', [18, 20, 20, 22, 24, 18, 22], [20, 20, 44])
const table = component('table', [20, 30, 30, 40, 50, 20, 40], [30, 30, 31])
const graph = [
  { caller: 'site', callee: 'search' },
  { caller: 'search', callee: 'table' },
]

test('the most abnormal is the one that is farthest from its past, here the one that only waits', () => {
  expect(mostAbnormal([table, search, site], 'latency')).toEqual(['site', 'search', 'table'])
})

test('the deepest anomalous has no anomalous callee', () => {
  const shown = [site, search, table]
  expect(deepestAnomalous({ entry: 'site', aspect: 'latency', shown, graph })).toEqual(['search'])
  const well = component('site', [9, 10, 10, 11], [10, 10, 10])
  expect(deepestAnomalous({ entry: 'site', aspect: 'latency', shown: [well, search, table], graph })).toEqual([])
})

test('what never moved before is infinitely far away once it moves', () => {
  const steady = component('steady', [5, 5, 5, 5], [5, 5, 6])
  expect(mostAbnormal([site, steady], 'latency')).toEqual(['steady', 'site'])
})

test("BARO's scorer counts interquartile ranges over all series of a component", () => {
  // 30 over 2, and 24 over 4, both in ms; the numbers of calls do not move.
  expect(baroScorer([search, site])).toEqual(['site', 'search'])
})
