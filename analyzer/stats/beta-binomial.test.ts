import fc from 'fast-check'
import { expect, test } from 'vitest'
import { betaBinomialTail } from './beta-binomial.ts'

/** Calls now and calls before, up to a million each. */
const counts = fc
  .record({
    n: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1_000_000 })),
    callsBefore: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 1_000_000 })),
    badNow: fc.double({ min: 0, max: 1, noNaN: true }),
    badThen: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ n, callsBefore, badNow, badThen }) => ({
    n,
    callsBefore,
    k: Math.round(n * badNow),
    badBefore: Math.round(callsBefore * badThen),
  }))
const runs = { numRuns: 60 }

test('one call without a past fails as likely as not, by symmetry', () => {
  expect(betaBinomialTail({ k: 1, n: 1, badBefore: 0, callsBefore: 0 })).toBeCloseTo(1 / 2, 12)
})

test('two calls without a past both fail with a chance of 3/8', () => {
  // B(2.5, 0.5) / B(0.5, 0.5) = (1.5 · 0.5) / (2 · 1)
  expect(betaBinomialTail({ k: 2, n: 2, badBefore: 0, callsBefore: 0 })).toBeCloseTo(3 / 8, 12)
})

test('after one good call, the next one fails with a chance of 1/4, and after a bad one of 3/4', () => {
  // The mean of Beta(0.5, 1.5) and of Beta(1.5, 0.5).
  expect(betaBinomialTail({ k: 1, n: 1, badBefore: 0, callsBefore: 1 })).toBeCloseTo(1 / 4, 12)
  expect(betaBinomialTail({ k: 1, n: 1, badBefore: 1, callsBefore: 1 })).toBeCloseTo(3 / 4, 12)
})

test('no bad call at all is certain', () => {
  expect(betaBinomialTail({ k: 0, n: 10, badBefore: 0, callsBefore: 100 })).toBe(1)
  expect(betaBinomialTail({ k: 0, n: 10, badBefore: 100, callsBefore: 100 })).toBe(1)
})

test('more bad calls than calls are impossible', () => {
  expect(betaBinomialTail({ k: 11, n: 10, badBefore: 3, callsBefore: 100 })).toBe(0)
})

test('it is a chance, whatever the counts', () => {
  fc.assert(
    fc.property(counts, (given) => {
      const tail = betaBinomialTail(given)
      expect(tail).toBeGreaterThanOrEqual(0)
      expect(tail).toBeLessThanOrEqual(1)
    }),
    runs,
  )
})

test('the more bad calls, the less likely', () => {
  fc.assert(
    fc.property(counts, ({ k, ...rest }) => {
      const fewer = betaBinomialTail({ ...rest, k: Math.floor(k / 2) })
      expect(betaBinomialTail({ ...rest, k })).toBeLessThanOrEqual(fewer * (1 + 1e-9))
    }),
    runs,
  )
})

test('the worse the past, the less a bad call surprises', () => {
  fc.assert(
    fc.property(counts, ({ badBefore, ...rest }) => {
      const better = betaBinomialTail({ ...rest, badBefore: Math.floor(badBefore / 2) })
      // Logarithms of the gamma function of a million are exact to some 1e-8.
      expect(betaBinomialTail({ ...rest, badBefore }) * (1 + 1e-6)).toBeGreaterThanOrEqual(better)
    }),
    runs,
  )
})

test('a tail and its complement, which counts the good calls, add up to one', () => {
  fc.assert(
    fc.property(counts, ({ k, n, badBefore, callsBefore }) => {
      fc.pre(k > 0)
      const bad = betaBinomialTail({ k, n, badBefore, callsBefore })
      const good = betaBinomialTail({ k: n - k + 1, n, badBefore: callsBefore - badBefore, callsBefore })
      expect(bad + good).toBeCloseTo(1, 6)
    }),
    runs,
  )
})

test('with a past that is trusted without bound it becomes the binomial', () => {
  const binomial = (k: number, n: number, p: number): number => {
    let sum = 0
    for (let i = k; i <= n; i += 1) sum += choose(n, i) * p ** i * (1 - p) ** (n - i)
    return sum
  }
  for (const k of [1, 2, 5, 10, 20]) {
    const tail = betaBinomialTail({ k, n: 20, badBefore: 3e8, callsBefore: 1e9, trust: 1e9 })
    expect(tail / binomial(k, 20, 0.3)).toBeCloseTo(1, 4)
  }
})

test('beyond the trust, more of the same past does not sharpen the test', () => {
  const now = { k: 9, n: 100 }
  const hour = betaBinomialTail({ ...now, badBefore: 40, callsBefore: 4_000 })
  expect(betaBinomialTail({ ...now, badBefore: 10_000, callsBefore: 1_000_000 })).toBeCloseTo(hour, 12)
  expect(betaBinomialTail({ ...now, badBefore: 40, callsBefore: 4_000, trust: 4_000 })).toBeLessThan(hour)
})

test('as few bad calls as usual, or far fewer, are likely, also where single terms are too small for a number', () => {
  expect(betaBinomialTail({ k: 1, n: 1_000_000, badBefore: 500_000, callsBefore: 1_000_000 })).toBeCloseTo(1, 9)
  expect(betaBinomialTail({ k: 100, n: 100_000, badBefore: 999, callsBefore: 1_000 })).toBeCloseTo(1, 9)
  expect(betaBinomialTail({ k: 1, n: 1_000_000, badBefore: 1_000_000, callsBefore: 1_000_000 })).toBeCloseTo(1, 9)
})

test('all of a million calls bad: certain by a past that was all bad, impossible by one that never was', () => {
  const all = { k: 1_000_000, n: 1_000_000 }
  expect(betaBinomialTail({ ...all, badBefore: 0, callsBefore: 1_000_000 })).toBeLessThan(1e-300)
  const usual = betaBinomialTail({ ...all, badBefore: 1_000_000, callsBefore: 1_000_000 })
  expect(usual).toBeGreaterThan(0.01)
  expect(usual).toBeLessThan(0.1)
})

test('a hundred judgements of a million calls each take less than a second', () => {
  const before = process.cpuUsage()
  for (let i = 1; i <= 100; i += 1) {
    betaBinomialTail({ k: 30 * i, n: 1_000_000, badBefore: 100, callsBefore: 1_000_000 })
  }
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(1)
})

function choose(n: number, k: number): number {
  let product = 1
  for (let i = 1; i <= k; i += 1) product = (product * (n - k + i)) / i
  return product
}
