// The score of the Numenta Anomaly Benchmark, as its own scorer counts it (nab/sweeper.py, nab/scorer.py; Lavin & Ahmad 2015,
// "Evaluating real-time anomaly detection algorithms", §II): an anomaly found early in its window counts for more, alarms
// soon after a window are forgiven, and one threshold holds for all series.

/** An anomaly: the first and the last point of it, both included. */
export interface AnomalyWindow {
  first: number
  last: number
}

/** What is won and lost. */
export interface CostProfile {
  truePositive: number
  falsePositive: number
  falseNegative: number
}

/** nab/config/profiles.json, "standard". */
export const standardProfile: CostProfile = { truePositive: 1, falsePositive: 0.11, falseNegative: 1 }

/** The windows of a series, and what a detector said of each point: the higher, the stranger. */
export interface ScoredSeries {
  windows: readonly AnomalyWindow[]
  scores: ArrayLike<number>
}

export interface NabScore {
  /** 0 is a detector that never says anything, 100 one that hits the first point of each window and no other. */
  score: number
  /** Points that reach it are alarms. */
  threshold: number
  found: number
  windows: number
  /** Alarms outside of all windows. */
  falseAlarms: number
}

/** What is made of one point if it is an alarm, and the window that it is in: `null` is none. */
interface Point {
  score: number
  gain: number
  window: string | null
}

/**
 * The value of an alarm by where it is: −1 is the start of a window, 0 its end, more is behind it.
 * positionValue(-1) is 0.9866, positionValue(-0.5) 0.8483, positionValue(0) 0, positionValue(1) −0.9866.
 */
export function positionValue(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1
}

/** The first points of a series are not scored, so that a detector may learn. */
export function probationLength(points: number): number {
  return Math.min(Math.floor(0.15 * points), 0.15 * 5000)
}

/** What an alarm at each point wins or loses. */
export function alarmGains(points: number, windows: readonly AnomalyWindow[], profile: CostProfile): Float64Array {
  const best = positionValue(-1)
  const gains = new Float64Array(points)
  let before: AnomalyWindow | undefined
  let next = 0
  for (let i = 0; i < points; i += 1) {
    const window = windows[next]
    if (window !== undefined && i >= window.first) {
      const width = window.last - window.first + 1
      gains[i] = (positionValue(-(window.last - i + 1) / width) * profile.truePositive) / best
      if (i === window.last) {
        before = window
        next += 1
      }
    } else {
      const value = before === undefined ? -1 : positionValue((i - before.last) / (before.last - before.first))
      gains[i] = value * profile.falsePositive
    }
  }
  return gains
}

/** The score with the threshold that is best over all series together. */
export function nabScore(all: readonly ScoredSeries[], profile: CostProfile = standardProfile): NabScore {
  const points = all.flatMap((series, index) => pointsOf(series, index, profile))
  points.sort((a, b) => b.score - a.score)
  const windows = all.reduce((sum, series) => sum + series.windows.length, 0)
  const gains = new Map<string, number>()
  let raw = -windows * profile.falseNegative
  let falseAlarms = 0
  let best = { raw, threshold: Infinity, found: 0, falseAlarms: 0 }
  for (const [i, { score, gain, window }] of points.entries()) {
    if (window === null) {
      raw += gain
      falseAlarms += 1
    } else {
      const known = gains.get(window) ?? -profile.falseNegative
      gains.set(window, Math.max(known, gain))
      raw += Math.max(0, gain - known)
    }
    const isLastOfItsScore = points[i + 1]?.score !== score
    if (isLastOfItsScore && raw > best.raw) best = { raw, threshold: score, found: gains.size, falseAlarms }
  }
  return {
    score:
      (100 * (best.raw + windows * profile.falseNegative)) / (windows * (profile.truePositive + profile.falseNegative)),
    threshold: best.threshold,
    found: best.found,
    windows,
    falseAlarms: best.falseAlarms,
  }
}

/** What one series adds to the score at a threshold, between −1 and 1 for each window; for tables. */
export function seriesScore(
  series: ScoredSeries,
  threshold: number,
  profile: CostProfile = standardProfile,
): { gain: number; found: number; falseAlarms: number } {
  const alarms = pointsOf(series, 0, profile).filter(({ score }) => score >= threshold)
  const gains = new Map<string, number>()
  let lost = 0
  let falseAlarms = 0
  for (const { gain, window } of alarms) {
    if (window === null) {
      lost += gain
      falseAlarms += 1
    } else gains.set(window, Math.max(gains.get(window) ?? -profile.falseNegative, gain))
  }
  const won = [...gains.values()].reduce((sum, gain) => sum + gain, 0)
  return {
    gain: won + lost - (series.windows.length - gains.size) * profile.falseNegative,
    found: gains.size,
    falseAlarms,
  }
}

function pointsOf({ windows, scores }: ScoredSeries, series: number, profile: CostProfile): Point[] {
  const gains = alarmGains(scores.length, windows, profile)
  const points: Point[] = []
  for (let i = Math.ceil(probationLength(scores.length)); i < scores.length; i += 1) {
    const window = windows.findIndex(({ first, last }) => i >= first && i <= last)
    points.push({ score: scores[i] ?? 0, gain: gains[i] ?? 0, window: window === -1 ? null : `${series}/${window}` })
  }
  return points
}
