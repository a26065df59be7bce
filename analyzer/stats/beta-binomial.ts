import { gammaln } from 'simple-statistics'
import { parameters } from '../parameters.ts'

/**
 * Chance of at least `k` bad calls of `n`, when `badBefore` of `callsBefore` were bad: the tail of the beta-binomial, the
 * predictive distribution under Jeffreys' prior Beta(½, ½) (Gelman et al., Bayesian Data Analysis, 3rd ed., §2.4–2.8).
 *
 * `trust` bounds how many earlier calls count as evidence: calls of one series are alike (bursts, one slow host), so that
 * a million of them are not a million independent draws. That makes the test overdispersed rather than sharp.
 *
 * betaBinomialTail({ k: 0, n: 10, badBefore: 0, callsBefore: 100 }) is 1.
 */
export function betaBinomialTail({
  k,
  n,
  badBefore,
  callsBefore,
  trust = parameters.trustedCalls,
}: {
  k: number
  n: number
  badBefore: number
  callsBefore: number
  trust?: number
}): number {
  if (k <= 0) return 1
  if (k > n) return 0
  const share = callsBefore > trust ? trust / callsBefore : 1
  const alpha = badBefore * share + 0.5
  const beta = (callsBefore - badBefore) * share + 0.5
  // Each term follows from the one before, relative to the first: that one may be too small for a number where the bad
  // calls are far fewer than usual. Summed until what is left adds nothing.
  const logFirst = logChoose(n, k) + logBeta(k + alpha, n - k + beta) - logBeta(alpha, beta)
  let term = 1
  let tail = 0
  let units = 0
  for (let i = k; i <= n; i += 1) {
    tail += term
    const growth = ((n - i) / (i + 1)) * ((i + alpha) / (n - i - 1 + beta))
    term *= growth
    if (growth < 1 && term * (n - i) < tail * Number.EPSILON) break
    if (tail > unitMax) {
      term /= unitMax
      tail /= unitMax
      units += 1
    }
  }
  return Math.min(1, Math.exp(logFirst + units * Math.log(unitMax) + Math.log(tail)))
}

const unitMax = 1e200

function logChoose(n: number, k: number): number {
  return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
}

function logBeta(a: number, b: number): number {
  return gammaln(a) + gammaln(b) - gammaln(a + b)
}
