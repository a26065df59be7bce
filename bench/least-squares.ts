import { studentT95 } from './student-t.ts'

export interface Point {
  x: number
  y: number
}

/** A line's slope, and how far the true one may be from it: within `slope ± halfWidth` in 95 of 100 cases. */
export interface Slope {
  slope: number
  halfWidth: number
}

/**
 * The slope of the straight line through `points` that is nearest to them, by least squares. Its interval takes what is off the
 * line for independent of one another. slopeOf([{x: 0, y: 0}, {x: 1, y: 3}, {x: 2, y: 3}]) is 1.5 ± 11.
 */
export function slopeOf(points: readonly Point[]): Slope {
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanX, meanY] = [meanOf(points.map(({ x }) => x)), meanOf(points.map(({ y }) => y))]
  let [together, alone] = [0, 0]
  for (const { x, y } of points) {
    together += (x - meanX) * (y - meanY)
    alone += (x - meanX) ** 2
  }
  const slope = together / alone
  const residual = points.reduce((sum, { x, y }) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  const freedom = points.length - 2
  return { slope, halfWidth: studentT95(freedom) * Math.sqrt(residual / freedom / alone) }
}
