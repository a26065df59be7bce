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

test('a worked example: of two series that usually move by one, one moves by three', () => {
  const judge = new JointJudge(2)
  const value = (i: number): number => (i < dayPoints ? 0 : i % 2 === 0 ? 1 : -1)
  const trained = 4 * dayPoints
  for (let i = 0; i < trained; i += 1) judge.learn(i * stepMs, [value(i), value(i)])
  const judged = Array.from({ length: 20 }, (_, i) => {
    const usual = value(trained + i)
    return judge.push((trained + i) * stepMs, [i === 0 ? 3 * usual : usual, usual])
  })
  // What is usual is 0. In training each was one deviation from it, squared 1, and so was their mean: nothing lay above that.
  expect(judged[0]?.threshold).toBe(1)
  // Now the first is three deviations from it, squared 9, or a little less since such a point widens what is usual: the mean is 5.
  expect(judged[0]?.deviations[0]).toBeCloseTo(9, 0)
  expect(judged[0]?.deviations[1]).toBeCloseTo(1, 9)
  // The distance is the mean over five points: four of 1 and one of 5.
  expect(judged[0]?.distance).toBeCloseTo((4 * 1 + 5) / 5, 1)
  // It stands out for the five points of which it is one, and for ten more that hold on.
  expect(unusual(judged)).toEqual(Array.from({ length: 15 }, (_, i) => i))
})

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
