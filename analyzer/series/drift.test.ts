import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Drift } from './drift.ts'

const options = { points: 100, allowance: 1, deviationsMax: 4, pointsMin: 10 }

/** A series from −10 to 10: its median absolute deviation is 5, so that a deviation is 7.4. */
function usual(): Drift {
  const drift = new Drift(options)
  for (let i = 0; i < 84; i += 1) drift.push(i, ((i * 8) % 21) - 10)
  return drift
}

test('a level that rises by three deviations adds two each time, from the first point on', () => {
  const drift = usual()
  const before = drift.state.up
  drift.push(84, 22)
  drift.push(85, 22)
  expect(before).toBe(0)
  expect(drift.state.up).toBeGreaterThan(3.2)
  expect(drift.state.up).toBeLessThan(4.5)
  expect(drift.state.upSinceMs).toBe(84)
  expect(drift.state.down).toBe(0)
})

test('a single point counts for no more than four deviations', () => {
  expect(usual().after(84, 1e12)?.up).toBeLessThanOrEqual(4)
})

test('it forgets when the series is back', () => {
  const drift = usual()
  for (let i = 0; i < 3; i += 1) drift.push(84 + i, 22)
  for (let i = 0; i < 20; i += 1) drift.push(87 + i, 0)
  expect(drift.state).toEqual({ up: 0, down: 0, upSinceMs: null, downSinceMs: null })
})

test('a series turned upside down drifts the other way, and its unit does not matter', () => {
  fc.assert(
    fc.property(
      // Thousandths: the smallest of all doubles lose their last bits when they are scaled.
      fc.array(
        fc.integer({ min: -1e6, max: 1e6 }).map((it) => it / 1e3),
        { minLength: 15, maxLength: 60 },
      ),
      fc.integer({ min: -10, max: 10 }),
      (values, exponent) => {
        const [plain, turned] = [new Drift(options), new Drift(options)]
        for (const [i, value] of values.entries()) {
          plain.push(i, value)
          turned.push(i, -value * 2 ** exponent)
        }
        expect(turned.state.down).toBeCloseTo(plain.state.up, 6)
        expect(turned.state.up).toBeCloseTo(plain.state.down, 6)
      },
    ),
  )
})
