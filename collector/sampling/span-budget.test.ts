import { describe, expect, test } from 'vitest'
import { SpanBudget } from './span-budget.ts'
import { seededRandom } from './test-traffic.ts'

const budgetRate = 10_000

interface Arrivals {
  seconds: number
  /** Multiples of the budget. */
  certainAt?: (second: number) => number
  restAt: (second: number) => number
  requestsPerSecond?: number
}

/** What a budget keeps in each second, as a multiple of itself, and the chances at the end of the second. */
function kept(
  { seconds, certainAt = () => 0, restAt, requestsPerSecond = 100 }: Arrivals,
  random?: () => number,
): { kept: number; chance: number; certainChance: number }[] {
  const budget = new SpanBudget(budgetRate)
  return Array.from({ length: seconds }, (_, second) => {
    let sum = 0
    for (let request = 0; request < requestsPerSecond; request += 1) {
      const at = second + request / requestsPerSecond
      budget.advance(at * 1_000)
      // Requests come at random: none, one or more where one is expected.
      const size = (random === undefined ? 1 : poisson(random)) * (budgetRate / requestsPerSecond)
      const certain = Math.round(certainAt(at) * size)
      const rest = Math.round(restAt(at) * size)
      for (let span = 0; span < certain; span += 1) budget.note(true)
      for (let span = 0; span < rest; span += 1) budget.note(false)
      sum += certain * budget.certainChance + rest * budget.chance
    }
    return { kept: sum / budgetRate, chance: budget.chance, certainChance: budget.certainChance }
  })
}

/** Of mean 1. */
function poisson(random: () => number): number {
  let count = 0
  for (let product = random(); product > Math.exp(-1); product *= random()) count += 1
  return count
}

/** How far from the budget the worst second was, as a share of it. */
function farthest(multiples: readonly { kept: number }[]): number {
  return Math.max(...multiples.map((multiple) => Math.abs(multiple.kept - 1)))
}

test('below the budget nothing is shed', () => {
  for (const { chance, certainChance } of kept({ seconds: 20, restAt: () => 0.95 })) {
    expect([chance, certainChance]).toEqual([1, 1])
  }
})

test('below the budget nothing is shed though requests come at random', () => {
  const seconds = kept({ seconds: 60, restAt: () => 0.8, requestsPerSecond: 200 }, seededRandom(1))
  expect(seconds.map(({ chance }) => chance)).toEqual(Array.from({ length: 60 }, () => 1))
})

describe('three seconds after a change as much is kept as the budget says, within a tenth', () => {
  test.each([1.2, 1.5, 2, 3, 10, 100])('a step to %f times the budget', (to) => {
    expect(farthest(kept({ seconds: 20, restAt: (second) => (second < 5 ? 0.5 : to) }).slice(8))).toBeLessThan(0.1)
  })

  test('a step down, while still above', () => {
    expect(farthest(kept({ seconds: 20, restAt: (second) => (second < 8 ? 5 : 1.3) }).slice(11))).toBeLessThan(0.1)
  })

  test('a step down to below the budget ends all shedding', () => {
    const seconds = kept({ seconds: 20, restAt: (second) => (second < 8 ? 5 : 0.9) })
    expect(seconds.slice(11).map(({ chance }) => chance)).toEqual(Array.from({ length: 9 }, () => 1))
  })

  test('a ramp from half to three times the budget within half a minute', () => {
    const seconds = kept({ seconds: 40, restAt: (second) => Math.min(3, 0.5 + second / 12) })
    expect(farthest(seconds.slice(9))).toBeLessThan(0.1)
  })

  test('a ramp down', () => {
    const seconds = kept({ seconds: 30, restAt: (second) => Math.max(1.2, 4 - second / 10) })
    expect(farthest(seconds.slice(3))).toBeLessThan(0.1)
  })

  test('a burst of ten seconds at three times the budget', () => {
    const seconds = kept({ seconds: 30, restAt: (second) => (second >= 10 && second < 20 ? 3 : 0.7) })
    expect(farthest(seconds.slice(13, 20))).toBeLessThan(0.1)
    expect(seconds.slice(24).map(({ chance }) => chance)).toEqual(Array.from({ length: 6 }, () => 1))
  })
})

test('within two seconds of a burst no more than the budget and a fifth is kept', () => {
  const seconds = kept({ seconds: 10, restAt: (second) => (second < 5 ? 0.5 : 3) })
  expect(seconds[7]?.kept).toBeLessThan(1.2)
})

test('requests that come at random leave the mean at the budget, and the chance does not swing', () => {
  const seconds = kept({ seconds: 120, restAt: () => 3, requestsPerSecond: 200 }, seededRandom(2)).slice(5)
  const mean = seconds.reduce((sum, second) => sum + second.kept, 0) / seconds.length
  expect(mean).toBeGreaterThan(0.95)
  expect(mean).toBeLessThan(1.05)
  for (const { chance } of seconds) expect(Math.abs(chance * 3 - 1)).toBeLessThan(0.3)
})

test('under an even load the chance does not move at all', () => {
  const chances = kept({ seconds: 60, restAt: () => 3 }).map(({ chance }) => chance)
  expect(new Set(chances.slice(5)).size).toBe(1)
})

describe('what is certain', () => {
  test('is kept whole while it leaves a tenth to the rest', () => {
    const last = kept({ seconds: 20, certainAt: () => 0.6, restAt: () => 4 }).at(-1)
    expect(last?.certainChance).toBe(1)
    expect(last?.kept).toBeCloseTo(1, 1)
  })

  test('is thinned in an outage, so that the budget holds, and the rest keeps a tenth', () => {
    const seconds = kept({ seconds: 30, certainAt: (second) => (second < 10 ? 0.01 : 20), restAt: () => 2 })
    expect(farthest(seconds.slice(13))).toBeLessThan(0.1)
    expect((seconds.at(-1)?.chance ?? 0) * 2).toBeCloseTo(0.1, 1)
  })

  test('never has a smaller chance than the rest', () => {
    const last = kept({ seconds: 20, certainAt: () => 20, restAt: () => 0.01 }).at(-1)
    expect(last?.certainChance).toBe(last?.chance)
    expect(last?.kept).toBeCloseTo(1, 1)
  })
})

describe('a clock', () => {
  test('that jumps back an hour leaves the chance as it is, and it follows again', () => {
    const seconds: number[] = []
    const budget = new SpanBudget(1_000)
    for (let at = 0; at < 200; at += 1) {
      budget.advance(at * 100 - (at >= 100 ? 3_600_000 : 0))
      for (let span = 0; span < 200; span += 1) budget.note(false)
      seconds.push(budget.chance)
    }
    expect(seconds[100]).toBe(seconds[99])
    expect(seconds[199]).toBeCloseTo(0.5, 1)
  })

  test('that jumps ahead an hour is followed within two seconds', () => {
    const budget = new SpanBudget(1_000)
    for (let at = 0; at < 120; at += 1) {
      budget.advance(at * 100 + (at >= 100 ? 3_600_000 : 0))
      for (let span = 0; span < 200; span += 1) budget.note(false)
    }
    expect(budget.chance).toBeCloseTo(0.5, 1)
  })
})

test('the ceiling lets through ten seconds of the budget at once and then twice the budget', () => {
  const budget = new SpanBudget(1_000)
  let taken = 0
  for (let at = 0; at < 100; at += 1) {
    budget.advance(at * 100)
    for (let span = 0; span < 2_000; span += 1) if (budget.take()) taken += 1
  }
  expect(taken).toBeGreaterThan(29_000)
  expect(taken).toBeLessThanOrEqual(30_000)
})
