import { SortedWindow } from './sorted-window.ts'

export interface ResidualTailOptions {
  /** Residuals that are kept. */
  size: number
  /** Beyond this quantile the tail is a curve, not a count. */
  tailFrom: number
  /** Fewer residuals than this tell nothing. */
  countMin: number
}

/**
 * How surprising a residual is among those before it, as −log10 of its chance, apart for those above and below zero. Up to a high
 * quantile the chance is conformal: the share of residuals that are as large (Laxhammar & Falkman 2010). Beyond, it follows
 * a generalised Pareto tail, as in SPOT (Siffer et al., KDD 2017, §3), fitted by moments (Hosking & Wallis 1987, §3). Its shape
 * is at least 1/n where n residuals are in the tail: what an exponential tail predicts when its mean is known from n alone.
 *
 * After 99 residuals 1, 2 … 99, one of 50 has 50 of them at or above it: surprise is −log10(51 / 100) = 0.29.
 */
export class ResidualTail {
  readonly #options: ResidualTailOptions
  readonly #residuals: SortedWindow

  constructor(options: ResidualTailOptions) {
    this.#options = options
    this.#residuals = new SortedWindow(options.size)
  }

  push(residual: number): void {
    this.#residuals.push(residual)
  }

  surprise(residual: number): number {
    const { tailFrom, countMin } = this.#options
    const count = this.#residuals.count
    if (count < countMin || residual === 0) return 0
    const side = residual > 0 ? 1 : -1
    const size = Math.abs(residual)
    const first = Math.floor(tailFrom * count)
    const start = this.#sizeAt(side, first)
    if (size <= start) {
      const asLarge = side === 1 ? count - this.#residuals.below(residual) : this.#residuals.atMost(residual)
      return -Math.log10((1 + asLarge) / (count + 1))
    }
    return Math.min(surpriseMax, -Math.log10(1 - tailFrom) + this.#beyond(side, first, size - start))
  }

  /** The surprise of exceeding the start of the tail by so much, given that it is exceeded. */
  #beyond(side: 1 | -1, first: number, excess: number): number {
    const count = this.#residuals.count
    const start = this.#sizeAt(side, first)
    let sum = 0
    let squares = 0
    for (let rank = first; rank < count; rank += 1) {
      const one = this.#sizeAt(side, rank) - start
      sum += one
      squares += one * one
    }
    const n = count - first
    const floor = excessMeanMin * this.#sizeAt(side, count - 1)
    const mean = Math.max(sum / n, floor)
    if (mean === 0) return surpriseMax
    const variance = squares / n - (sum / n) ** 2
    const byMoments = variance > 0 ? (1 - mean ** 2 / variance) / 2 : 0
    const shape = Math.min(shapeMax, Math.max(byMoments, 1 / n))
    const scale = mean * (1 - shape)
    return Math.log1p((shape * excess) / scale) / shape / Math.LN10
  }

  /** The size of the residual at a rank among those on one side; those on the other side count as zero. */
  #sizeAt(side: 1 | -1, rank: number): number {
    const residual = side === 1 ? this.#residuals.at(rank) : -this.#residuals.at(this.#residuals.count - 1 - rank)
    return Math.max(0, residual)
  }
}

/** A chance of 10^−15 is as good as none, also where a series has never moved. */
const surpriseMax = 15
/** The mean excess is at least this part of the largest residual. */
const excessMeanMin = 1e-6
/** A tail with a shape of a half has no variance, so that its moments say nothing. */
const shapeMax = 0.45
