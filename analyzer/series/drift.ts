import { SortedWindow } from './sorted-window.ts'

export interface DriftOptions {
  /** Points that the level and the spread are taken from. */
  points: number
  /** Departures below this, in deviations, are no drift. */
  allowance: number
  /** A single point counts for at most so many deviations. */
  deviationsMax: number
  pointsMin: number
}

/** How far a series has moved away, upwards and downwards, in deviations; and since when, `null` while it has not. */
export interface DriftState {
  up: number
  down: number
  upSinceMs: number | null
  downSinceMs: number | null
}

/**
 * Departures that are small but last: the cumulative sum of deviations from the rolling median beyond an allowance, two-sided
 * (Page 1954, "Continuous inspection schemes"). It starts when the sum leaves zero. With an allowance of 1, deviations of
 * 3, 3 and 0 give sums of 2, 4 and 3.
 */
export class Drift {
  readonly #options: DriftOptions
  readonly #values: SortedWindow
  readonly #deviations: SortedWindow
  #state: DriftState = { up: 0, down: 0, upSinceMs: null, downSinceMs: null }

  constructor(options: DriftOptions) {
    this.#options = options
    this.#values = new SortedWindow(options.points)
    this.#deviations = new SortedWindow(options.points)
  }

  get state(): DriftState {
    return this.#state
  }

  /** The state that a next value would lead to; `null` while too little is known. */
  after(timeMs: number, value: number): DriftState | null {
    if (this.#values.count < this.#options.pointsMin) return null
    const { allowance, deviationsMax } = this.#options
    const residual = value - this.#values.median
    const scale = normalMad * this.#deviations.median
    const deviation = scale > 0 ? residual / scale : Math.sign(residual) * deviationsMax
    const clipped = Math.max(-deviationsMax, Math.min(deviationsMax, deviation))
    const up = Math.max(0, this.#state.up + clipped - allowance)
    const down = Math.max(0, this.#state.down - clipped - allowance)
    return {
      up,
      down,
      upSinceMs: up === 0 ? null : (this.#state.upSinceMs ?? timeMs),
      downSinceMs: down === 0 ? null : (this.#state.downSinceMs ?? timeMs),
    }
  }

  push(timeMs: number, value: number): void {
    const next = this.after(timeMs, value)
    if (next !== null) this.#state = next
    if (this.#values.count > 0) this.#deviations.push(Math.abs(value - this.#values.median))
    this.#values.push(value)
  }
}

/** The standard deviation of a normal variable by its median absolute deviation. */
const normalMad = 1.4826
