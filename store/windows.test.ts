import fc from 'fast-check'
import { expect, test } from 'vitest'
import { everyTenSecondsOf, minutesOf, tenSecondsOf, type Windows } from './windows.ts'

/** All windows of ten seconds, by their beginning in seconds. */
function tens({ minutes, tenSeconds }: Windows): number[] {
  return [...minutes, ...tenSeconds]
    .flatMap(([fromS, toS]) => Array.from({ length: (toS - fromS) / 10 }, (_, i) => fromS + i * 10))
    .toSorted((a, b) => a - b)
}

test('minutes stand for their windows of ten seconds, except at the ends and around a hole', () => {
  const range = { fromMs: 50_000, toMs: 310_000, excluded: [{ fromMs: 125_000, toMs: 133_000 }] }
  expect(tenSecondsOf(range)).toEqual({
    minutes: [
      [60, 120],
      [180, 300],
    ],
    tenSeconds: [
      [50, 60],
      [140, 180],
      [300, 310],
    ],
  })
})

test('whole minutes leave out those that a hole touches', () => {
  const range = { fromMs: 50_000, toMs: 310_000, excluded: [{ fromMs: 125_000, toMs: 133_000 }] }
  expect(minutesOf(range).minutes).toEqual([
    [60, 120],
    [180, 300],
  ])
})

test('each window within the range and outside of all holes is there once, whichever table it is read from', () => {
  const ms = fc.integer({ min: 0, max: 900_000 })
  fc.assert(
    fc.property(ms, ms, fc.array(fc.tuple(ms, ms), { maxLength: 4 }), (fromMs, toMs, holes) => {
      const excluded = holes.map(([a, b]) => ({ fromMs: Math.min(a, b), toMs: Math.max(a, b) + 1 }))
      const range = { fromMs, toMs, excluded }
      const wanted = Array.from({ length: 90 }, (_, i) => i * 10).filter(
        (second) =>
          second * 1_000 >= fromMs - (fromMs % 1_000) &&
          (second + 10) * 1_000 <= toMs &&
          excluded.every((hole) => (second + 10) * 1_000 <= hole.fromMs || second * 1_000 >= hole.toMs),
      )
      expect(tens(tenSecondsOf(range))).toEqual(wanted)
      expect(tens(everyTenSecondsOf(range))).toEqual(wanted)
    }),
  )
})
