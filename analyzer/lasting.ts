// Effects too small to tell from chance in half a minute, which go on: a host that is a little slower, one call in thirty that fails,
// calls that are simply no longer made. Each of the last minutes has to show them, since chance does not repeat itself.
import type { UsualCalls } from '@headwater/store'
import { type Finding, isLargeEnough, type Judging, judgeSeries, mostCalled } from './detect.ts'
import { mostThat } from './minimum-detectable.ts'
import { parameters } from './parameters.ts'
import { type EdgeSeries, type OperationSeries, operationKey, type Picture } from './picture.ts'
import { betaBinomialTail } from './stats/beta-binomial.ts'
import { negativeBinomialAtMost } from './stats/negative-binomial.ts'

const { lasting } = parameters

export const lastingJudging: Judging = {
  seriesCallsMin: lasting.baselineCallsMin,
  slowRules: [lasting.slow],
  slowFloorNs: lasting.slowFloorNs,
  slowdown: 1,
}

/** Of one minute any rise counts: it is asked only whether the minute agrees. */
const minuteJudging: Judging = { ...lastingJudging, slowRules: [{ ...lasting.slow, shareRiseMin: 0 }] }

export interface LastingEvaluation {
  /** All of the time that is judged … */
  whole: Picture
  /** … and each of its minutes. */
  minutes: readonly Picture[]
  baseline: Picture
  /** The largest p-value that is significant over all series. */
  pValueMax: number
  /** By what factor everything is slower than usual. */
  slowdown?: number
  /** How often a success of the caller makes the call, minute by minute, by the edge's key; where that is known. */
  usualCalls?: ReadonlyMap<string, Pick<UsualCalls, 'mean' | 'least'>>
}

/**
 * What speaks against services once something lasting has been found: small departures over all of a time, not in each of its
 * minutes, and by less than what raises an alarm.
 */
export function smallDepartures(recent: Picture, baseline: Picture, slowdown = 1): Finding[] {
  return judgeSeries({ recent, baseline }, { ...lastingJudging, slowdown }).filter(
    (finding) => finding.pValue <= parameters.blame.pValueMax && isLargeEnough(finding, lasting.shareRiseMin),
  )
}

/** What departs from normal over the whole time and in each of its minutes, be it by little. */
export function detectLasting({
  whole,
  minutes,
  baseline,
  pValueMax,
  slowdown = 1,
  usualCalls = new Map(),
}: LastingEvaluation): Finding[] {
  const findings = judgeSeries({ recent: whole, baseline }, { ...lastingJudging, slowdown }).filter(
    (finding) =>
      finding.pValue <= Math.min(pValueMax, lasting.pValueMax) &&
      finding.calls >= lasting.callsMin &&
      isLargeEnough(finding, lasting.shareRiseMin),
  )
  const ofMinutes = minutes.map((minute) => {
    const judged =
      findings.length === 0 ? [] : judgeSeries({ recent: minute, baseline }, { ...minuteJudging, slowdown })
    return new Map(judged.map((finding) => [seriesOf(finding), finding]))
  })
  const lastingFindings = findings.filter((finding) => {
    const series = seriesOf(finding)
    // A minute without calls says nothing against it.
    if (ofMinutes.some((minute) => (minute.get(series)?.pValue ?? 0) > lasting.minutePValueMax)) return false
    // What is passing is not lasting, though the last minute still has some of it.
    const last = ofMinutes.at(-1)?.get(series)
    return last === undefined || excessShare(last) >= excessShare(finding) * lasting.goesOnMin
  })
  return [...lastingFindings, ...ceasedCalls({ whole, minutes, baseline, usualCalls })]
}

function excessShare({ excessCalls, calls }: Finding): number {
  return excessCalls / calls
}

/** What tells the tests of all series apart. */
export function seriesOf({ signal, service, operation, caller, callerOperation }: Finding): string {
  return [signal, service, operation, caller, callerOperation].join('\u0000')
}

/**
 * Calls that operations usually make when they succeed, and make no longer, while they go on succeeding: half of them at most, or too
 * few where each success had made one.
 */
function ceasedCalls({
  whole,
  minutes,
  baseline,
  usualCalls,
}: Pick<Required<LastingEvaluation>, 'whole' | 'minutes' | 'baseline' | 'usualCalls'>): Finding[] {
  const findings: Finding[] = []
  for (const [key, before] of baseline.edges) {
    const caller = operationKey(before.caller, before.callerOperation)
    const usual = usualCalls.get(key) ?? { mean: Infinity, least: 0 }
    const isAlways = usual.least >= lasting.leftOut.ratioMin
    const finding = ceased(before, {
      edge: whole.edges.get(key),
      caller: whole.operations.get(caller),
      callerBefore: baseline.operations.get(caller),
      isAlways,
      isSteady: usual.least >= usual.mean * lasting.steady.partMin,
    })
    if (finding === undefined) continue
    const { minuteShareMax } = isAlways ? lasting.leftOut : lasting.ceased
    const goesOn = minutes.every((minute) => {
      const due = finding.expected * succeeded(minute.operations.get(caller))
      return due < lasting.ceased.minuteDueMin || madeIn(minute.edges.get(key)) <= due * minuteShareMax
    })
    if (goesOn) findings.push(finding)
  }
  return findings
}

function ceased(
  before: EdgeSeries,
  {
    edge,
    caller,
    callerBefore,
    isAlways,
    isSteady,
  }: {
    edge: EdgeSeries | undefined
    caller: OperationSeries | undefined
    callerBefore: OperationSeries | undefined
    isAlways: boolean
    isSteady: boolean
  },
): Finding | undefined {
  // What is handed over by message may be late.
  if (before.async || caller === undefined || callerBefore === undefined) return undefined
  const [calls, baselineCalls] = [succeeded(caller), succeeded(callerBefore)]
  if (baselineCalls < lasting.baselineCallsMin) return undefined
  const { dueMin, pValueMax } = lasting.ceased
  const { shareMax } = isAlways ? lasting.leftOut : lasting.ceased
  const expected = before.calls / baselineCalls
  const due = expected * calls
  const made = madeIn(edge)
  if (due < dueMin || made > due * shareMax) return undefined
  const chanceOf = (k: number): number =>
    isAlways
      ? betaBinomialTail({
          k: Math.round(due - k),
          n: Math.round(due),
          badBefore: Math.max(0, baselineCalls - before.calls),
          callsBefore: baselineCalls,
        })
      : negativeBinomialAtMost({
          k,
          expected: due,
          dispersion: isSteady ? lasting.steady.dispersion : parameters.callsDispersion,
        })
  const pValue = chanceOf(made)
  if (pValue > pValueMax) return undefined
  // Weighed calls are no whole ones.
  const most = Math.max(
    made,
    mostThat((k) => chanceOf(k) <= pValueMax, Math.floor(due * shareMax)),
  )
  return {
    signal: 'fan-out',
    service: before.service,
    operation: mostCalled(before),
    caller: before.caller,
    callerOperation: before.callerOperation,
    expected,
    seen: made / calls,
    unit: 'calls',
    pValue,
    calls,
    baselineCalls,
    excessCalls: calls * (1 - made / due),
    excessNs: 0,
    smallest: { value: most / calls, share: 1 - most / due },
  }
}

function succeeded(series: OperationSeries | undefined): number {
  return series === undefined ? 0 : series.calls - series.errors
}

function madeIn(edge: EdgeSeries | undefined): number {
  return edge?.calls ?? 0
}
