import { expect, test } from 'vitest'
import { parseSeries } from './corpus.ts'
import { alarmGains, nabScore, positionValue, probationLength, seriesScore, standardProfile } from './score.ts'

test('an alarm is worth what the scorer of the benchmark documents, by its place', () => {
  expect(positionValue(-1)).toBeCloseTo(0.98661, 5)
  expect(positionValue(-0.5)).toBeCloseTo(0.84828, 5)
  expect(positionValue(0)).toBe(0)
  expect(positionValue(1)).toBeCloseTo(-0.98661, 5)
  expect(positionValue(3.1)).toBe(-1)
})

test('the first 15 % are not scored, of long series 750 points', () => {
  expect(probationLength(100)).toBe(15)
  expect(probationLength(4_032)).toBe(604)
  expect(probationLength(20_000)).toBe(750)
})

test('the first point of a window gains one, a point far from all windows loses 0.11', () => {
  const gains = alarmGains(100, [{ first: 50, last: 59 }], standardProfile)
  expect(gains[50]).toBe(1)
  // The last point is at −1/10: 2 / (1 + e^−0.5) − 1 = 0.2449, and 0.2449 / 0.9866.
  expect(gains[59]).toBeCloseTo(0.2449 / 0.98661, 3)
  expect(gains[0]).toBeCloseTo(-0.11, 12)
  // Two points behind a window of ten: at 2/9.
  expect(gains[61]).toBeCloseTo(0.11 * positionValue(2 / 9), 12)
  expect(gains[99]).toBeCloseTo(-0.11, 12)
})

test('silence scores 0, and a hit of each window at once without any other alarm scores 100', () => {
  const windows = [
    { first: 30, last: 39 },
    { first: 70, last: 79 },
  ]
  const at = (...points: number[]) => Float64Array.from({ length: 100 }, (_, i) => (points.includes(i) ? 1 : 0))
  expect(nabScore([{ windows, scores: at(30, 70) }])).toMatchObject({ score: 100, found: 2, falseAlarms: 0 })
  expect(nabScore([{ windows, scores: at() }]).score).toBe(0)
  // One window missed: the other gains 1, this one loses 1, of the −2 to 2 that are possible.
  expect(nabScore([{ windows, scores: at(30) }]).score).toBe(50)
  // Only the best alarm of a window counts; the false one costs 0.11 of 4.
  expect(nabScore([{ windows, scores: at(10, 30, 31, 70) }]).score).toBe(100)
  expect(nabScore([{ windows, scores: at(20, 30, 31, 70) }]).score).toBeCloseTo(100 - 0.11 / 0.04, 10)
})

test('the threshold is one for all series, and series add up to the score', () => {
  const all = [
    {
      windows: [{ first: 50, last: 59 }],
      scores: Float64Array.from({ length: 100 }, (_, i) => (i === 50 ? 0.9 : 0.1)),
    },
    {
      windows: [{ first: 50, last: 59 }],
      scores: Float64Array.from({ length: 100 }, (_, i) => (i === 50 ? 0.5 : 0.6)),
    },
  ]
  const { score, threshold } = nabScore(all)
  expect(threshold).toBe(0.9)
  expect(score).toBe(50)
  const gain = all.reduce((sum, series) => sum + seriesScore(series, threshold).gain, 0)
  expect((100 * (gain + 2)) / 4).toBe(score)
})

test('a series is read with the points at which its anomalies start and end', () => {
  const csv = 'timestamp,value\n2014-04-01 00:00:00,1\n2014-04-01 00:05:00,2.5\n2014-04-01 00:10:00,3\n'
  const series = parseSeries('a.csv', csv, [['2014-04-01 00:05:00.000000', '2014-04-01 00:10:00.000000']])
  expect(series.windows).toEqual([{ first: 1, last: 2 }])
  expect([...series.values]).toEqual([1, 2.5, 3])
  expect(series.timesMs[1]).toBe(Date.UTC(2014, 3, 1, 0, 5))
  expect(() => parseSeries('a.csv', csv, [['2014-04-02 00:00:00', '2014-04-02 01:00:00']])).toThrow('is not in a.csv')
})
