import { Chance } from '../ingest/chance.ts'

const draws = 1_000

/** Interval of a mean with a confidence of 95 %, by drawing cases with replacement (Efron 1979). */
export function resampledMean(values: readonly number[]): { low: number; high: number } {
  const chance = new Chance(1)
  const means = Array.from({ length: draws }, () => {
    const drawn = values.map(() => values[chance.below(values.length)] ?? 0)
    return drawn.reduce((sum, value) => sum + value, 0) / drawn.length
  })
  means.sort((a, b) => a - b)
  return { low: means[Math.floor(0.025 * draws)] ?? 0, high: means[Math.floor(0.975 * draws)] ?? 1 }
}
