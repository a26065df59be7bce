/**
 * Chance that a standard normal variable exceeds `z`, with a relative error below 1.2e-7 also far out, where `1 − Φ(z)` would be
 * rounded to nothing (Press et al., Numerical Recipes in C, 2nd ed., §6.2, `erfcc`). normalTail(1.959964) is 0.025.
 */
export function normalTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + x / 2)
  const tail = (t * Math.exp(-x * x + horner(t))) / 2
  return z >= 0 ? tail : 1 - tail
}

function horner(t: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * t + coefficient, 0)
}

const coefficients = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
]

/** The `z` that a standard normal variable exceeds with this chance, by halving; at most 38. normalScore(0.025) is 1.96. */
export function normalScore(chance: number): number {
  let low = -scoreMax
  let high = scoreMax
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2
    if (normalTail(middle) > chance) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Beyond it a chance is too small for a number. */
const scoreMax = 38
