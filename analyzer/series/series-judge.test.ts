import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parameters } from '../parameters.ts'
import { type Judgement, SeriesJudge } from './series-judge.ts'

const minuteMs = 60_000
const dayMs = 1_440 * minuteMs
const stepMs = 5 * minuteMs

/** Noise that a seed repeats, roughly normal. */
function noise(seed: number): () => number {
  let state = seed
  const uniform = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return () => Array.from({ length: 6 }, uniform).reduce((sum, one) => sum + one - 0.5, 0)
}

/** A series of a mean of 100 and a deviation of some 0.7. */
function steady(points: number, seed = 1): number[] {
  const next = noise(seed)
  return Array.from({ length: points }, () => 100 + next())
}

function judged(values: readonly number[], everyMs = stepMs): Judgement[] {
  const judge = new SeriesJudge()
  return values.map((value, i) => judge.push(i * everyMs, value))
}

test('a jump is unusual at once, and the judgement says expected, seen, how unlikely and since when', () => {
  const found = judged([...steady(400), 130]).at(-1)
  expect(found?.state).toBe('unusual')
  expect(found?.expected).toBeCloseTo(100, 0)
  expect(found?.seen).toBe(130)
  expect(found?.pValue).toBeLessThan(1e-4)
  expect(found?.sinceMs).toBe(400 * stepMs)
})

test('a jump that lasts is told once', () => {
  const found = judged([...steady(400), ...steady(50, 2).map((value) => value + 30)]).slice(400)
  expect(found.filter(({ news }) => news >= parameters.series.unusualSurprise).length).toBeLessThanOrEqual(4)
  expect(found[0]?.news).toBeGreaterThan(parameters.series.unusualSurprise)
})

test('a series that is as ever is hardly ever unusual', () => {
  const found = judged(steady(4_000))
  expect(found.filter(({ state }) => state === 'unusual').length).toBeLessThanOrEqual(10)
  expect(found.filter(({ pValue }) => pValue < 1e-5)).toEqual([])
})

test('so many points in a hundred have a p-value of 0.01, about', () => {
  const share =
    judged(steady(6_000))
      .slice(1_000)
      .filter(({ pValue }) => pValue <= 0.01).length / 5_000
  expect(share).toBeGreaterThan(0.002)
  expect(share).toBeLessThan(0.03)
})

test('a value that is usual by night is unusual by day, once the season is known', () => {
  const next = noise(3)
  const night = (i: number) => (i * stepMs) % dayMs < dayMs / 3
  const values = Array.from({ length: 5 * 288 + 200 }, (_, i) => (night(i) ? 20 : 100) + next())
  const judge = new SeriesJudge()
  for (const [i, value] of values.entries()) judge.push(i * stepMs, value)
  const timeMs = values.length * stepMs
  const found = judge.push(timeMs, 20)
  expect(found.expected).toBeCloseTo(100, 0)
  expect(found.views.season).toBeGreaterThan(3)
})

test('a drift that no single point shows is told by the view of drift', () => {
  const values = steady(600).map((value, i) => value + (i < 500 ? 0 : 1))
  const before = judged(steady(600)).slice(500)
  const after = judged(values).slice(500)
  const most = (all: readonly Judgement[]) => Math.max(...all.map(({ views }) => views.drift))
  expect(most(after)).toBeGreaterThan(most(before) + 1)
})

test('the smallest effect is the one that is unusual, and half of it is not', () => {
  const values = steady(500)
  const judge = new SeriesJudge()
  for (const [i, value] of values.entries()) judge.push(i * stepMs, value)
  const timeMs = values.length * stepMs
  const { up } = judge.smallestEffect(timeMs)
  expect(up).not.toBeNull()
  expect(up).toBeGreaterThan(2)
  expect(up).toBeLessThan(20)
  const withPoint = (value: number) => judged([...values, value]).at(-1)
  expect(withPoint(100 + (up ?? 0) * 1.05)?.surprise).toBeGreaterThan(parameters.series.unusualSurprise - 0.5)
  expect(withPoint(100 + (up ?? 0) / 2)?.state).toBe('usual')
})

test('a series that has just begun tells nothing', () => {
  const judge = new SeriesJudge()
  expect(judge.push(0, 5)).toMatchObject({ state: 'learning', expected: null, surprise: 0, pValue: 1 })
  expect(judge.smallestEffect(stepMs)).toEqual({ up: null, down: null })
})

test('a series that never moved: any move is unusual, however small', () => {
  const found = judged([...Array.from({ length: 100 }, () => 7), 7.001])
  expect(found.slice(0, 100).every(({ state }) => state !== 'unusual')).toBe(true)
  expect(found.at(-1)?.state).toBe('unusual')
})

test('the unit, and whether up is bad, do not matter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: -8, max: 8 }), (seed, exponent) => {
      const values = [...steady(120, seed), 104]
      const plain = judged(values).map(({ surprise }) => surprise)
      const other = judged(values.map((value) => -value * 2 ** exponent)).map(({ surprise }) => surprise)
      for (const [i, surprise] of plain.entries()) expect(other[i]).toBeCloseTo(surprise, 6)
    }),
    { numRuns: 20 },
  )
})

test('the further out, the more surprising', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 103, max: 1e4, noNaN: true }),
      fc.double({ min: 1, max: 10, noNaN: true }),
      (seed, value, factor) => {
        const values = steady(120, seed)
        const near = judged([...values, value]).at(-1)?.surprise ?? 0
        const far = judged([...values, 100 + (value - 100) * factor]).at(-1)?.surprise ?? 0
        expect(far).toBeGreaterThanOrEqual(near - 1e-9)
      },
    ),
    { numRuns: 20 },
  )
})

test('a later point changes no judgement', () => {
  const values = steady(300)
  expect(judged([...values, 1e6]).slice(0, 300)).toEqual(judged(values))
})
