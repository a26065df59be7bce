import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chanceOfFirst, confidenceOf } from './confidence.ts'
import type { Finding } from './detect.ts'

function suspect(weight: number, pValue: number): { weight: number; findings: Finding[] } {
  const finding: Finding = {
    signal: 'self-time',
    service: 'a',
    operation: '',
    expected: 0,
    seen: 0,
    unit: 'ns',
    pValue,
    calls: 0,
    baselineCalls: 0,
    excessCalls: 0,
    excessNs: 0,
  }
  return { weight, findings: [finding] }
}

test('two alike are a coin, one alone is certain, none is nothing', () => {
  const one = { weight: 5, spread: 1 }
  expect(chanceOfFirst([one, one])).toBeCloseTo(0.5, 4)
  expect(chanceOfFirst([one, one, one])).toBeCloseTo(1 / 3, 4)
  expect(chanceOfFirst([one])).toBeCloseTo(1, 4)
  expect(chanceOfFirst([])).toBe(0)
})

test('a difference of one standard error of the difference is 84 %', () => {
  expect(
    chanceOfFirst([
      { weight: 5, spread: 3 },
      { weight: 0, spread: 4 },
    ]),
  ).toBeCloseTo(0.8413, 3)
})

test('nobody is surer than causes are measured at all', () => {
  expect(confidenceOf([suspect(100, 1e-200)])).toBeCloseTo(0.95, 4)
  expect(confidenceOf([suspect(100, 1e-200), suspect(20, 1e-9)])).toBeCloseTo(0.95, 3)
  expect(confidenceOf([])).toBe(0)
})

test('what may be chance is not sure', () => {
  expect(confidenceOf([suspect(100, 1e-20), suspect(90, 1e-20)])).toBeLessThan(0.85)
  expect(confidenceOf([suspect(100, 0.02), suspect(60, 0.02)])).toBeLessThan(0.8)
})

test('a heavier first is surer, and the unit of the weights does not matter', () => {
  const weights = fc.double({ min: 1, max: 1e3, noNaN: true })
  const chances = fc.double({ min: 1e-30, max: 0.05, noNaN: true })
  fc.assert(
    fc.property(
      weights,
      weights,
      chances,
      chances,
      fc.double({ min: 1.01, max: 10, noNaN: true }),
      (a, b, p, q, more) => {
        const confidence = confidenceOf([suspect(a, p), suspect(b, q)])
        expect(confidenceOf([suspect(a * more, p), suspect(b, q)])).toBeGreaterThanOrEqual(confidence - 1e-4)
        expect(confidenceOf([suspect(a * more, p), suspect(b * more, q)])).toBeCloseTo(confidence, 4)
      },
    ),
  )
})
