import { bucketOf } from '@headwater/vocabulary'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Aspect, FlowSeason, type SlotCounts } from './flow-season.ts'
import { parameters } from './parameters.ts'
import { benjaminiHochberg } from './stats/benjamini-hochberg.ts'
import { chance } from './test-table.ts'

const { slotMs } = parameters.seasons
const hours = 12
const days = 24 * hours
/** A Monday by the clock of wherever this runs. */
const mondayMs = new Date(2026, 10, 2).getTime()

/** What is done to a flow from a slot on. */
interface Told {
  from: number
  to: number
  traffic?: number
  failing?: number
  /** How many times as long calls take. */
  slower?: (slot: number) => number
}

/**
 * The counts of a flow: 800 calls in five minutes at noon and 100 at midnight, half as many on weekends; the counts vary by a tenth beyond
 * chance, a call in two hundred fails, and calls take 100 ms, at noon a fifth longer.
 */
function countsAt(slot: number, next: () => number, told: readonly Told[]): SlotCounts {
  const normal = (): number => (next() + next() + next() + next() - 2) * Math.sqrt(3)
  const now = told.filter(({ from, to }) => slot >= from && slot < to)
  const isWeekend = Math.floor(slot / days) % 7 >= 5
  const season = (1 - Math.cos((2 * Math.PI * slot) / days)) / 2
  const factor = now.reduce((product, { traffic = 1 }) => product * traffic, 1)
  const due = (100 + 700 * season) * (isWeekend ? 0.5 : 1) * factor
  const calls = Math.max(0, Math.round(due + Math.sqrt(due + due ** 2 / 100) * normal()))
  const share = now.reduce((most, { failing = 0 }) => Math.max(most, failing), 0.005)
  const errors = Math.min(calls, Math.max(0, Math.round(calls * share + Math.sqrt(calls * share) * normal())))
  const slower = now.reduce((product, { slower: by = () => 1 }) => product * by(slot), 1)
  const bucket = bucketOf(100e6 * (1 + 0.2 * season) * slower) + 0.5 * normal()
  return { calls, errors, buckets: Math.round(calls * bucket) }
}

/** Slots in which each aspect is told. */
function toldOf({
  slots,
  told = [],
  seed = 1,
}: {
  slots: number
  told?: Told[]
  seed?: number
}): Record<Aspect, number[]> {
  const flow = new FlowSeason({ service: 'gateway', operation: 'POST /orders' })
  const next = chance(seed)
  const all: Record<Aspect, number[]> = { traffic: [], errors: [], latency: [] }
  for (let slot = 0; slot < slots; slot += 1) {
    const counts = countsAt(slot, next, told)
    const fromMs = mondayMs + slot * slotMs
    const views = flow.views(fromMs, counts)
    const pValueMax = benjaminiHochberg(
      views.map(({ pValue }) => pValue),
      parameters.seasons.falseDiscoveryRate,
    )
    for (const { aspect } of flow.follow(fromMs + slotMs, views, pValueMax)) all[aspect].push(slot)
    flow.learn(fromMs, counts)
  }
  return all
}

const nothing = { traffic: [], errors: [], latency: [] }
/** Noon of the Thursday of the second week. */
const noon = 10 * days + 12 * hours

describe('a flow', () => {
  test('that goes by its seasons is never told, not on its first weekend, and not for two weeks', () => {
    for (const seed of [1, 2, 3, 4, 5]) expect(toldOf({ slots: 15 * days, seed })).toEqual(nothing)
  })

  test('of which not three days are known says nothing, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.record({
          from: fc.integer({ min: 0, max: 3 * days }),
          traffic: fc.constantFrom(0, 0.1, 1),
          failing: fc.constantFrom(0, 0.5),
        }),
        (one) => {
          expect(toldOf({ slots: 3 * days, told: [{ ...one, to: 3 * days, slower: () => 5 }] })).toEqual(nothing)
        },
      ),
      { numRuns: 10 },
    )
  })

  test('that loses two thirds of its traffic is told within a quarter of an hour, until it is back', () => {
    const { traffic, errors, latency } = toldOf({
      slots: noon + 3 * hours,
      told: [{ from: noon, to: noon + hours, traffic: 0.3 }],
    })
    expect(traffic[0]).toBeLessThanOrEqual(noon + 2)
    expect(traffic.at(-1)).toBe(noon + hours - 1)
    expect([errors, latency]).toEqual([[], []])
  })

  test('at noon as empty as at midnight is told, and at midnight not', () => {
    const midnight = { from: noon + days / 2 - hours, to: noon + days / 2 + hours, traffic: 1 }
    expect(toldOf({ slots: noon + days, told: [midnight] })).toEqual(nothing)
    expect(toldOf({ slots: noon + 4, told: [{ from: noon, to: noon + 4, traffic: 1 / 8 }] }).traffic).not.toEqual([])
  })

  test('that is down again the next day is told again', () => {
    const again = [noon, noon + days].map((from) => ({ from, to: from + 2 * hours, traffic: 0 }))
    const { traffic } = toldOf({ slots: noon + days + 3 * hours, told: again })
    expect(traffic.filter((slot) => slot < noon + days).length).toBeGreaterThan(2 * hours - 4)
    expect(traffic.filter((slot) => slot >= noon + days).length).toBeGreaterThan(2 * hours - 4)
  })

  test('that has lost half of its users for good is told at first, and later it is usual', () => {
    const { traffic } = toldOf({ slots: noon + 8 * days, told: [{ from: noon, to: Infinity, traffic: 0.3 }] })
    expect(traffic[0]).toBeLessThanOrEqual(noon + 2)
    expect(traffic.filter((slot) => slot > noon + 4 * days)).toEqual([])
  })

  test('that grows slower by a twelfth each hour is told within eight, though no hour differs much from the one before', () => {
    const from = noon - 4 * hours
    const slower = (slot: number): number => 1.08 ** ((slot - from) / hours)
    const { latency, traffic } = toldOf({ slots: from + 10 * hours, told: [{ from, to: Infinity, slower }] })
    expect(latency[0]).toBeGreaterThan(from)
    expect(latency[0]).toBeLessThan(from + 8 * hours)
    expect(traffic).toEqual([])
  })

  test('of which slowly more fails is told', () => {
    const { errors } = toldOf({ slots: noon + 4 * hours, told: [{ from: noon, to: Infinity, failing: 0.05 }] })
    expect(errors[0]).toBeLessThanOrEqual(noon + 3)
  })

  test('the more of its traffic is missing, the sooner it is told', () => {
    const first = (traffic: number): number =>
      toldOf({ slots: noon + hours, told: [{ from: noon, to: Infinity, traffic }] }).traffic[0] ?? Infinity
    expect(first(0)).toBeLessThanOrEqual(first(0.2))
    expect(first(0.2)).toBeLessThanOrEqual(first(0.4))
    expect(first(0.9)).toBe(Infinity)
  })
})
