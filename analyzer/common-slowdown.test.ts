import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commonSlowdown } from './common-slowdown.ts'

/** Places called 100 times each that take so many times as long as usual. */
function places(...factors: number[]): Parameters<typeof commonSlowdown>[0] {
  return factors.map((factor, index) => ({ place: `place ${index}`, calls: 100, ns: factor * 1e9, usualNs: 1e9 }))
}

test('a busy machine slows all that it runs', () => {
  expect(commonSlowdown(places(1.4, 2, 1.5, 1.6, 1.3))).toBe(1.5)
})

test('a few slow ones are slow by themselves', () => {
  expect(commonSlowdown(places(1, 1, 1, 40, 30))).toBe(1)
})

test('nothing is ever told to be quicker', () => {
  expect(commonSlowdown(places(0.5, 0.5, 0.5, 0.5, 0.5))).toBe(1)
})

test('too few places, or too few calls of them, tell nothing', () => {
  expect(commonSlowdown(places(3, 3, 3, 3))).toBe(1)
  expect(commonSlowdown(places(3, 3, 3, 3, 3).map((place) => ({ ...place, calls: 3 })))).toBe(1)
  expect(commonSlowdown([])).toBe(1)
})

test('fewer than half of the places cannot move it beyond the others, and their order does not matter', () => {
  const factor = fc.integer({ min: 50, max: 300 }).map((percent) => percent / 100)
  const wild = fc.integer({ min: 1, max: 1_000 })
  fc.assert(
    fc.property(
      fc.array(factor, { minLength: 5, maxLength: 20 }).chain((usual) =>
        fc.record({
          usual: fc.constant(usual),
          wild: fc.array(wild, { maxLength: Math.floor((usual.length - 1) / 2) }),
        }),
      ),
      ({ usual, wild: others }) => {
        const found = commonSlowdown(places(...usual, ...others))
        expect(found).toBeGreaterThanOrEqual(1)
        expect(found).toBeLessThanOrEqual(Math.max(1, ...usual))
        expect(commonSlowdown(places(...others, ...usual.toReversed()))).toBe(found)
      },
    ),
  )
})

test('neither the names of places matter, nor the unit of time, nor how much busier they all are', () => {
  const factors = fc.array(fc.integer({ min: 50, max: 300 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(factors, fc.integer({ min: 2, max: 1_000 }), (percents, more) => {
      const told = places(...percents.map((percent) => percent / 100))
      const found = commonSlowdown(told)
      expect(commonSlowdown(told.map((one) => ({ ...one, place: `other ${one.place}` })))).toBe(found)
      const inOtherUnits = told.map((one) => ({ ...one, ns: one.ns / more, usualNs: one.usualNs / more }))
      expect(commonSlowdown(inOtherUnits)).toBeCloseTo(found, 9)
      const busier = told.map((one) => ({
        ...one,
        calls: one.calls * more,
        ns: one.ns * more,
        usualNs: one.usualNs * more,
      }))
      expect(commonSlowdown(busier)).toBeCloseTo(found, 9)
    }),
  )
})

test('the slower a place is, the slower all is told to be, up to twice as slow', () => {
  const factors = fc.array(fc.integer({ min: 50, max: 300 }), { minLength: 5, maxLength: 12 })
  fc.assert(
    fc.property(factors, fc.nat(11), fc.integer({ min: 0, max: 300 }), (percents, at, more) => {
      const of = (all: number[]): number => commonSlowdown(places(...all.map((percent) => percent / 100)))
      const slower = of(percents.map((percent, i) => (i === at ? percent + more : percent)))
      expect(slower).toBeGreaterThanOrEqual(of(percents))
      expect(slower).toBeLessThanOrEqual(2)
    }),
  )
})
