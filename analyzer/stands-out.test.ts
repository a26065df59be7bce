import fc from 'fast-check'
import { expect, test } from 'vitest'
import { whatStandsOut } from './stands-out.ts'
import { benjaminiHochberg } from './stats/benjamini-hochberg.ts'
import { betaBinomialTail } from './stats/beta-binomial.ts'

test('a service stands out whose calls fail far more often, among however many tests that say nothing', () => {
  const suspicious = [
    { service: 'payments', calls: 100, callsBefore: 5_000, outcomes: [{ test: 'errors', bad: 60, badBefore: 5 }] },
    { service: 'search', calls: 100, callsBefore: 5_000, outcomes: [{ test: 'errors', bad: 2, badBefore: 5 }] },
  ] as const
  const { services } = whatStandsOut({
    tests: 400_000,
    suspicious: suspicious.map((series) => ({ ...series, outcomes: [...series.outcomes] })),
    quiet: ['mailer'],
  })
  expect([...services].toSorted()).toEqual(['mailer', 'payments'])
})

test('a rise that is certain, and too small to tell, makes nobody stand out', () => {
  const outcomes = [{ test: 'errors' as const, bad: 500, badBefore: 10 }]
  const told = whatStandsOut({
    tests: 4,
    suspicious: [{ service: 'payments', calls: 10_000, callsBefore: 50_000, outcomes }],
    quiet: [],
  })
  expect(told.pValueMax).toBeGreaterThan(0)
  expect(told.services.size).toBe(0)
})

test('little more than chance makes a service restless before it stands out', () => {
  const failing = (bad: number) =>
    whatStandsOut({
      tests: 40,
      suspicious: [
        { service: 'payments', calls: 30, callsBefore: 5_000, outcomes: [{ test: 'errors', bad, badBefore: 0 }] },
      ],
      quiet: [],
    })
  const [none, little, much] = [failing(1), failing(3), failing(9)]
  expect([none.services.size, none.restless.size]).toEqual([0, 0])
  expect([little.services.size, [...little.restless]]).toEqual([0, ['payments']])
  expect([[...much.services], [...much.restless]]).toEqual([['payments'], ['payments']])
})

test('p-values above the rate may be left out, when their number is told', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1e6 }), { maxLength: 50 }), (scaled) => {
      const pValues = scaled.map((p) => p / 1e6)
      const q = 0.05
      const few = pValues.filter((p) => p <= q)
      expect(benjaminiHochberg(few, q, pValues.length)).toBe(benjaminiHochberg(pValues, q))
    }),
  )
})

test('where calls succeeded before, no count below one and a half deviations above its mean is significant: there the screen begins', () => {
  const calls = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 50_000 }))
  fc.assert(
    fc.property(
      calls,
      fc.oneof(fc.integer({ min: 8, max: 60 }), fc.integer({ min: 8, max: 100_000 })),
      fc.integer({ min: 0, max: 1_000 }),
      fc.integer({ min: 0, max: 1_000 }),
      (n, callsBefore, badPermille, below) => {
        const badBefore = Math.floor((callsBefore * badPermille) / 1_000)
        const share = Math.min(1, 400 / callsBefore)
        const [a, b] = [badBefore * share + 0.5, (callsBefore - badBefore) * share + 0.5]
        fc.pre(b >= 10)
        const mean = (n * a) / (a + b)
        const deviation = Math.sqrt((n * a * b * (a + b + n)) / ((a + b) ** 2 * (a + b + 1)))
        // The largest count below, and smaller ones.
        const limit = Math.min(n, Math.ceil(mean + 1.5 * deviation) - 1)
        const k = Math.floor((limit * (1_000 - below)) / 1_000)
        expect(betaBinomialTail({ k, n, badBefore, callsBefore })).toBeGreaterThan(0.001)
      },
    ),
    { numRuns: 1_000 },
  )
})
