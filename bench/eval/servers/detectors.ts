import { JointJudge } from '@headwater/analyzer'
import { Chance } from '../../ingest/chance.ts'
import { componentResidual } from './principal-components.ts'
import type { Server } from './read.ts'

/** Alarms, 0 or 1, for the points of a test; thresholds come from the training. */
export type ServerDetector = (server: Server) => Uint8Array

/** The product's own judge. */
export const ours: ServerDetector = ({ training, test, stepMs }) => {
  const judge = new JointJudge(test[0]?.length ?? 0)
  for (const [i, values] of training.entries()) judge.learn(i * stepMs, values)
  return Uint8Array.from(test, (values, i) =>
    Number(judge.push((training.length + i) * stepMs, values).state === 'unusual'),
  )
}

/** What the first components, with 90 % of the variance, leave of a point, above the 99.9th percentile of training. */
export const principal: ServerDetector = ({ training, test }) => {
  const residual = componentResidual(training, 0.9)
  return above(training.map(residual), test.map(residual), 0.999)
}

/** The same with the quantile, the mean over points and the hold that ours has. */
export const principalHeld: ServerDetector = ({ training, test }) => {
  const residual = componentResidual(training, 0.9)
  return held(above(smooth(training.map(residual), 5), smooth(test.map(residual), 5), 0.98), 10)
}

/** The metric that is farthest from its median, in median absolute deviations, above the 99.9th percentile of training. */
export const farthestMetric: ServerDetector = ({ training, test }) => {
  const scales = Array.from({ length: test[0]?.length ?? 0 }, (_, j) => {
    const column = training.map((row) => row[j] ?? 0)
    const center = quantile(column, 0.5)
    const mad =
      1.4826 *
      quantile(
        column.map((value) => Math.abs(value - center)),
        0.5,
      )
    const deviation = Math.sqrt(column.reduce((sum, value) => sum + (value - center) ** 2, 0) / column.length)
    return { center, scale: mad > 0 ? mad : deviation > 0 ? deviation : 1 }
  })
  const farthest = (row: Float64Array) =>
    scales.reduce((most, { center, scale }, j) => Math.max(most, Math.abs((row[j] ?? 0) - center) / scale), 0)
  return above(training.map(farthest), test.map(farthest), 0.999)
}

/** As many points as the quantile of ours lets through, by lot. */
export const random: ServerDetector = ({ test }) => {
  const chance = new Chance(1)
  return Uint8Array.from(test, () => Number(chance.below(50) === 0))
}

function above(training: readonly number[], test: readonly number[], share: number): Uint8Array {
  const threshold = quantile(training, share)
  return Uint8Array.from(test, (score) => Number(score > threshold))
}

function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).toSorted()
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}

function smooth(values: readonly number[], points: number): number[] {
  return values.map((_, i) => {
    const recent = values.slice(Math.max(0, i + 1 - points), i + 1)
    return recent.reduce((sum, value) => sum + value, 0) / recent.length
  })
}

function held(alarms: Uint8Array, points: number): Uint8Array {
  let last = -Infinity
  return alarms.map((alarm, i) => {
    if (alarm === 1) last = i
    return Number(i - last <= points)
  })
}
