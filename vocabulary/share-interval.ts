import type { ShareWithInterval } from './incident.ts'

/**
 * Interval that holds the true share with a confidence of 95 %, when `hits` of `n` were seen (Wilson 1927; Brown, Cai,
 * DasGupta 2001, "Interval estimation for a binomial proportion"). shareInterval(8, 10) is 0.49 to 0.94; of nothing, 0 to 1.
 */
export function shareInterval(hits: number, n: number): { low: number; high: number } {
  if (n <= 0) return { low: 0, high: 1 }
  const share = Math.min(1, hits / n)
  const square = 1.959964 ** 2
  const middle = (share + square / (2 * n)) / (1 + square / n)
  const reach = (Math.sqrt(square) * Math.sqrt((share * (1 - share)) / n + square / (4 * n * n))) / (1 + square / n)
  return { low: Math.max(0, middle - reach), high: Math.min(1, middle + reach) }
}

/**
 * A share and its interval, rounded to tenths of a percent. withInterval(0, 0) has the share 0: nothing was seen. Where what was seen
 * stands for more, `counted` is of how many the interval is.
 */
export function withInterval(hits: number, n: number, counted = n): ShareWithInterval {
  const share = n <= 0 ? 0 : Math.min(1, hits / n)
  const { low, high } = shareInterval(share * counted, counted)
  return { share: tenths(share), low: tenths(low), high: tenths(high) }
}

function tenths(share: number): number {
  return Math.round(share * 1_000) / 1_000
}
