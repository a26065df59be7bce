import { expect, test } from 'vitest'
import { JointJudge, type JointJudgement } from './joint-judge.ts'

const stepMs = 5 * 60_000
const dayPoints = 288
const trainingDays = 8

/** Noise that a seed repeats, from −1 to 1. */
function noise(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  }
}

/** Days of training and then one of judging: three series, of which `shift` moves some at some points of the last day. */
function lastDay({
  shift = () => 0,
  order = [0, 1, 2],
  factor = 1,
}: {
  shift?: (series: number, point: number) => number
  order?: number[]
  factor?: number
} = {}): JointJudgement[] {
  const next = noise(1)
  const points = Array.from({ length: (trainingDays + 1) * dayPoints }, (_, i) => {
    const season = Math.sin((2 * Math.PI * i) / dayPoints)
    return [0, 1, 2].map(
      (series) => factor * (10 * season * series + next() + shift(series, i - trainingDays * dayPoints)),
    )
  })
  const judge = new JointJudge(3)
  return points.flatMap((values, i) => {
    const ordered = order.map((series) => values[series] ?? 0)
    if (i >= trainingDays * dayPoints) return [judge.push(i * stepMs, ordered)]
    judge.learn(i * stepMs, ordered)
    return []
  })
}

const unusual = (all: readonly JointJudgement[]) =>
  all.flatMap(({ state }, point) => (state === 'unusual' ? [point] : []))

test('a healthy day, seasons and all, is hardly ever unusual', () => {
  expect(unusual(lastDay()).length).toBeLessThan(0.15 * dayPoints)
})

test('what moves two series is found, holds on for ten points, and says since when and which', () => {
  const judged = lastDay({ shift: (series, point) => (series > 0 && point >= 100 && point < 130 ? 8 : 0) })
  expect(unusual(judged)).toEqual(expect.arrayContaining(Array.from({ length: 40 }, (_, i) => 100 + i)))
  expect(judged[115]?.sinceMs).toBe((trainingDays * dayPoints + 100) * stepMs)
  const [first = 0, second = 0, third = 0] = judged[102]?.deviations ?? []
  expect(Math.min(second, third)).toBeGreaterThan(10 * first)
})

test('the more it moves, the greater the distance', () => {
  const at = (size: number) => lastDay({ shift: (_, point) => (point === 100 ? size : 0) })[100]?.distance ?? 0
  expect(at(4)).toBeGreaterThan(at(2))
  expect(at(8)).toBeGreaterThan(at(4))
})

test('neither the order of the series nor their unit matters', () => {
  const shift = (series: number, point: number) => (series === 1 && point > 50 && point < 70 ? 6 : 0)
  const distances = (judged: readonly JointJudgement[]) => judged.map(({ distance }) => distance ?? 0)
  const expected = distances(lastDay({ shift }))
  for (const other of [lastDay({ shift, order: [2, 0, 1] }), lastDay({ shift, factor: -64 })]) {
    for (const [i, distance] of distances(other).entries()) expect(distance).toBeCloseTo(expected[i] ?? 0, 8)
  }
})

test('without training nothing is unusual', () => {
  const judge = new JointJudge(1)
  expect(judge.push(0, [1e9])).toMatchObject({ state: 'learning', distance: null, threshold: null })
})

test('a series that never moved in training counts when it moves', () => {
  const judge = new JointJudge(2)
  const next = noise(2)
  for (let i = 0; i < 4 * dayPoints; i += 1) judge.learn(i * stepMs, [next(), 7])
  expect(judge.push(4 * dayPoints * stepMs, [0, 7.5]).state).toBe('unusual')
})
