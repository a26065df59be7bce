// Runs that did not come. Who is refused, or waits, before the first span of a run begins shows in no span: only in how many runs
// there are, against how many were due. Decided here for one flow by its own past; who else could have caused it is asked in
// read-missing-runs.ts.
import type { MissingRuns } from '@headwater/vocabulary'
import { parameters } from './parameters.ts'
import { negativeBinomialAtMost } from './stats/negative-binomial.ts'

const { missing } = parameters

/** A whole window of some seconds. */
export interface CountedWindow {
  seconds: number
  runs: number
  /** Runs of flows that are not touched, in the same window. */
  untouched: number
}

export interface FlowCounts {
  /** Minutes when nothing was wrong, the latest last. */
  before: readonly CountedWindow[]
  /** From the onset on. */
  recent: readonly CountedWindow[]
  /** What a run takes in the mean. */
  beforeMeanNs: number
  recentMeanNs: number
}

/** What is missing of a flow, as far as its counts tell. */
export type MissingJudgement =
  /** As many came as chance allows. */
  | { state: 'came' }
  | { state: 'unknown'; why: 'short-past' | 'uneven-past'; expected: number; seen: number }
  | ({ state: 'missing' } & MissingCount)

export interface MissingCount extends Omit<MissingRuns, 'from' | 'to'> {
  /** Of the recent time, up to when most were missing. */
  seconds: number
  /** How the number of runs varies beyond chance: the size of the negative binomial. */
  dispersion: number
}

/**
 * How many runs are missing, from the onset to the moment at which most were. What is due follows from the latest usual minutes, less what
 * the flows that are not touched lack as well, and less what is under way still: runs that take longer end later (Little, Operations
 * Research 9, 1961). It varies as the flow's own minutes did. Chance had several moments to choose from: as many as times that are
 * twice as long as the one before, since most of what the others hold is the same (Bonferroni).
 */
export function judgeMissing({ before, recent, beforeMeanNs, recentMeanNs }: FlowCounts): MissingJudgement {
  const seconds = sumOf(recent, 'seconds')
  if (before.length === 0 || seconds * 1_000 < missing.timeMinMs) return { state: 'came' }
  const usual = usualOf(before)
  const seen = sumOf(recent, 'runs')
  const dueEach = (usual.runsPerMinute / 60) * commonChange(usual, recent)
  const underWayS = Math.max(0, recentMeanNs - beforeMeanNs) / 1e9
  const notYet = (dueEach * missing.onItsWayMs) / 1_000 + (seen / seconds) * underWayS
  const prefixes: Prefix[] = []
  let until: Prefix = { seconds: 0, expected: -notYet, seen: 0 }
  for (const window of recent) {
    until = {
      seconds: until.seconds + window.seconds,
      expected: until.expected + dueEach * window.seconds,
      seen: until.seen + window.runs,
    }
    prefixes.push(until)
  }
  const long = prefixes.filter((prefix) => prefix.seconds * 1_000 >= missing.timeMinMs)
  const atMost = long.reduce((worst, prefix) => (lackOf(prefix) > lackOf(worst) ? prefix : worst))
  const { expected } = atMost
  const lack = lackOf(atMost)
  if (expected < missing.dueMin || lack < expected * missing.shareMin) return { state: 'came' }
  const { varies } = usual
  const moments = 1 + Math.log2(recent.length)
  const lacking = long.filter((prefix) => lackOf(prefix) >= prefix.expected * missing.shareMin)
  const chanceIf = (dispersion: number): number =>
    lacking.reduce(
      (least, { seen: k, expected: due }) =>
        Math.min(least, moments * negativeBinomialAtMost({ k, expected: due, dispersion })),
      1,
    )
  const pValue = chanceIf(1 / varies)
  const isMuch = lack >= expected * missing.unknownShareMin
  const told = { expected: Math.round(expected), seen: atMost.seen }
  if (before.length < missing.minutesMin) {
    return isMuch ? { state: 'unknown', why: 'short-past', ...told } : { state: 'came' }
  }
  if (pValue > missing.pValueMax) {
    // Were it not for what varies in its past, so few would not have come.
    const isBeyondCounting = chanceIf(steadyDispersion) <= missing.pValueMax
    return isMuch && isBeyondCounting ? { state: 'unknown', why: 'uneven-past', ...told } : { state: 'came' }
  }
  const reach = 1.96 * Math.sqrt(expected + expected ** 2 * varies)
  const surplus = lack - lackOf(until)
  const dueSince = until.expected - expected
  const isSurplus = surplus > 2 * Math.sqrt(dueSince + dueSince ** 2 * varies)
  return {
    state: 'missing',
    ...told,
    runs: Math.round(lack),
    low: Math.max(0, Math.round(lack - reach)),
    high: Math.round(Math.min(expected, lack + reach)),
    cameLater: isSurplus ? Math.round(Math.min(lack, surplus)) : 0,
    seconds: atMost.seconds,
    pValue,
    dispersion: 1 / varies,
  }
}

/** Of nothing but chance: next to Poisson's. */
const steadyDispersion = 1e6

/** From the onset on. */
interface Prefix {
  seconds: number
  expected: number
  seen: number
}

function lackOf({ expected, seen }: Prefix): number {
  return expected - seen
}

interface Usual {
  runsPerMinute: number
  untouchedPerMinute: number
  /** The variance of what comes beyond that of counting, relative to the square of what is due. */
  varies: number
}

/** The level of the latest minutes, and how far all of them were from it, the load of untouched flows divided out. */
function usualOf(before: readonly CountedWindow[]): Usual {
  const latest = before.slice(-missing.levelMinutes)
  const runs = sumOf(latest, 'runs')
  const untouched = sumOf(latest, 'untouched')
  const runsPerMinute = runs / latest.length
  const untouchedPerMinute = untouched / latest.length
  const isDivided = untouchedPerMinute >= missing.untouchedRunsMin
  const dueIn = ({ untouched: others }: CountedWindow): number =>
    isDivided ? (runsPerMinute * others) / untouchedPerMinute : runsPerMinute
  const beyondCounting = before.map((minute) => {
    const due = Math.max(1, dueIn(minute))
    const byCounting = 1 / due + (isDivided ? 1 / Math.max(1, minute.untouched) : 0)
    return (minute.runs / due - 1) ** 2 - byCounting
  })
  const own = Math.max(
    0,
    beyondCounting.reduce((sum, square) => sum + square, 0),
  )
  const each =
    (missing.priorMinutes / parameters.callsDispersion + own) / (missing.priorMinutes + Math.max(1, before.length - 1))
  return {
    runsPerMinute,
    untouchedPerMinute: isDivided ? untouchedPerMinute : 0,
    // The level is known from as many minutes only, and counted itself.
    varies: each * (1 + 1 / latest.length) + 1 / Math.max(1, runs) + (isDivided ? 1 / Math.max(1, untouched) : 0),
  }
}

/** By how much less than usual untouched flows have. When they have more, nobody knows whether this one would. */
function commonChange({ untouchedPerMinute }: Usual, recent: readonly CountedWindow[]): number {
  if (untouchedPerMinute === 0) return 1
  const usual = (untouchedPerMinute / 60) * sumOf(recent, 'seconds')
  return Math.min(1, sumOf(recent, 'untouched') / usual)
}

function sumOf(windows: readonly CountedWindow[], part: keyof CountedWindow): number {
  return windows.reduce((sum, window) => sum + window[part], 0)
}
