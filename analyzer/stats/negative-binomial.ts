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
  const share = expected / (dispersion + expected)
  // From the last term downwards, each from the one above it, relative to the last: that one may be too small for a
  // number where far more came than were due. Summed until what is left adds nothing.
  const logFirst =
    gammaln(k + dispersion) -
    gammaln(dispersion) -
    gammaln(k + 1) -
    dispersion * Math.log1p(expected / dispersion) +
    (k === 0 ? 0 : k * Math.log(share))
  let term = 1
  let sum = 0
  let units = 0
  for (let i = k; i >= 0; i -= 1) {
    sum += term
    const growth = i / ((i - 1 + dispersion) * share)
    term *= growth
    if (growth < 1 && term * i < sum * Number.EPSILON) break
    if (sum > unitMax) {
      term /= unitMax
      sum /= unitMax
      units += 1
    }
  }
  return Math.min(1, Math.exp(logFirst + units * Math.log(unitMax) + Math.log(sum)))
}

const unitMax = 1e200
