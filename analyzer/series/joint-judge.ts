import { parameters } from '../parameters.ts'
import { DayProfile } from './day-profile.ts'
import { SortedWindow } from './sorted-window.ts'

/** One point of many series, judged together. */
export interface JointJudgement {
  /** Mean of the squared deviations over the series, smoothed; `null` while too little is known. */
  distance: number | null
  /** Above this it is unusual; `null` before training has told. */
  threshold: number | null
  state: 'learning' | 'usual' | 'unusual'
  /** Since when it has been unusual. */
  sinceMs: number | null
  /** What each series adds to the distance now, in squared deviations. */
  deviations: Float64Array
}

/**
 * Judges many series of one thing, such as the metrics of a server, as one: how far all of them are from what is usual at this
 * time of day, in deviations of each (Shewhart's chart for the mean square, smoothed). The threshold is a quantile of what training
 * showed. Afterwards the profiles go on learning, which medians over days bear, and deviations are learned up to a limit
 * (winsorised), so that a long incident does not become normal.
 */
export class JointJudge {
  readonly #profiles: DayProfile[]
  readonly #squares: Float64Array
  readonly #recent: number[] = []
  readonly #trained = new SortedWindow(parameters.series.joint.trainingPoints)
  #points = 0
  #startMs: number | null = null
  #unusualMs: { first: number; pointsAgo: number } | null = null

  constructor(seriesCount: number) {
    this.#profiles = Array.from({ length: seriesCount }, () => new DayProfile(parameters.series.joint.day))
    this.#squares = new Float64Array(seriesCount)
  }

  /** A point of a time that is taken as healthy, by and large. */
  learn(timeMs: number, values: ArrayLike<number>): void {
    this.#startMs ??= timeMs
    const { distance } = this.#take(timeMs, values, null)
    if (distance !== null && timeMs - this.#startMs >= parameters.series.joint.warmUpMs) this.#trained.push(distance)
  }

  push(timeMs: number, values: ArrayLike<number>): JointJudgement {
    const { distance, deviations } = this.#take(timeMs, values, parameters.series.joint.deviationsMax)
    const threshold = this.#threshold()
    if (distance === null || threshold === null) {
      return { distance, threshold, state: 'learning', sinceMs: null, deviations }
    }
    this.#hold(timeMs, distance > threshold)
    return {
      distance,
      threshold,
      state: this.#unusualMs === null ? 'usual' : 'unusual',
      sinceMs: this.#unusualMs?.first ?? null,
      deviations,
    }
  }

  #threshold(): number | null {
    const { count } = this.#trained
    return count === 0 ? null : this.#trained.at(Math.floor(parameters.series.joint.trainingQuantile * count))
  }

  /** An incident holds on for some points, since it comes and goes. */
  #hold(timeMs: number, isAbove: boolean): void {
    if (isAbove) this.#unusualMs = { first: this.#unusualMs?.first ?? timeMs, pointsAgo: 0 }
    else if (this.#unusualMs !== null) {
      const pointsAgo = this.#unusualMs.pointsAgo + 1
      this.#unusualMs = pointsAgo > parameters.series.joint.holdPoints ? null : { ...this.#unusualMs, pointsAgo }
    }
  }

  #take(
    timeMs: number,
    values: ArrayLike<number>,
    deviationsMax: number | null,
  ): { distance: number | null; deviations: Float64Array } {
    const residuals = this.#profiles.map((profile, i) => {
      const expected = profile.expected(timeMs)
      return expected === null ? null : (values[i] ?? 0) - expected
    })
    for (const [i, profile] of this.#profiles.entries()) profile.push(timeMs, values[i] ?? 0)
    const deviations = new Float64Array(this.#profiles.length)
    if (residuals.some((residual) => residual === null)) return { distance: null, deviations }
    this.#points += 1
    for (const [i, residual] of residuals.entries()) {
      const square = (residual ?? 0) ** 2
      const scale = ((this.#squares[i] ?? 0) + square) / this.#points
      deviations[i] = scale > 0 ? square / scale : 0
      this.#squares[i] =
        (this.#squares[i] ?? 0) + (deviationsMax === null ? square : Math.min(square, deviationsMax ** 2 * scale))
    }
    this.#recent.push(deviations.reduce((sum, one) => sum + one, 0) / deviations.length)
    if (this.#recent.length > parameters.series.joint.smoothPoints) this.#recent.shift()
    return { distance: this.#recent.reduce((sum, one) => sum + one, 0) / this.#recent.length, deviations }
  }
}
