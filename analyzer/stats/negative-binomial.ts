import { gammaln } from 'simple-statistics'

/**
 * Chance of at most `k` calls where `expected` are due, with the spread of real traffic: the variance is
 * `expected + expected² / dispersion` (negative binomial as gamma-mixed Poisson; Hilbe, Negative Binomial Regression, §5).
 *
 * negativeBinomialAtMost({ k: 0, expected: 0 }) is 1; with a huge dispersion it is Poisson's e^−expected for k = 0.
 */
export function negativeBinomialAtMost({
  k,
  expected,
  dispersion = 10,
}: {
  k: number
  expected: number
  dispersion?: number
}): number {
  if (expected <= 0) return 1
  const p = dispersion / (dispersion + expected)
  let sum = 0
  for (let i = 0; i <= k; i += 1) {
    const logTerm =
      gammaln(i + dispersion) - gammaln(dispersion) - gammaln(i + 1) + dispersion * Math.log(p) + i * Math.log(1 - p)
    sum += Math.exp(logTerm)
  }
  return Math.min(1, sum)
}
