/**
 * Interval of a share of which `hits` of `n` were seen, with a confidence of 95 % (Wilson 1927; Brown, Cai, DasGupta 2001,
 * "Interval estimation for a binomial proportion", recommend it for small n).
 */
export function wilsonInterval(hits: number, n: number): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 }
  const z = 1.959964
  const share = hits / n
  const middle = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n)
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2))
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}
