// What is usual at this time of day is no incident: a nightly batch makes services slow, and everybody knows. Of each of the last days
// the same minutes are looked at, and a little around them, since batches are not punctual.
import type { SameTime } from '@headwater/vocabulary'
import { parameters } from './parameters.ts'
import { betaBinomialTail } from './stats/beta-binomial.ts'
import { negativeBinomialAtMost } from './stats/negative-binomial.ts'

const { sameTime } = parameters

/** Calls of a minute, or of some; `very` are those that took nearly as long as half of the slow ones do now. */
export interface Counts {
  calls: number
  bad: number
  very: number
}

/** A series that departs now. `before` is what it was like in the last hour; calls that are missing have none, as all were due. */
export interface Departure {
  now: Pick<Counts, 'calls' | 'bad'>
  before: Pick<Counts, 'calls' | 'bad'> | undefined
  /** Whether bad calls are slow ones. */
  isTime: boolean
  /** By so much the share of bad calls has to rise to be worth telling. */
  shareRiseMin: number
}

/** What a day shows at this time: too little; what is normal; the same departure, but clearly less of it; or as much. */
export type DayState = 'unknown' | 'normal' | 'less' | 'as-much'

/** So many stretches a day has. */
const stretches = sameTime.stretchMinutes.reduce((sum, length) => sum + minutesOfDay() - length + 1, 0)

/** How many minutes of a day are looked at. */
export function minutesOfDay(): number {
  return 2 * sameTime.aroundMinutes + 1
}

/** Judges one day by its minutes, in their order. */
export function judgeDay(departure: Departure, minutes: readonly Counts[]): DayState {
  if (minutes.reduce((sum, { calls }) => sum + calls, 0) < parameters.seriesCallsMin) return 'unknown'
  const usual = shareOf(departure.before)
  const riseMin = (shareOf(departure.now) - usual) / 2
  for (const length of sameTime.stretchMinutes) {
    const worst = worstStretch(minutes, length)
    if (worst === undefined || shareOf(worst) - usual < riseMin) continue
    if (chanceOf(worst, departure) * stretches > sameTime.dayPValueMax) continue
    return isClearlyLess(worst, departure) ? 'less' : 'as-much'
  }
  return 'normal'
}

/** One of the last days. */
export interface JudgedDay {
  daysAgo: number
  /** Whether it is of the same kind as today: a weekday, or a day of the weekend. */
  isLike: boolean
  state: DayState
}

/**
 * What the last days say together. Those of the same kind count by themselves where enough of them are known, or where they
 * contradict; else the last ones of any kind. `undefined` where no day is known.
 */
export function sameTimeOf(days: readonly JudgedDay[], { isWeekend }: { isWeekend: boolean }): SameTime | undefined {
  const known = days.filter(({ state }) => state !== 'unknown').toSorted((a, b) => a.daysAgo - b.daysAgo)
  const like = known.filter(({ isLike }) => isLike).slice(0, sameTime.days)
  const isOfKind = like.length >= sameTime.daysMin || !like.every(hasDeparted)
  const judged = isOfKind ? like : known.filter(({ daysAgo }) => daysAgo <= sameTime.days)
  if (judged.length === 0) return undefined
  return {
    of: !isOfKind ? 'days' : isWeekend ? 'weekend days' : 'weekdays',
    known: judged.length,
    departed: judged.filter(hasDeparted).length,
    asMuch: judged.filter(({ state }) => state === 'as-much').length,
  }
}

/** Whether a day shows the departure, be it less than now. */
export function hasDeparted(day: Pick<JudgedDay, 'state'> | undefined): boolean {
  return day?.state === 'less' || day?.state === 'as-much'
}

/** Whether a departure comes back at this time of day, be it less than now. */
export function isRecurring({ known, departed }: SameTime): boolean {
  return departed >= sameTime.daysMin && departed >= known * sameTime.shareMin
}

/** Whether nothing is to be told of it. */
export function isUsual(told: SameTime): boolean {
  return isRecurring(told) && told.asMuch >= sameTime.asMuchMin
}

/** The same in a sentence. */
export function sentenceOf({ of, known, departed, asMuch }: SameTime): string {
  const [day] = of.split(/s\b/)
  const last = known === 1 ? `the last ${day} that is known` : `the last ${known} ${of} that are known`
  if (departed === 0) return `At this time of day it was normal on ${last}.`
  const much =
    asMuch === 0
      ? 'each time clearly less'
      : asMuch === departed
        ? 'about as much'
        : `on ${asMuch} of them about as much`
  return `At this time of day it departed from normal on ${departed} of ${last}, ${much}.`
}

/** Of all stretches of this length the one with the largest share of bad calls. */
function worstStretch(minutes: readonly Counts[], length: number): Counts | undefined {
  let worst: Counts | undefined
  for (let from = 0; from + length <= minutes.length; from += 1) {
    const sum = { calls: 0, bad: 0, very: 0 }
    for (const { calls, bad, very } of minutes.slice(from, from + length)) {
      sum.calls += calls
      sum.bad += bad
      sum.very += very
    }
    if (sum.calls > 0 && (worst === undefined || shareOf(sum) > shareOf(worst))) worst = sum
  }
  return worst
}

/** The chance of so many bad calls if nothing had been different from the last hour. */
function chanceOf({ calls, bad }: Counts, { before }: Departure): number {
  return before === undefined
    ? negativeBinomialAtMost({
        k: Math.round(calls - bad),
        expected: calls,
        dispersion: parameters.callsDispersion,
      })
    : betaBinomialTail({ k: bad, n: calls, badBefore: before.bad, callsBefore: before.calls })
}

/** Whether what there is now is clearly worse than on that day: more calls are bad, or slow ones take longer. */
function isClearlyLess(day: Counts, { now, before, isTime, shareRiseMin }: Departure): boolean {
  const isLess = (bad: number, badThen: number): boolean => {
    if (bad / now.calls - badThen / day.calls < shareRiseMin) return false
    const pValue =
      before === undefined
        ? negativeBinomialAtMost({
            k: Math.round(now.calls - bad),
            expected: now.calls * (1 - badThen / day.calls),
            dispersion: parameters.callsDispersion,
          })
        : betaBinomialTail({ k: bad, n: now.calls, badBefore: badThen, callsBefore: day.calls })
    return pValue <= sameTime.worsePValueMax
  }
  return isLess(now.bad, day.bad) || (isTime && isLess(Math.floor(now.bad / 2), day.very))
}

function shareOf(counts: Pick<Counts, 'calls' | 'bad'> | undefined): number {
  return counts === undefined || counts.calls === 0 ? 0 : counts.bad / counts.calls
}
