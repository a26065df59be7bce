import { expect, test } from 'vitest'
import { nextArrivalAfterMs, pick, randomFrom } from './random.ts'

function draw(seed: number, purpose: string): number[] {
  return Array.from({ length: 5 }, randomFrom(seed, purpose))
}

test('the same seed gives the same chance, another purpose gives another', () => {
  expect(draw(1, 'load')).toEqual(draw(1, 'load'))
  expect(draw(1, 'load')).not.toEqual(draw(2, 'load'))
  expect(draw(1, 'load')).not.toEqual(draw(1, 'faults'))
})

test('heavier items are picked more often', () => {
  const random = randomFrom(1)
  const picked = Array.from({ length: 1_000 }, () =>
    pick(random, ['rare', 'usual'], (item) => (item === 'rare' ? 1 : 9)),
  )
  expect(picked.filter((item) => item === 'rare').length).toBeGreaterThan(60)
  expect(picked.filter((item) => item === 'rare').length).toBeLessThan(150)
})

test('arrivals come as often as asked for, on average', () => {
  const random = randomFrom(1)
  const gapsMs = Array.from({ length: 5_000 }, () => nextArrivalAfterMs(random, 20))
  expect(gapsMs.reduce((sum, gap) => sum + gap, 0) / gapsMs.length).toBeCloseTo(50, -1)
})
