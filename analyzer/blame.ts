// Exclusive excess by share: which service answers for what went wrong in a time, once it is known that something did. Direct
// evidence is what happens on the way to a service: calls that it does not answer, or time between the caller's span and its
// own. Then there is what goes wrong within: its own time, errors with no failing call below, and lines of log that its spans began or ceased to write.
import { bucketMiddle, bucketOf, type Histogram, quantileBucket } from '@headwater/vocabulary'
import { cacheBefore } from './cache-misses.ts'
import type { Suspect } from './cause.ts'
import { changedLogs, type LogPatterns } from './changed-logs.ts'
import { type Finding, mostCalled, slowerThan } from './detect.ts'
import { reachableFrom } from './graph/reachable.ts'
import { parameters } from './parameters.ts'
import { type EdgeSeries, operationKey, type OperationSeries, type Picture } from './picture.ts'
import { stallOf, whoWaitsFor } from './stalls.ts'
import { betaBinomialTail } from './stats/beta-binomial.ts'
import { exceedance } from './stats/exceedance.ts'
import { negativeBinomialAtMost } from './stats/negative-binomial.ts'

/** What speaks against one service, in calls. */
interface Charge {
  service: string
  calls: number
  /** Calls beyond the usual that went unanswered or got stuck on the way, by how many of its callers' edges show it. */
  direct: number
  /** The part of its own time's excess that waiting for others explains: who waits holds its workers, and others queue for them. */
  queued: number
  slow: number
  /** Time beyond the usual, within and on the way, by the median of its slow calls. */
  slowNs: number
  errors: number
  /** Spans that logged what they usually do not, or not what they usually do: of the line and operation where most did. */
  logs: { spans: number; ofSpans: number }
  findings: Finding[]
}

/** What besides the pictures speaks against services. */
export interface Testimony {
  logs?: LogPatterns
  /** What raised the alarm. Of silence, and of small effects that last, only these tell. */
  alarms?: readonly Finding[]
  /** Whether it was told before that something is slow, or gives no answer. */
  wasSlow?: boolean
  /** By what factor everything is slower than usual: so much slower accuses nobody. */
  slowdown?: number
}

const noLogs: LogPatterns = { recent: [], usual: [] }

/** Suspects, the most suspect first: one a service. `known` is the normal picture. */
export function blame(
  recent: Picture,
  known: Picture,
  { logs = noLogs, alarms = [], wasSlow = false, slowdown = 1 }: Testimony = {},
): Suspect[] {
  const charges = chargesOf(recent, known, { logs, alarms, wasSlow, slowdown })
  const ancestors = ancestorsIn(known)
  return charges
    .map((charge) => toSuspect(charge, weightOf(charge, charges, ancestors)))
    .toSorted((a, b) => b.weight - a.weight || (a.service < b.service ? -1 : 1))
}

/**
 * Bad calls that nobody else explains, over all calls to a power. A service that calls another suspect, directly or through
 * others, has the share of its own trouble left that the other's bad calls leave: some of its calls to it are not in the traces.
 */
function weightOf(charge: Charge, charges: readonly Charge[], ancestors: Map<string, Set<string>>): number {
  const { callsExponent, errorsExplained, slowTimeMin } = parameters.blame
  const mostNs = Math.max(...charges.map(({ slowNs }) => slowNs))
  // Who is slower by little beside another explains little of what is slow.
  const ofTime = charge.slowNs === 0 ? 1 : Math.min(1, charge.slowNs / (mostNs * slowTimeMin))
  let left = 1
  let errorsLeft = 1
  for (const other of charges) {
    if (other === charge) continue
    if (isAbove(charge.service, other.service, ancestors)) left = Math.min(left, 1 - badShare(other))
    errorsLeft = Math.min(errorsLeft, 1 - errorsExplained * slowShare(other))
  }
  // Who has no worker left refuses.
  errorsLeft = Math.min(errorsLeft, 1 - errorsExplained * charge.queued)
  const { direct, errors, logs } = charge
  const slow = charge.slow * (1 - charge.queued) * ofTime
  const calls = Math.max(1, charge.calls) ** callsExponent
  const within = Math.max(Math.max(slow, errors * errorsLeft) / calls, logs.spans / logs.ofSpans ** callsExponent)
  return direct / calls + within * left
}

function slowShare({ direct, slow, calls }: Charge): number {
  return Math.min(1, (direct + slow) / Math.max(1, calls))
}

function badShare(charge: Charge): number {
  const { errors, calls, logs } = charge
  const failed = (parameters.blame.errorsExplained * errors) / Math.max(1, calls)
  return Math.min(1, Math.max(slowShare(charge) + failed, logs.spans / logs.ofSpans))
}

/** Whether one calls the other, and not the other way round too. */
function isAbove(service: string, other: string, ancestors: Map<string, Set<string>>): boolean {
  return ancestors.get(other)?.has(service) === true && ancestors.get(service)?.has(other) !== true
}

function chargesOf(
  recent: Picture,
  known: Picture,
  { logs, alarms, wasSlow, slowdown }: Required<Testimony>,
): Charge[] {
  const charges = new Map<string, Charge>()
  const chargeOf = (service: string): Charge => {
    const charge = charges.get(service) ?? {
      service,
      calls: 0,
      direct: 0,
      queued: 0,
      slow: 0,
      slowNs: 0,
      errors: 0,
      logs: { spans: 0, ofSpans: 1 },
      findings: [],
    }
    charges.set(service, charge)
    return charge
  }
  // Where nothing grew slow enough to tell, what is slower by the finer measures here is no trouble of anybody's.
  const isSlowness = wasSlow || alarms.length === 0 || alarms.some(({ unit }) => unit !== 'share')
  const waits = new Map<string, { extraNs: number; usualNs: number }>()
  for (const [key, now] of recent.operations) {
    const charge = chargeOf(now.service)
    charge.calls += now.calls
    const before = known.operations.get(key)
    if (before === undefined || isTooFew(now.calls, before.calls)) continue
    const slow = isSlowness ? ownTime(now, before, slowdown) : undefined
    const errors = ownErrors(now, before)
    charge.slow += slow?.excessCalls ?? 0
    charge.errors += errors?.excessCalls ?? 0
    charge.findings.push(...[slow, errors].filter((finding) => finding !== undefined))
    const wait = waits.get(now.service) ?? { extraNs: 0, usualNs: 0 }
    waits.set(now.service, wait)
    wait.usualNs += (now.calls * before.durationNs) / before.calls
  }
  for (const [key, now] of recent.edges) {
    const before = known.edges.get(key)
    const wait = waits.get(now.caller)
    if (wait === undefined || before === undefined || isTooFew(now.calls, before.calls)) continue
    wait.extraNs += Math.max(0, waitedNs(now) - (now.calls * waitedNs(before)) / before.calls)
  }
  for (const [service, { extraNs, usualNs }] of waits) {
    chargeOf(service).queued = usualNs === 0 ? 0 : Math.min(1, extraNs / usualNs)
  }
  const edges = Map.groupBy(recent.edges.entries(), ([, { service }]) => service)
  for (const [service, into] of edges) {
    const charge = chargeOf(service)
    const callers = new Map<string, { calls: number; isBad: boolean }>()
    for (const [key, now] of into) {
      charge.calls += now.unanswered
      const before = known.edges.get(key)
      if (before === undefined || isTooFew(now.calls, before.calls)) continue
      const caller = callers.get(now.caller) ?? { calls: 0, isBad: false }
      callers.set(now.caller, caller)
      caller.calls += now.calls
      const hasSpans = known.served.has(service) || recent.served.has(service)
      const found = (
        hasSpans
          ? [isSlowness ? onTheWay(now, before, slowdown) : undefined, unanswered(now, before, 'unanswered')]
          : [isSlowness ? waiting(now, before, slowdown) : undefined, unanswered(now, before, 'errors')]
      ).filter((finding) => finding !== undefined)
      if (found.length === 0) continue
      caller.isBad = true
      charge.direct += found.reduce((sum, { excessCalls }) => sum + excessCalls, 0)
      charge.findings.push(...found)
    }
    // Who gets stuck with one caller only may owe it to that one.
    const weights = [...callers.values()].map(({ calls, isBad }) => ({ weight: Math.sqrt(calls), isBad }))
    const all = weights.reduce((sum, { weight }) => sum + weight, 0)
    const bad = weights.reduce((sum, { weight, isBad }) => sum + (isBad ? weight : 0), 0)
    if (all > 0) charge.direct *= (bad / all) ** 2
  }
  const stalls: Finding[] = []
  for (const [key, now] of isSlowness ? recent.operations : []) {
    const before = known.operations.get(key)
    if (before === undefined || chargeOf(now.service).findings.length > 0) continue
    const finding = stallOf(now, before, slowdown)
    if (finding !== undefined) stalls.push(finding)
  }
  for (const finding of stalls) {
    const charge = chargeOf(finding.service)
    const losing = whoWaitsFor(finding, recent, (service) => charges.get(service)?.findings ?? [])
    if (losing.size > 0) charge.findings.push(finding)
    for (const caller of losing) {
      const above = chargeOf(caller)
      charge.direct += above.slow * parameters.blame.stall.passedOn
      above.slow *= 1 - parameters.blame.stall.passedOn
    }
  }
  const overAsked = new Set<string>()
  const overloadedByFanOut = new Set<string>()
  for (const [key, now] of recent.edges) {
    const before = known.edges.get(key)
    const caller = operationKey(now.caller, now.callerOperation)
    const [callerNow, callerBefore] = [recent.operations.get(caller), known.operations.get(caller)]
    if (before === undefined || callerNow === undefined || callerBefore === undefined) continue
    const finding = fanOut({ edge: now, caller: callerNow }, { edge: before, caller: callerBefore })
    if (finding === undefined) continue
    const cache = cacheBefore(before, { recent, known })
    if (cache !== undefined) {
      const charge = chargeOf(cache.service)
      charge.direct += finding.excessCalls
      charge.findings.push({ ...finding, ...edgeOf(cache, cache), signal: 'cache-misses', instead: now.service })
      overAsked.add(now.service)
      continue
    }
    // Who asks again because it got no good answer in time is not to blame; nobody does so this often.
    const isOften = finding.seen >= finding.expected * parameters.blame.fanOutCertain
    if (!isOften && chargeOf(now.service).findings.length > 0) continue
    const charge = chargeOf(now.caller)
    charge[isOften ? 'direct' : 'slow'] += finding.excessCalls
    charge.findings.push(finding)
    if (isOften) {
      const perCall = callerNow.calls / callerBefore.calls
      for (const service of overloaded(now.service, { recent, known }, perCall)) overloadedByFanOut.add(service)
    }
  }
  // Who is asked for all that a cache has lost cannot be as quick as ever, nor can who is asked many times instead of once.
  for (const service of overAsked) chargeOf(service).direct = 0
  for (const service of overloadedByFanOut) Object.assign(chargeOf(service), { direct: 0, slow: 0 })
  for (const finding of alarms) {
    const charge = chargeOf(finding.signal === 'fan-out' ? (finding.caller ?? finding.service) : finding.service)
    const isAccused = charge.findings.some((other) => isSameSeries(other, finding))
    if (!isAccused && accuse(charge, finding)) charge.findings.push(finding)
  }
  for (const finding of changedLogs(logs)) {
    const charge = chargeOf(finding.service)
    if (finding.excessCalls > charge.logs.spans) charge.logs = { spans: finding.excessCalls, ofSpans: finding.calls }
    charge.findings.push(finding)
  }
  const accused = [...charges.values()].filter(({ findings }) => findings.length > 0)
  for (const charge of accused) charge.slowNs = charge.findings.reduce((sum, finding) => sum + slowerByNs(finding), 0)
  return accused
}

function slowerByNs({ unit, excessCalls, seen, expected }: Finding): number {
  return unit === 'ns' ? excessCalls * Math.max(0, seen - expected) : 0
}

function isSameSeries(one: Finding, other: Finding): boolean {
  return (
    one.signal === other.signal &&
    one.service === other.service &&
    one.caller === other.caller &&
    (one.caller === undefined ? one.operation === other.operation : one.callerOperation === other.callerOperation)
  )
}

/** Adds an alarm to what speaks against its service; `false` where it speaks against nobody. */
function accuse(charge: Charge, { signal, caller, excessCalls }: Finding): boolean {
  switch (signal) {
    case 'self-time':
      charge.slow += excessCalls
      return true
    case 'origin-errors':
      charge.errors += excessCalls
      return true
    case 'silence':
      charge.calls += excessCalls
      charge.direct += excessCalls
      return true
    case 'unanswered':
    case 'wire-time':
      charge.direct += excessCalls
      return true
    case 'fan-out':
      charge.slow += excessCalls
      return true
    // Of operations these are what their callers see; at an edge, of a peer that has no spans.
    case 'errors':
    case 'latency':
      if (caller !== undefined) charge.direct += excessCalls
      return caller !== undefined
    // Blaming finds these by itself.
    case 'cache-misses':
    case 'logs':
      return false
  }
}

/** A service that is asked too often, and those below it that are asked more often than before with it. */
function overloaded(
  service: string,
  { recent, known }: { recent: Picture; known: Picture },
  callsPerBefore: number,
): Set<string> {
  const [now, before] = [recent, known].map(callsInto)
  const isMore = (callee: string): boolean =>
    (now?.get(callee) ?? 0) >= (before?.get(callee) ?? 0) * callsPerBefore * parameters.blame.fanOutFactor
  const callees = Map.groupBy(recent.edges.values(), ({ caller }) => caller)
  return reachableFrom([service], (at) =>
    (callees.get(at) ?? []).map((edge) => edge.service).filter((callee) => isMore(callee)),
  )
}

function callsInto({ edges }: Picture): Map<string, number> {
  const calls = new Map<string, number>()
  for (const { service, calls: more } of edges.values()) calls.set(service, (calls.get(service) ?? 0) + more)
  return calls
}

function isTooFew(calls: number, before: number): boolean {
  return calls < parameters.blame.callsMin || before < parameters.blame.baselineCallsMin
}

function ownTime(now: OperationSeries, before: OperationSeries, slowdown: number): Finding | undefined {
  const { service, operation } = now
  const finding = slowFinding(
    { signal: 'self-time', service, operation },
    { recent: now.self, usual: before.self, calls: now.calls, baselineCalls: before.calls, slowdown },
  )
  return finding && { ...finding, excessNs: Math.max(0, now.selfNs - (now.calls * before.selfNs) / before.calls) }
}

function onTheWay(now: EdgeSeries, before: EdgeSeries, slowdown: number): Finding | undefined {
  const calls = now.calls - now.unanswered
  const baselineCalls = before.calls - before.unanswered
  if (calls === 0 || baselineCalls === 0) return undefined
  const finding = slowFinding(
    { signal: 'wire-time', ...edgeOf(now, before) },
    { recent: now.wire, usual: before.wire, calls, baselineCalls, slowdown },
  )
  return finding && { ...finding, excessNs: Math.max(0, now.wireNs - (calls * before.wireNs) / baselineCalls) }
}

/** How long callees took, or where they tell nothing, callers waited. */
function waitedNs({ durationNs, answeredNs, wireNs }: EdgeSeries): number {
  return durationNs + answeredNs + wireNs
}

interface EdgeOfCaller {
  edge: EdgeSeries
  caller: OperationSeries
}

/**
 * An operation that makes more calls to one callee than usual for each of its own, and takes longer. Failed calls do not count:
 * they are made again.
 */
function fanOut(now: EdgeOfCaller, before: EdgeOfCaller): Finding | undefined {
  const { fanOutFactor, fanOutTimeMin, pValueMax, callsMin, baselineCallsMin } = parameters.blame
  const calls = now.caller.calls
  if (calls < callsMin || before.caller.calls < baselineCallsMin) return undefined
  const expected = before.edge.calls / before.caller.calls
  const seen = (now.edge.calls - now.edge.failed) / calls
  if (expected === 0 || seen < expected * fanOutFactor) return undefined
  const extraNs = ((seen - expected) * calls * waitedNs(now.edge)) / now.edge.calls
  const slowerNs = now.caller.durationNs - (calls * before.caller.durationNs) / before.caller.calls
  if (extraNs < slowerNs * fanOutTimeMin) return undefined
  const slower = slowFinding(
    { signal: 'fan-out', ...edgeOf(now.edge, before.edge) },
    {
      recent: now.caller.duration,
      usual: before.caller.duration,
      calls,
      baselineCalls: before.caller.calls,
      slowdown: 1,
    },
  )
  if (slower === undefined) return undefined
  const fewer = Math.round(seen * calls) - 1
  // What is left of 1 has no more digits than these.
  const pValue = Math.max(
    Number.EPSILON,
    1 - negativeBinomialAtMost({ k: fewer, expected: expected * calls, dispersion: parameters.callsDispersion }),
  )
  return pValue > pValueMax ? undefined : { ...slower, expected, seen, unit: 'calls', pValue }
}

/** Of a peer without spans there is only how long its callers waited for it. */
function waiting(now: EdgeSeries, before: EdgeSeries, slowdown: number): Finding | undefined {
  const finding = slowFinding(
    { signal: 'latency', ...edgeOf(now, before) },
    { recent: now.duration, usual: before.duration, calls: now.calls, baselineCalls: before.calls, slowdown },
  )
  return (
    finding && { ...finding, excessNs: Math.max(0, now.durationNs - (now.calls * before.durationNs) / before.calls) }
  )
}

function ownErrors(now: OperationSeries, before: OperationSeries): Finding | undefined {
  const { service, operation } = now
  return errorFinding(
    { signal: 'origin-errors', service, operation },
    { bad: now.originErrors, calls: now.calls, badBefore: before.originErrors, baselineCalls: before.calls },
  )
}

function unanswered(now: EdgeSeries, before: EdgeSeries, signal: 'unanswered' | 'errors'): Finding | undefined {
  return errorFinding(
    { signal, ...edgeOf(now, before) },
    { bad: now.unansweredErrors, calls: now.calls, badBefore: before.unansweredErrors, baselineCalls: before.calls },
  )
}

type Subject = Pick<Finding, 'signal' | 'service' | 'operation' | 'caller' | 'callerOperation'>

function edgeOf({ service, caller, callerOperation }: EdgeSeries, before: EdgeSeries): Omit<Subject, 'signal'> {
  return { service, operation: mostCalled(before), caller, callerOperation }
}

function slowFinding(
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

/** Who has many operations has much to say; the first lines matter. */
const findingsMax = 20

function toSuspect({ service, findings }: Charge, weight: number): Suspect {
  const sorted = findings.toSorted((a, b) => b.excessCalls - a.excessCalls).slice(0, findingsMax)
  const [first] = sorted
  if (first !== undefined && isAtPeer(first)) {
    const { caller = '', callerOperation = '' } = first
    return { service: caller, operation: callerOperation, kind: 'dependency', peer: service, weight, findings: sorted }
  }
  return { service, operation: first?.operation ?? '', kind: kindOf(first), weight, findings: sorted }
}

/** Errors and waiting at an edge are told of peers that send no spans, as are misses. */
function isAtPeer({ signal, caller }: Finding): boolean {
  return caller !== undefined && (signal === 'errors' || signal === 'latency' || signal === 'cache-misses')
}

function kindOf(finding: Finding | undefined): Suspect['kind'] {
  switch (finding?.signal) {
    case 'unanswered':
    case 'silence':
      return 'unavailable'
    case 'errors':
    case 'origin-errors':
    case 'logs':
      return 'errors'
    case 'latency':
    case 'self-time':
    case 'wire-time':
    case 'fan-out':
    case 'cache-misses':
    case undefined:
      return 'latency'
  }
}

/** For each service all that call it, directly or through others. */
function ancestorsIn({ edges }: Picture): Map<string, Set<string>> {
  const callers = new Map<string, Set<string>>()
  for (const { caller, service } of edges.values()) {
    const known = callers.get(service)
    if (known === undefined) callers.set(service, new Set([caller]))
    else known.add(caller)
  }
  return new Map(
    [...callers].map(([service, direct]) => {
      const found = new Set(direct)
      for (const at of found) for (const caller of callers.get(at) ?? []) found.add(caller)
      return [service, found]
    }),
  )
}
