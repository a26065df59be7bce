/** The 0.975 quantile of the normal distribution. */
const z = 1.959964

/**
 * How many standard errors to each side hold the true value in 95 of 100 cases, when the error was estimated with so many degrees
 * of freedom (Abramowitz and Stegun, 26.7.5; exact below three). studentT95(10) is 2.228.
 */
export function studentT95(freedom: number): number {
  if (freedom < 1) return Number.POSITIVE_INFINITY
  if (freedom === 1) return 12.706
  if (freedom === 2) return 4.303
  const terms = [
    z,
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1_482 * z ** 5 - 1_920 * z ** 3 - 945 * z) / 92_160,
  ]
  return terms.reduce((sum, term, power) => sum + term / freedom ** power, 0)
}
