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

/** What is usual of a component, and how far so many calls may be from it by chance. */
export interface Past {
  calls: number
  /** Per call. */
  expected: number
  /** Standard error of the amount per call, of so many calls. */
  spreadOf: (calls: number) => number
}

/** The departure of one aspect; `undefined` for a component with too few calls now or before. */
export function judgeDeparture({ name, before, now }: Component, aspect: Aspect): Departure | undefined {
  const [first] = now
  const past = first === undefined ? undefined : pastOf(before, aspect, first.startMs)
  return past === undefined ? undefined : departureFrom(past, { name, now }, aspect)
}

/** What is usual of one aspect for a time that begins at `atMs`; `undefined` where too few calls are known. */
export function pastOf(known: readonly Interval[], aspect: Aspect, atMs: number): Past | undefined {
  const before = nearTimeOfDay(
    known.filter(({ calls }) => calls > 0),
    atMs,
  )
  const calls = callsIn(before)
  if (calls < parameters.seriesCallsMin) return undefined
  const recent = before.filter(({ startMs }) => startMs >= atMs - parameters.baselineMs)
  const earlier = before.filter(({ startMs }) => startMs < atMs - parameters.baselineMs)
  switch (aspect) {
    case 'errors': {
      const expected = expectedShare(earlier, recent)
      const share = (expected * calls + 0.5) / (calls + 1)
      const between = scale(rates(before, 'errors'))
      // By chance, with Jeffreys' prior, and by what intervals differed before.
      return { calls, expected, spreadOf: (n) => Math.hypot(Math.sqrt((share * (1 - share)) / n), between) }
    }
    case 'latency': {
      const { expected, error } = expectedTime(earlier, recent)
      const between = usualScaleOf(before)
      return {
        calls,
        expected,
        spreadOf: (n) =>
          Math.hypot(error, expected * Math.hypot(parameters.aggregates.callVariation / Math.sqrt(n), between)),
      }
    }
  }
}

/** How far the time `now` is from the past; `undefined` with too few calls. */
export function departureFrom(
  { calls: callsBefore, expected, spreadOf }: Past,
  { name, now }: Pick<Component, 'name' | 'now'>,
  aspect: Aspect,
): Departure | undefined {
  const calls = callsIn(now)
  if (calls < parameters.badCallsMin) return undefined
  const amount = now.reduce((sum, interval) => sum + amountOf(interval, aspect), 0)
  const excess = amount - calls * expected
  const spread = calls * spreadOf(calls)
  const byCount =
    aspect === 'errors'
      ? betaBinomialTail({ k: Math.round(amount), n: calls, badBefore: expected * callsBefore, callsBefore })
      : 0
  const pValue = Math.max(byCount, normalTail(excess / spread))
  return { component: name, calls, callsBefore, expected, seen: amount / calls, excess, spread, pValue }
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
  const usualIn = (intervals: readonly Interval[]): number =>
    intervals.length === 0 ? 0 : median(rates(intervals, 'errors'))
  const worth = Math.min(callsIn(earlier), parameters.aggregates.earlierCallsMax)
  return (usualIn(earlier) * worth + usualIn(recent) * callsIn(recent)) / (worth + callsIn(recent))
}

/**
 * The usual time of a call, and how uncertain that is. What was earlier may have drifted, what was recent is little: each
 * counts by its precision, on the scale of ratios.
 */
function expectedTime(earlier: readonly Interval[], recent: readonly Interval[]): { expected: number; error: number } {
  const { levelDrift, levelRatioMax, callVariation } = parameters.aggregates
  const levelOf = (intervals: readonly Interval[]): { level: number; error: number } => ({
    level: median(rates(intervals, 'latency')),
    error: Math.hypot(
      callVariation / Math.sqrt(callsIn(intervals)),
      usualScaleOf(intervals) / Math.sqrt(intervals.length),
    ),
  })
  if (earlier.length === 0 || recent.length === 0) {
    const { level, error } = levelOf(earlier.length === 0 ? recent : earlier)
    return { expected: level, error: level * Math.hypot(error, earlier.length === 0 ? 0 : levelDrift) }
  }
  const past = levelOf(earlier)
  const present = levelOf(recent)
  if (past.level === 0) return { expected: present.level, error: present.level * present.error }
  const pastVariance = past.error ** 2 + levelDrift ** 2
  const trust = pastVariance / (pastVariance + present.error ** 2)
  const ratio = Math.min(levelRatioMax, Math.max(1 / levelRatioMax, present.level / past.level))
  const expected = past.level * ratio ** trust
  return { expected, error: expected * Math.sqrt(trust) * present.error }
}

/**
 * By how much the mean times of intervals differ, relative to them. With few intervals this leans on what is usual of components
 * (Gelman et al., Bayesian Data Analysis, 3rd ed., §2.6).
 */
function usualScaleOf(before: readonly Interval[]): number {
  const { usualScale, usualScaleIntervals } = parameters.aggregates
  const values = rates(before, 'latency')
  const middle = median(values)
  const own = middle === 0 ? 0 : scale(values) / middle
  return Math.sqrt(
    (usualScaleIntervals * usualScale ** 2 + before.length * own ** 2) / (usualScaleIntervals + before.length),
  )
}

/** Spread that outliers cannot drag, like a standard deviation (Hampel 1974). scale([1, 1, 2, 2, 4, 6, 9]) is 1.4826. */
function scale(values: number[]): number {
  const middle = median(values)
  return 1.4826 * median(values.map((value) => Math.abs(value - middle)))
}

function callsIn(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { calls }) => sum + calls, 0)
}
