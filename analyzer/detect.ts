import {
  bucketMiddle,
  bucketOf,
  countAbove,
  type Histogram,
  quantileBucket,
  type SameTime,
  type Signal,
  type SmallestEffect,
} from '@headwater/vocabulary'
import type { SlowRule, TimeRange } from '@headwater/store'
import { parameters } from './parameters.ts'
import { type EdgeSeries, type OperationSeries, type Picture } from './picture.ts'
import { benjaminiHochberg } from './stats/benjamini-hochberg.ts'
import { betaBinomialTail } from './stats/beta-binomial.ts'
import { negativeBinomialAtMost } from './stats/negative-binomial.ts'

/** A significant departure of one series, with what a ranking needs to know of it. */
export interface Finding {
  signal: Signal
  service: string
  operation: string
  /** Set when the series is an edge: who calls. */
  caller?: string
  callerOperation?: string
  expected: number
  seen: number
  unit: 'share' | 'ns' | 'calls'
  pValue: number
  calls: number
  baselineCalls: number
  /** Bad calls beyond the expected. */
  excessCalls: number
  /** Time beyond the expected, over all calls. */
  excessNs: number
  /** Calls slower than this are slow, and there were so many of them, now and before; for latency signals. */
  slowNs?: number
  slowCalls?: number
  slowBefore?: number
  /** What was logged more or less often than usual; for logs. */
  line?: string
  /** Who is asked in a cache's stead; for cache misses. */
  instead?: string
  /** What would have shown, too, where only its own test can tell. */
  smallest?: SmallestEffect
  /** The times that it compares, where these are not the step's: of what lasts. */
  compared?: { recent: TimeRange; baseline: TimeRange }
  /** It departs from what is usual at this time of the week, whatever the last hour was like. */
  isOfSeason?: true
  /** What this time of day was like on other days. */
  sameTime?: SameTime
}

/** By which rules series are judged. */
export interface Judging {
  /** A series is judged by its own past of at least so many calls. */
  seriesCallsMin: number
  /** When a call is slow: the rule that tells most counts. */
  slowRules: readonly SlowRule[]
  slowFloorNs: number
  /** By what factor everything is slower than usual: so much slower says nothing of a series. */
  slowdown: number
}

/** The rules for the recent time. */
export const recentJudging: Judging = {
  seriesCallsMin: parameters.seriesCallsMin,
  slowRules: [parameters.slowTail, parameters.slowBulk],
  slowFloorNs: parameters.slowFloorNs,
  slowdown: 1,
}

export interface Evaluation {
  recent: Picture
  baseline: Picture
  recentMs: number
  /** How much time the baseline covers. */
  baselineMs: number
  /** With no collector alive, silence says nothing. */
  collectorWasAlive: boolean
  /** The largest p-value that is significant, where it is known of more series than are in the pictures. */
  pValueMax?: number
  /** By what factor everything is slower than usual. */
  slowdown?: number
}

/** All departures of the recent picture from the baseline, false discovery controlled over all series of the step. */
export function detect(evaluation: Evaluation): Finding[] {
  const { slowdown = 1 } = evaluation
  const candidates = judgeSeries(evaluation, { ...recentJudging, slowdown })
  const {
    pValueMax = benjaminiHochberg(
      candidates.map(({ pValue }) => pValue),
      parameters.falseDiscoveryRate,
    ),
  } = evaluation
  const canTellSlow = evaluation.baselineMs >= parameters.slowBaselineMs
  const significant = candidates.filter(
    (finding) => finding.pValue <= pValueMax && isLargeEnough(finding) && (canTellSlow || finding.unit === 'share'),
  )
  return evaluation.collectorWasAlive ? [...significant, ...silentServices(evaluation)] : significant
}

/** Each test of each series that both pictures have, significant or not. */
export function judgeSeries(
  { recent, baseline }: Pick<Evaluation, 'recent' | 'baseline'>,
  judging: Judging,
): Finding[] {
  const judged: Finding[] = []
  for (const [key, now] of recent.operations) {
    const before = baseline.operations.get(key)
    if (before === undefined || before.calls < judging.seriesCallsMin) continue
    judged.push(...judgeOperation(now, before, judging))
  }
  for (const [key, now] of recent.edges) {
    const before = baseline.edges.get(key)
    if (before === undefined || before.calls < judging.seriesCallsMin) continue
    const hasSpans = baseline.served.has(now.service) || recent.served.has(now.service)
    judged.push(...judgeEdge(now, before, hasSpans, judging))
  }
  return judged
}

/** Whether so many bad calls beyond the expected are worth telling. */
export function isLargeEnough(
  { excessCalls, calls }: Pick<Finding, 'excessCalls' | 'calls'>,
  shareRiseMin: number = parameters.shareRiseMin,
): boolean {
  return excessCalls >= parameters.badCallsMin && excessCalls / calls >= shareRiseMin
}

function judgeOperation(now: OperationSeries, before: OperationSeries, judging: Judging): Finding[] {
  const { service, operation } = now
  return [
    judgeShare({ signal: 'errors', service, operation }, now.errors, now.calls, before.errors, before.calls),
    judgeShare(
      { signal: 'origin-errors', service, operation },
      now.originErrors,
      now.calls,
      before.originErrors,
      before.calls,
    ),
    judgeTime(
      { signal: 'latency', service, operation },
      now.duration,
      now.durationNs,
      now.calls,
      before.duration,
      before.durationNs,
      before.calls,
      judging,
    ),
    judgeTime(
      { signal: 'self-time', service, operation },
      now.self,
      now.selfNs,
      now.calls,
      before.self,
      before.selfNs,
      before.calls,
      judging,
    ),
  ]
}

function judgeEdge(now: EdgeSeries, before: EdgeSeries, calleeHasSpans: boolean, judging: Judging): Finding[] {
  const { service, caller, callerOperation } = now
  const edge = { service, operation: mostCalled(before), caller, callerOperation }
  if (calleeHasSpans) {
    return [
      judgeShare(
        { signal: 'unanswered', ...edge },
        now.unansweredErrors,
        now.calls,
        before.unansweredErrors,
        before.calls,
      ),
    ]
  }
  return [
    judgeShare({ signal: 'errors', ...edge }, now.unansweredErrors, now.calls, before.unansweredErrors, before.calls),
    judgeTime(
      { signal: 'latency', ...edge },
      now.duration,
      now.durationNs,
      now.calls,
      before.duration,
      before.durationNs,
      before.calls,
      judging,
    ),
  ]
}

/** The callee's operation that answers this edge most; empty for a peer that sends no spans. */
export function mostCalled(edge: EdgeSeries): string {
  let best = ''
  let most = 0
  for (const [operation, calls] of edge.operations) {
    if (calls > most) [best, most] = [operation, calls]
  }
  return best
}

type Subject = Pick<Finding, 'signal' | 'service' | 'operation' | 'caller' | 'callerOperation'>

function judgeShare(subject: Subject, bad: number, calls: number, badBefore: number, callsBefore: number): Finding {
  const expected = badBefore / callsBefore
  return {
    ...subject,
    expected,
    seen: bad / calls,
    unit: 'share',
    pValue: betaBinomialTail({ k: bad, n: calls, badBefore, callsBefore }),
    calls,
    baselineCalls: callsBefore,
    excessCalls: Math.max(0, bad - calls * expected),
    excessNs: 0,
  }
}

/** The most telling of its rules: do more calls than usual fall into the tail, has the bulk moved? */
function judgeTime(
  subject: Subject,
  now: Histogram,
  nowNs: number,
  calls: number,
  before: Histogram,
  beforeNs: number,
  callsBefore: number,
  { slowRules, slowFloorNs, slowdown }: Judging,
): Finding {
  const judged = slowRules.map((rule) => {
    const slowBucket = slowAbove(before, rule, { floorNs: slowFloorNs, slowdown })
    const slow = countAbove(now, slowBucket)
    const slowBefore = countAbove(before, slowBucket)
    const excessCalls = Math.max(0, slow - (calls * slowBefore) / callsBefore)
    const isLarge = excessCalls / calls >= rule.shareRiseMin
    const pValue = isLarge ? betaBinomialTail({ k: slow, n: calls, badBefore: slowBefore, callsBefore }) : 1
    return { slowBucket, slow, slowBefore, excessCalls, pValue }
  })
  const { slowBucket, slow, slowBefore, excessCalls, pValue } = judged.reduce((best, one) =>
    one.pValue < best.pValue ? one : best,
  )
  return {
    ...subject,
    expected: bucketMiddle(quantileBucket(before, 0.5) ?? 0),
    // The median of the slow ones says what the slow calls are like, however many stay fast.
    seen: bucketMiddle(quantileBucket(slowerThan(now, slowBucket), 0.5) ?? 0),
    unit: 'ns',
    pValue,
    calls,
    baselineCalls: callsBefore,
    excessCalls,
    excessNs: Math.max(0, nowNs - (calls * beforeNs) / callsBefore),
    slowNs: bucketMiddle(slowBucket),
    slowCalls: slow,
    slowBefore,
  }
}

/** The bucket above which a call is slow: well beyond a high quantile and the median, and beyond what users would notice. */
export function slowAbove(
  before: Histogram,
  rule: SlowRule,
  { floorNs = parameters.slowFloorNs, slowdown = 1 }: { floorNs?: number; slowdown?: number } = {},
): number {
  const high = bucketMiddle(quantileBucket(before, rule.quantile) ?? 0)
  const median = bucketMiddle(quantileBucket(before, 0.5) ?? 0)
  return bucketOf(Math.max(high * rule.factor * slowdown, median * rule.medianFactor * slowdown, floorNs))
}

/** The calls above a bucket; all of them where there are none. */
export function slowerThan(histogram: Histogram, bucket: number): Histogram {
  return countAbove(histogram, bucket) === 0
    ? histogram
    : Object.fromEntries(Object.entries(histogram).filter(([at]) => Number(at) > bucket))
}

/**
 * Services that should have taken messages and did not. How many were due follows from what those did who send them. Who calls a
 * service does not speak for it: its unanswered calls show by themselves, and a caller that makes no call, because it fails first or
 * a flag was turned, has not met silence. Nor is silent who still makes the calls that it used to make, as whom it calls tells:
 * it lives, and its own spans are lost.
 */
function silentServices({ recent, baseline, recentMs, baselineMs }: Evaluation): Finding[] {
  const findings: Finding[] = []
  for (const [service, callsBefore] of baseline.served) {
    const seen = recent.served.get(service) ?? 0
    const activity = activityAround(service, { recent, baseline, recentMs, baselineMs })
    if (activity === undefined || makesCalls(service, { recent, baseline, recentMs, baselineMs })) continue
    const due = (callsBefore / baselineMs) * recentMs * Math.min(activity, parameters.silenceActivityMax)
    const pValue = negativeBinomialAtMost({ k: seen, expected: due, dispersion: parameters.callsDispersion })
    if (
      due < parameters.silenceCallsMin ||
      seen > due * parameters.silenceShareMax ||
      pValue > parameters.silencePValueMax
    ) {
      continue
    }
    findings.push({
      signal: 'silence',
      service,
      operation: busiestOperation(service, baseline),
      expected: due,
      seen,
      unit: 'calls',
      pValue,
      calls: seen,
      baselineCalls: callsBefore,
      excessCalls: due - seen,
      excessNs: 0,
    })
  }
  return findings
}

/** How active those who send messages to a service are now, as a multiple of before; `undefined` where nobody does. */
function activityAround(
  service: string,
  { recent, baseline, recentMs, baselineMs }: Pick<Evaluation, 'recent' | 'baseline' | 'recentMs' | 'baselineMs'>,
): number | undefined {
  let now = 0
  let before = 0
  for (const edge of baseline.edges.values()) {
    const sent = baseline.published.get(edge.caller) ?? 0
    if (edge.service !== service || !edge.async || sent === 0) continue
    before += edge.calls
    now += edge.calls * (((recent.published.get(edge.caller) ?? 0) / sent) * (baselineMs / recentMs))
  }
  return before > 0 ? now / before : undefined
}

/** Whether a service makes a share of its usual calls which a silent one does not take. */
function makesCalls(
  service: string,
  { recent, baseline, recentMs, baselineMs }: Pick<Evaluation, 'recent' | 'baseline' | 'recentMs' | 'baselineMs'>,
): boolean {
  const due = ((baseline.made.get(service) ?? 0) / baselineMs) * recentMs
  return (recent.made.get(service) ?? 0) > due * parameters.silenceShareMax
}

function busiestOperation(service: string, { operations }: Picture): string {
  let best: OperationSeries | undefined
  for (const series of operations.values()) {
    if (series.service === service && (best === undefined || series.calls > best.calls)) best = series
  }
  return best?.operation ?? ''
}
