// What departs from normal in one operation or at one edge, by measures finer than those that raise an alarm: once it is known that something
// went wrong, who is to blame is found among few.
import { bucketMiddle, bucketOf, type Histogram, quantileBucket } from '@headwater/vocabulary'
import { type Finding, mostCalled, slowerThan } from './detect.ts'
import { parameters } from './parameters.ts'
import type { EdgeSeries, OperationSeries } from './picture.ts'
import { betaBinomialTail } from './stats/beta-binomial.ts'
import { exceedance } from './stats/exceedance.ts'

/** Whether so few calls, now or before, tell nothing. */
export function isTooFew(calls: number, before: number): boolean {
  return calls < parameters.blame.callsMin || before < parameters.blame.baselineCallsMin
}

/** An operation's own time. */
export function ownTime(now: OperationSeries, before: OperationSeries, slowdown: number): Finding | undefined {
  const { service, operation } = now
  const finding = slowFinding(
    { signal: 'self-time', service, operation },
    { recent: now.self, usual: before.self, calls: now.calls, baselineCalls: before.calls, slowdown },
  )
  return finding && { ...finding, excessNs: Math.max(0, now.selfNs - (now.calls * before.selfNs) / before.calls) }
}

/** Failed calls with no failing call below. */
export function ownErrors(now: OperationSeries, before: OperationSeries): Finding | undefined {
  const { service, operation } = now
  return errorFinding(
    { signal: 'origin-errors', service, operation },
    { bad: now.originErrors, calls: now.calls, badBefore: before.originErrors, baselineCalls: before.calls },
  )
}

/** Time between the caller's span and the callee's. */
export function onTheWay(now: EdgeSeries, before: EdgeSeries, slowdown: number): Finding | undefined {
  const calls = now.calls - now.unanswered
  const baselineCalls = before.calls - before.unanswered
  if (calls === 0 || baselineCalls === 0) return undefined
  const finding = slowFinding(
    { signal: 'wire-time', ...edgeOf(now, before) },
    { recent: now.wire, usual: before.wire, calls, baselineCalls, slowdown },
  )
  return finding && { ...finding, excessNs: Math.max(0, now.wireNs - (calls * before.wireNs) / baselineCalls) }
}

/** Of a peer without spans there is only how long its callers waited for it. */
export function waiting(now: EdgeSeries, before: EdgeSeries, slowdown: number): Finding | undefined {
  const finding = slowFinding(
    { signal: 'latency', ...edgeOf(now, before) },
    { recent: now.duration, usual: before.duration, calls: now.calls, baselineCalls: before.calls, slowdown },
  )
  return (
    finding && { ...finding, excessNs: Math.max(0, now.durationNs - (now.calls * before.durationNs) / before.calls) }
  )
}

/** Failed calls that nobody answered. */
export function unanswered(now: EdgeSeries, before: EdgeSeries, signal: 'unanswered' | 'errors'): Finding | undefined {
  return errorFinding(
    { signal, ...edgeOf(now, before) },
    { bad: now.unansweredErrors, calls: now.calls, badBefore: before.unansweredErrors, baselineCalls: before.calls },
  )
}

/** How long callees took, or where they tell nothing, callers waited. */
export function waitedNs({ durationNs, answeredNs, wireNs }: EdgeSeries): number {
  return durationNs + answeredNs + wireNs
}

type Subject = Pick<Finding, 'signal' | 'service' | 'operation' | 'caller' | 'callerOperation'>

/** What a finding at an edge speaks of. */
export function edgeOf({ service, caller, callerOperation }: EdgeSeries, before: EdgeSeries): Omit<Subject, 'signal'> {
  return { service, operation: mostCalled(before), caller, callerOperation }
}

/** Durations that lie above the usual ones by more than chance. */
export function slowFinding(
  subject: Subject,
  {
    recent,
    usual,
    calls,
    baselineCalls,
    slowdown,
  }: { recent: Histogram; usual: Histogram; calls: number; baselineCalls: number; slowdown: number },
): Finding | undefined {
  const { slowFactor, shareRiseMin, pValueMax } = parameters.blame
  const margin = bucketOf(slowFactor * slowdown * 1e9) - bucketOf(1e9)
  const { share, pValue } = exceedance(recent, usual, margin)
  if (share < shareRiseMin || pValue > pValueMax) return undefined
  const expected = quantileBucket(usual, 0.5) ?? 0
  const slowBucket = expected + margin
  return {
    ...subject,
    expected: bucketMiddle(expected),
    seen: bucketMiddle(quantileBucket(slowerThan(recent, slowBucket), 0.5) ?? quantileBucket(recent, 0.5) ?? 0),
    unit: 'ns',
    pValue,
    calls,
    baselineCalls,
    excessCalls: share * calls,
    excessNs: 0,
    slowNs: bucketMiddle(slowBucket),
  }
}

function errorFinding(
  subject: Subject,
  { bad, calls, badBefore, baselineCalls }: { bad: number; calls: number; badBefore: number; baselineCalls: number },
): Finding | undefined {
  const { badCallsMin, shareRiseMin, pValueMax } = parameters.blame
  const expected = badBefore / baselineCalls
  const excessCalls = bad - calls * expected
  if (excessCalls < badCallsMin || excessCalls / calls < shareRiseMin) return undefined
  const pValue = betaBinomialTail({ k: bad, n: calls, badBefore, callsBefore: baselineCalls })
  if (pValue > pValueMax) return undefined
  const seen = bad / calls
  return { ...subject, expected, seen, unit: 'share', pValue, calls, baselineCalls, excessCalls, excessNs: 0 }
}
