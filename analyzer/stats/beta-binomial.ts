import { gammaln } from 'simple-statistics'

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
  trust = 400,
}: {
  k: number
  n: number
  badBefore: number
  callsBefore: number
  trust?: number
}): number {
  if (k <= 0) return 1
  const share = callsBefore > trust ? trust / callsBefore : 1
  const alpha = badBefore * share + 0.5
  const beta = (callsBefore - badBefore) * share + 0.5
  // Sum from the far end, where terms are small; each follows from the one before.
  let term = Math.exp(logChoose(n, k) + logBeta(k + alpha, n - k + beta) - logBeta(alpha, beta))
  let tail = 0
  for (let i = k; i <= n; i += 1) {
    tail += term
    term *= ((n - i) / (i + 1)) * ((i + alpha) / (n - i - 1 + beta))
  }
  return Math.min(1, tail)
}

function logChoose(n: number, k: number): number {
  return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
}

function logBeta(a: number, b: number): number {
  return gammaln(a) + gammaln(b) - gammaln(a + b)
}
