import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CountedWindow, judgeMissing, type MissingJudgement } from './missing-runs.ts'

interface Story {
  /** Runs of usual minutes, the latest last. */
  before: readonly number[]
  /** Runs of each ten seconds from the onset on. */
  recent: readonly number[]
  /** Of flows that are not touched, in the same times. */
  untouchedBefore?: readonly number[]
  untouchedRecent?: readonly number[]
  meanMs?: { before: number; recent: number }
}

function judge({
  before,
  recent,
  untouchedBefore = [],
  untouchedRecent = [],
  meanMs = { before: 20, recent: 20 },
}: Story): MissingJudgement {
  const windows = (runs: readonly number[], untouched: readonly number[], seconds: number): CountedWindow[] =>
    runs.map((n, i) => ({ seconds, runs: n, untouched: untouched[i] ?? 0 }))
  return judgeMissing({
    before: windows(before, untouchedBefore, 60),
    recent: windows(recent, untouchedRecent, 10),
    beforeMeanNs: meanMs.before * 1e6,
    recentMeanNs: meanMs.recent * 1e6,
  })
}

const times = (count: number, value: number): number[] => Array.from({ length: count }, () => value)
const steady = times(10, 600)

test('of 100 runs due in each ten seconds 40 came, for a minute: 310 are missing, as the last five seconds are on their way', () => {
  const judged = judge({ before: steady, recent: times(6, 40) })
  expect(judged).toMatchObject({ state: 'missing', runs: 310, expected: 550, seen: 240, cameLater: 0, seconds: 60 })
  // Ten steady minutes beside one that varies like any calls: 1.96 sqrt(550 + 550² (0.05 / 10 × 1.1 + 1 / 6,000)) is 93.
  expect(judged).toMatchObject({ low: 217, high: 403 })
})

test('as many as usual, or a few less, came', () => {
  expect(judge({ before: steady, recent: times(6, 100) })).toEqual({ state: 'came' })
  expect(judge({ before: steady, recent: times(6, 88) })).toEqual({ state: 'came' })
})

test('once all is well again what is missing stays what it was', () => {
  const during = judge({ before: steady, recent: times(12, 40) })
  const after = judge({ before: steady, recent: [...times(12, 40), ...times(12, 100)] })
  expect(during).toMatchObject({ state: 'missing' })
  expect(after).toMatchObject({ state: 'missing', cameLater: 0, seconds: 120, expected: 1_150, seen: 480 })
})

test('runs that waited and came all at once are told to have come later', () => {
  const judged = judge({ before: steady, recent: [...times(12, 40), 700, ...times(6, 100)] })
  expect(judged).toMatchObject({ state: 'missing', runs: 670, cameLater: 600, seconds: 120 })
})

test('of a few runs nobody can tell', () => {
  expect(judge({ before: times(10, 12), recent: times(6, 0) })).toEqual({ state: 'came' })
  expect(judge({ before: times(10, 24), recent: times(18, 0) })).toMatchObject({ state: 'missing' })
})

test('three minutes are too short a past', () => {
  expect(judge({ before: times(3, 600), recent: times(6, 40) })).toEqual({
    state: 'unknown',
    why: 'short-past',
    expected: 550,
    seen: 240,
  })
})

test('a load spike that ends is an uneven past, and no run is missing', () => {
  const spike = [...times(6, 200), ...times(6, 600)]
  expect(judge({ before: spike, recent: times(12, 33) })).toMatchObject({ state: 'unknown', why: 'uneven-past' })
})

test('what all flows lack is the evening', () => {
  const evening = { before: steady, untouchedBefore: times(10, 3_000) }
  expect(judge({ ...evening, recent: times(12, 50), untouchedRecent: times(12, 250) })).toEqual({ state: 'came' })
  expect(judge({ ...evening, recent: times(12, 25), untouchedRecent: times(12, 400) })).toMatchObject({
    state: 'missing',
    expected: 920,
    seen: 300,
  })
})

test('when others have more, nobody knows whether this flow would', () => {
  const alone = judge({ before: steady, recent: times(12, 40) })
  const beside = judge({
    before: steady,
    untouchedBefore: times(10, 3_000),
    recent: times(12, 40),
    untouchedRecent: times(12, 900),
  })
  expect(beside).toMatchObject({ state: 'missing', expected: alone.state === 'missing' ? alone.expected : 0 })
})

test('a past that goes up and down with all others is even', () => {
  const waves = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 300 : 900))
  const recent = times(12, 40)
  expect(judge({ before: waves, recent })).toMatchObject({ state: 'unknown', why: 'uneven-past' })
  const others = { untouchedBefore: waves.map((runs) => runs * 5), untouchedRecent: times(12, 500) }
  expect(judge({ before: waves, recent, ...others })).toMatchObject({ state: 'missing' })
})

test('runs that take longer are under way, and not missing', () => {
  // The 40 that lack in the first ten seconds have not ended yet: 5 a second for 8 s.
  const slower = { before: times(10, 300), recent: [10, 50, 50, 50] }
  expect(judge({ ...slower, meanMs: { before: 20, recent: 8_020 } })).toEqual({ state: 'came' })
})

const minutes = fc.array(fc.integer({ min: 100, max: 2_000 }), { minLength: 4, maxLength: 30 })
const windows = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 3, maxLength: 60 })

test('the fewer come, the more are missing, and the interval holds what is told', () => {
  fc.assert(
    fc.property(minutes, windows, (before, recent) => {
      const judged = judge({ before, recent })
      const fewer = judge({ before, recent: recent.map((runs) => Math.floor(runs / 2)) })
      if (judged.state !== 'missing') return
      expect(judged.low).toBeLessThanOrEqual(judged.runs)
      expect(judged.high).toBeGreaterThanOrEqual(judged.runs)
      expect(judged.cameLater).toBeLessThanOrEqual(judged.runs)
      expect(fewer).toMatchObject({ state: 'missing' })
      expect(fewer).toSatisfy((other: MissingJudgement) => other.state === 'missing' && other.runs >= judged.runs)
    }),
  )
})

test('the more uneven its past, the less is told of a flow', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 290 }), (by) => {
      const uneven = times(10, 300).map((runs, i) => runs + (i % 2 === 0 ? by : -by))
      const recent = times(6, 10)
      const even = judge({ before: times(10, 300), recent })
      const judged = judge({ before: uneven, recent })
      if (judged.state !== 'missing' || even.state !== 'missing') return
      expect(judged.pValue).toBeGreaterThanOrEqual(even.pValue)
      expect(judged.high - judged.low).toBeGreaterThanOrEqual(even.high - even.low)
    }),
  )
})
