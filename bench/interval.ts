import { median } from './median.ts'

/** Where the true median is in 95 of 100 cases, and the median that was found. */
export interface Interval {
  low: number
  middle: number
  high: number
}

/**
 * Interval of the median by the sign test: of values that lie above and below it like tossed coins, so many may fall on one side
 * (Conover 1999, 3.2). Knows nothing of how they are spread, so that a few wild ones do no harm. Of nine values it is from the
 * second to the eighth.
 */
export function medianInterval(values: readonly number[]): Interval {
  const sorted = values.toSorted((a, b) => a - b)
  const count = sorted.length
  let below = 0
  let probability = 0.5 ** count
  for (let sum = probability; sum <= 0.025; sum += probability) {
    probability *= (count - below) / (below + 1)
    below += 1
  }
  const [low, high] = [sorted[below - 1], sorted[count - below]]
  if (low === undefined || high === undefined) throw new Error(`Of ${count} values there is no interval: measure more`)
  return { low, middle: median(sorted), high }
}
