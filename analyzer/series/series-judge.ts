import { parameters } from '../parameters.ts'
import { gammaTail } from '../stats/gamma-tail.ts'
import { DayProfile } from './day-profile.ts'
import { Drift } from './drift.ts'
import { News } from './news.ts'
import { ResidualTail, type ResidualTailOptions } from './residual-tail.ts'
import { SortedWindow } from './sorted-window.ts'
import type { Season } from './week-profile.ts'

/** What a series is compared with: its last points, the same time of other days, and itself as a whole when it drifts. */
export type View = 'level' | 'season' | 'drift'

/** One point of a series, judged by those before it. */
export interface Judgement {
  timeMs: number
  seen: number
  /** `null` while the series is too young. */
  expected: number | null
  /** −log10 of the chance, by view; 0 while a view knows too little. */
  views: Readonly<Record<View, number>>
  /** The sum over the views: Fisher's statistic. */
  surprise: number
  /** The chance of so much surprise, as the views of this series go together. */
  pValue: number
  /** The surprise if it is news, else 0: one that goes on is told once. */
  news: number
  state: 'learning' | 'usual' | 'unusual'
  /** Since when the series has been leaving its level; `null` while it is usual. */
  sinceMs: number | null
}

/** A judgement before it is known whether it is news. */
export type Outlook = Omit<Judgement, 'news'>

export interface SeriesJudgeOptions {
  /** What is usual at a time; by default by the time of day alone. */
  season?: Season
  tail?: ResidualTailOptions
  /** What is unusual is told by residuals that are older than so many points, so that what grows slowly does not excuse itself. */
  delayPoints?: number
}

/** The departures from the expected value that would have been unusual; `null` where none would. */
export interface SmallestEffect {
  up: number | null
  down: number | null
}

/**
 * Judges the points of one numeric series as they come, none twice and none by a later one. Three views give a chance each, by
 * what their own residuals were before; their surprises are added (Fisher 1932), and the chance of the sum takes into account
 * that the views go together (Brown 1975, with moments that are measured). Memory and time per point are bounded.
 */
export class SeriesJudge {
  readonly #level = new SortedWindow(parameters.series.levelPoints)
  readonly #season: Season
  readonly #drift = new Drift(parameters.series.drift)
  readonly #tails: Readonly<Record<View, ResidualTail>>
  readonly #delayPoints: number
  /** Residuals that are not yet learned, the oldest first. */
  readonly #waiting: { residuals: Record<View, number | null>; surprise: number }[] = []
  readonly #news = new News(parameters.series.newsPoints)
  readonly #usual = new Moments(parameters.series.independentViews)

  constructor({
    season = new DayProfile(parameters.series.day),
    tail = parameters.series.tail,
    delayPoints = 0,
  }: SeriesJudgeOptions = {}) {
    this.#season = season
    this.#delayPoints = delayPoints
    this.#tails = { level: new ResidualTail(tail), season: new ResidualTail(tail), drift: new ResidualTail(tail) }
  }

  /** Judges a point and learns it. */
  push(timeMs: number, seen: number): Judgement {
    const outlook = this.at(timeMs, seen)
    const news = this.#news.push(outlook.surprise)
    this.#waiting.push({ residuals: this.#residuals(timeMs, seen), surprise: outlook.surprise })
    if (this.#waiting.length > this.#delayPoints) this.#learnOldest()
    this.#level.push(seen)
    this.#season.push(timeMs, seen)
    this.#drift.push(timeMs, seen)
    return { ...outlook, news }
  }

  #learnOldest(): void {
    const oldest = this.#waiting.shift()
    if (oldest === undefined) return
    const { residuals, surprise } = oldest
    for (const view of ['level', 'season', 'drift'] as const) {
      const residual = residuals[view]
      if (residual !== null) this.#tails[view].push(residual)
    }
    // Where residuals are learned late, anything is surprising at first.
    const isSettled = this.#delayPoints === 0 || residuals.season !== null
    if (residuals.drift !== null && isSettled) this.#usual.push(surprise)
  }

  /** What a next point would be judged, without learning it. */
  at(timeMs: number, seen: number): Outlook {
    const expected = this.#expected(timeMs)
    const residuals = this.#residuals(timeMs, seen)
    const views = this.#surprises(residuals)
    const surprise = views.level + views.season + views.drift
    const isUnusual = surprise >= parameters.series.unusualSurprise
    return {
      timeMs,
      seen,
      expected,
      views,
      surprise,
      pValue: this.#usual.chanceAbove(surprise),
      state: residuals.level === null ? 'learning' : isUnusual ? 'unusual' : 'usual',
      sinceMs: isUnusual ? (this.#departedMs(timeMs, { expected, seen }) ?? timeMs) : null,
    }
  }

  /** What is usual at this time of other days; `null` while too little is known. */
  usualAt(timeMs: number): number | null {
    return this.#season.expected(timeMs)
  }

  /** What the next point would have to differ by to be unusual. */
  smallestEffect(timeMs: number): SmallestEffect {
    const expected = this.#expected(timeMs)
    if (expected === null) return { up: null, down: null }
    const isUnusual = (value: number) => {
      const { level, season, drift } = this.#surprises(this.#residuals(timeMs, value))
      return level + season + drift >= parameters.series.unusualSurprise
    }
    return {
      up: smallest((effect) => isUnusual(expected + effect)),
      down: smallest((effect) => isUnusual(expected - effect)),
    }
  }

  /** The time of day tells more than the last points, where it is known. */
  #expected(timeMs: number): number | null {
    return (
      this.#season.expected(timeMs) ??
      (this.#level.count < parameters.series.levelPointsMin ? null : this.#level.median)
    )
  }

  #residuals(timeMs: number, value: number): Record<View, number | null> {
    const usual = this.#season.expected(timeMs)
    const drift = this.#drift.after(timeMs, value)
    return {
      level: this.#level.count < parameters.series.levelPointsMin ? null : value - this.#level.median,
      season: usual === null ? null : value - usual,
      drift: drift === null ? null : Math.max(drift.up, drift.down),
    }
  }

  #surprises(residuals: Record<View, number | null>): Record<View, number> {
    const { level, season, drift } = residuals
    return {
      level: level === null ? 0 : this.#tails.level.surprise(level),
      season: season === null ? 0 : this.#tails.season.surprise(season),
      drift: drift === null ? 0 : this.#tails.drift.surprise(drift),
    }
  }

  #departedMs(timeMs: number, { expected, seen }: { expected: number | null; seen: number }): number | null {
    const { upSinceMs, downSinceMs } = this.#drift.after(timeMs, seen) ?? this.#drift.state
    return expected !== null && seen < expected ? downSinceMs : upSinceMs
  }
}

/** The smallest effect above zero that passes, by doubling and halving; `null` where even a huge one does not. */
function smallest(passes: (effect: number) => boolean): number | null {
  let high = Number.MIN_VALUE
  for (let exponent = -60; exponent <= 200; exponent += 2) {
    high = 2 ** exponent
    if (passes(high)) {
      let low = high / 4
      for (let i = 0; i < 30; i += 1) {
        const middle = (low + high) / 2
        if (passes(middle)) high = middle
        else low = middle
      }
      return high
    }
  }
  return null
}

/** Mean and variance of the surprise so far, and the gamma distribution that has them. */
class Moments {
  #count: number
  #mean: number
  #squares: number

  /** It starts as if so many independent views had been seen for a while. */
  constructor({ views, points }: { views: number; points: number }) {
    this.#count = points
    this.#mean = views * Math.LOG10E
    this.#squares = points * views * Math.LOG10E ** 2
  }

  push(surprise: number): void {
    this.#count += 1
    const difference = surprise - this.#mean
    this.#mean += difference / this.#count
    this.#squares += difference * (surprise - this.#mean)
  }

  chanceAbove(surprise: number): number {
    const scale = this.#squares / this.#count / this.#mean
    return gammaTail(this.#mean / scale, surprise / scale)
  }
}
