// How far a component of which only sums per interval are known departs from its past.
import { median } from 'simple-statistics'
import { parameters } from '../parameters.ts'
import { betaBinomialTail } from '../stats/beta-binomial.ts'
import { normalTail } from '../stats/normal-tail.ts'

/** What was counted of a component in one interval. */
export interface Interval {
  startMs: number
  calls: number
  failed: number
  /** Time of all calls together. */
  durationNs: number
}

export interface Component {
  name: string
  before: readonly Interval[]
  now: readonly Interval[]
}

export type Aspect = 'errors' | 'latency'

/** What a component shows beyond the expected, over all of its calls now: failed calls, or ns. */
export interface Departure {
  component: string
  calls: number
  callsBefore: number
  /** Per call. */
  expected: number
  seen: number
  excess: number
  /** Standard error of the excess. */
  spread: number
  pValue: number
}

/** The departure of one aspect; `undefined` for a component with too few calls now or before. */
export function judgeDeparture(component: Component, aspect: Aspect): Departure | undefined {
  const now = component.now.filter(({ calls }) => calls > 0)
  const [first] = now
  if (first === undefined) return undefined
  const before = nearTimeOfDay(
    component.before.filter(({ calls }) => calls > 0),
    first.startMs,
  )
  const calls = sum(now, (interval) => interval.calls)
  const callsBefore = sum(before, (interval) => interval.calls)
  if (calls < parameters.badCallsMin || callsBefore < parameters.seriesCallsMin) return undefined
  const recent = before.filter(({ startMs }) => startMs >= first.startMs - parameters.baselineMs)
  const earlier = before.filter(({ startMs }) => startMs < first.startMs - parameters.baselineMs)
  const seen = sum(now, (interval) => amountOf(interval, aspect)) / calls
  const subject = { component: component.name, calls, callsBefore, seen }
  switch (aspect) {
    case 'errors': {
      const expected = expectedShare(earlier, recent)
      const spread = calls * shareSpread(before, expected, calls)
      const excess = calls * (seen - expected)
      const byCount = betaBinomialTail({
        k: Math.round(seen * calls),
        n: calls,
        badBefore: expected * callsBefore,
        callsBefore,
      })
      return { ...subject, expected, excess, spread, pValue: Math.max(byCount, normalTail(excess / spread)) }
    }
    case 'latency': {
      const { expected, error } = expectedTime(earlier, recent)
      const spread = calls * Math.hypot(error, timeSpread(before, calls) * expected)
      const excess = calls * (seen - expected)
      return { ...subject, expected, excess, spread, pValue: normalTail(excess / spread) }
    }
  }
}

/** Intervals of about the same time of day, where the past has enough of them; else all. */
export function nearTimeOfDay(before: readonly Interval[], atMs: number): readonly Interval[] {
  const { withinMs, intervalsMin } = parameters.aggregates.timeOfDay
  const near = before.filter(({ startMs }) => {
    const apart = Math.abs(startMs - atMs) % dayMs
    return Math.min(apart, dayMs - apart) <= withinMs
  })
  return near.length >= intervalsMin ? near : before
}

const dayMs = 24 * 3_600_000

function amountOf({ failed, durationNs }: Interval, aspect: Aspect): number {
  return aspect === 'errors' ? failed : durationNs
}

function rates(intervals: readonly Interval[], aspect: Aspect): number[] {
  return intervals.map((interval) => amountOf(interval, aspect) / interval.calls)
}

/**
 * The usual share of failed calls: the medians of what was earlier, worth some calls, and of what is recent. An earlier incident
 * does not become usual.
 */
function expectedShare(earlier: readonly Interval[], recent: readonly Interval[]): number {
  const callsIn = (intervals: readonly Interval[]): number => sum(intervals, ({ calls }) => calls)
  const usualIn = (intervals: readonly Interval[]): number =>
    intervals.length === 0 ? 0 : median(rates(intervals, 'errors'))
  const worth = Math.min(callsIn(earlier), parameters.aggregates.earlierCallsMax)
  return (usualIn(earlier) * worth + usualIn(recent) * callsIn(recent)) / (worth + callsIn(recent))
}

/** Standard error of the share of failed calls: by chance, with Jeffreys' prior, and by what intervals differed before. */
function shareSpread(before: readonly Interval[], expected: number, calls: number): number {
  const callsBefore = sum(before, (interval) => interval.calls)
  const share = (expected * callsBefore + 0.5) / (callsBefore + 1)
  return Math.hypot(Math.sqrt((share * (1 - share)) / calls), scale(rates(before, 'errors')))
}

/**
 * The usual time of a call, and how uncertain that is. What was earlier may have drifted, what was recent is little: each
 * counts by its precision, on the scale of ratios.
 */
function expectedTime(earlier: readonly Interval[], recent: readonly Interval[]): { expected: number; error: number } {
  const { levelDrift, levelRatioMax } = parameters.aggregates
  const levelOf = (intervals: readonly Interval[]): { level: number; error: number } => ({
    level: median(rates(intervals, 'latency')),
    error:
      timeSpread(
        intervals,
        sum(intervals, ({ calls }) => calls),
      ) / Math.sqrt(intervals.length),
  })
  if (earlier.length === 0 || recent.length === 0) {
    const { level, error } = levelOf(earlier.length === 0 ? recent : earlier)
    return { expected: level, error: level * Math.hypot(error, earlier.length === 0 ? 0 : levelDrift) }
  }
  const past = levelOf(earlier)
  const present = levelOf(recent)
  const pastVariance = past.error ** 2 + levelDrift ** 2
  const trust = pastVariance / (pastVariance + present.error ** 2)
  const ratio = Math.min(levelRatioMax, Math.max(1 / levelRatioMax, present.level / past.level))
  const expected = past.level * ratio ** trust
  return { expected, error: expected * Math.sqrt(trust) * present.error }
}

/**
 * Standard error of the mean time of so many calls, relative to it: by chance, and by what intervals differed before. With
 * few intervals the latter leans on what is usual of components (Gelman et al., Bayesian Data Analysis, 3rd ed., §2.6).
 */
function timeSpread(before: readonly Interval[], calls: number): number {
  const { callVariation, usualScale, usualScaleIntervals } = parameters.aggregates
  const values = rates(before, 'latency')
  const own = scale(values) / median(values)
  const shrunk = Math.sqrt(
    (usualScaleIntervals * usualScale ** 2 + before.length * own ** 2) / (usualScaleIntervals + before.length),
  )
  return Math.hypot(callVariation / Math.sqrt(calls), shrunk)
}

/** Spread that outliers cannot drag, like a standard deviation (Hampel 1974). scale([1, 1, 2, 2, 4, 6, 9]) is 1.4826. */
function scale(values: number[]): number {
  const middle = median(values)
  return 1.4826 * median(values.map((value) => Math.abs(value - middle)))
}

function sum(intervals: readonly Interval[], of: (interval: Interval) => number): number {
  return intervals.reduce((total, interval) => total + of(interval), 0)
}
