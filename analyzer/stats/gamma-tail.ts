import { gammaln } from 'simple-statistics'

/**
 * Chance that a gamma variable of scale 1 exceeds `x`: the regularised upper incomplete gamma function, by its series below
 * `shape + 1` and by its continued fraction above (Press et al., Numerical Recipes in C, 2nd ed., §6.2).
 * gammaTail(1, 2) is e^−2 = 0.135.
 */
export function gammaTail(shape: number, x: number): number {
  if (x <= 0) return 1
  const weight = Math.exp(shape * Math.log(x) - x - gammaln(shape))
  return x < shape + 1 ? Math.max(0, 1 - weight * lowerSeries(shape, x)) : weight * upperFraction(shape, x)
}

function lowerSeries(shape: number, x: number): number {
  let term = 1 / shape
  let sum = term
  for (let n = 1; n < roundsMax && term > sum * Number.EPSILON; n += 1) {
    term *= x / (shape + n)
    sum += term
  }
  return sum
}

/** Lentz's method. */
function upperFraction(shape: number, x: number): number {
  let b = x + 1 - shape
  let c = 1 / tiny
  let d = 1 / b
  let h = d
  for (let n = 1; n < roundsMax; n += 1) {
    const a = -n * (n - shape)
    b += 2
    d = 1 / nonZero(a * d + b)
    c = nonZero(b + a / c)
    const step = c * d
    h *= step
    if (Math.abs(step - 1) < Number.EPSILON) break
  }
  return h
}

function nonZero(value: number): number {
  return Math.abs(value) < tiny ? tiny : value
}

const tiny = 1e-300
const roundsMax = 1_000
