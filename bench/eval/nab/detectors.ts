import { type Judgement, SeriesJudge } from '@headwater/analyzer'
import { Chance } from '../../ingest/chance.ts'
import type { NabSeries } from './corpus.ts'

/** Scores for the points of a series, each from that point and those before it: the higher, the stranger. */
export type Detector = (series: NabSeries) => Float64Array

/** What the product's own judge says of each point. */
export function judgements({ timesMs, values }: NabSeries): Judgement[] {
  const judge = new SeriesJudge()
  return Array.from(values, (value, i) => judge.push(timesMs[i] ?? 0, value))
}

export function random(seed: number): Detector {
  const chance = new Chance(seed)
  return ({ values }) => values.map(() => chance.next())
}

/**
 * The benchmark's "windowed Gaussian": deviations from the mean of the last 6,400 points, which move on by 100. Its own score is
 * 1 minus the tail's chance, which is rounded to 1 beyond 8.3 deviations.
 */
export const windowedGaussian: Detector = ({ values }) => {
  const size = 6_400
  const step = 100
  let mean = 0
  let deviation = 1
  return values.map((value, i) => {
    if (i > 0 && (i <= size || (i - size) % step === 0)) {
      const end = i <= size ? i : size + Math.floor((i - size) / step) * step
      const window = values.subarray(Math.max(0, end - size), end)
      mean = window.reduce((sum, one) => sum + one, 0) / window.length
      const variance = window.reduce((sum, one) => sum + (one - mean) ** 2, 0) / window.length
      deviation = variance === 0 ? 1e-6 : Math.sqrt(variance)
    }
    return i === 0 ? 0 : Math.min(8.3, Math.abs(value - mean) / deviation)
  })
}

/** The distance from the median of the last hour's points, by its rank among the last 2,000 and an exponential tail beyond 90 %. */
export const rollingMedian: Detector = ({ values }) => {
  const distances: number[] = []
  return values.map((value, i) => {
    const level = sorted(values.subarray(Math.max(0, i - 60), i))
    const median = level[level.length >> 1] ?? value
    const distance = Math.abs(value - median)
    const known = sorted(Float64Array.from(distances.slice(-2_000)))
    distances.push(distance)
    if (known.length < 20) return 0
    const first = Math.floor(0.9 * known.length)
    const start = known[first] ?? 0
    if (distance <= start) {
      return -Math.log10((1 + known.filter((one) => one >= distance).length) / (known.length + 1))
    }
    const excess = known.subarray(first).reduce((sum, one) => sum + one - start, 0) / (known.length - first)
    return 1 + (distance - start) / Math.max(excess, Number.MIN_VALUE) / Math.LN10
  })
}

function sorted(values: Float64Array): Float64Array {
  return values.toSorted()
}
