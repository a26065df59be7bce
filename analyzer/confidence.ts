import type { Suspect } from './cause.ts'
import { parameters } from './parameters.ts'
import { normalScore, normalTail } from './stats/normal-tail.ts'

/**
 * How sure it is that the first suspect is the cause, 0 to 1: the chance that it would still be the first if each weight were
 * seen again, times how often causes lie outside of what is measured. A weight's standard error follows from its p-value,
 * since w / s is the score that the p-value belongs to. 0 without suspects.
 */
export function confidenceOf(suspects: readonly Pick<Suspect, 'weight' | 'findings'>[]): number {
  const weighed = suspects.map(({ weight, findings }) => {
    const pValue = Math.min(1, ...findings.map((finding) => finding.pValue))
    return { weight, spread: weight / Math.max(parameters.weightScoreMin, normalScore(pValue)) }
  })
  return chanceOfFirst(weighed) * parameters.confidenceMax
}

/**
 * The chance that the first of independent normal variables is the largest: the integral of its density times the others'
 * distributions, by the trapezoid rule. Two alike give 1/2; one alone 1.
 */
export function chanceOfFirst(weights: readonly { weight: number; spread: number }[]): number {
  const [first, ...others] = weights
  if (first === undefined) return 0
  let chance = 0
  for (let step = -steps; step <= steps; step += 1) {
    const z = (step * reach) / steps
    const weight = first.weight + z * first.spread
    const below = others.reduce(
      (product, other) => product * (1 - normalTail((weight - other.weight) / Math.max(other.spread, tiny))),
      1,
    )
    chance += ((Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * below * reach) / steps
  }
  return Math.min(1, chance)
}

/** Within six standard deviations, a hundredth of one a step. */
const reach = 6
const steps = 600
const tiny = 1e-12
