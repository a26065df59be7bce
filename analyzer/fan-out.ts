// An operation that asks one callee many times where it used to ask once: it takes longer itself, and may overload whom it asks.
import { cacheBefore } from './cache-misses.ts'
import type { Charges, Comparison } from './charges.ts'
import type { Finding } from './detect.ts'
import { edgeOf, slowFinding, waitedNs } from './finer-findings.ts'
import { reachableFrom } from './graph/reachable.ts'
import { parameters } from './parameters.ts'
import { type EdgeSeries, operationKey, type OperationSeries, type Picture } from './picture.ts'
import { negativeBinomialAtMost } from './stats/negative-binomial.ts'

/** Speaks against who asks too often, or against a cache that has lost what it knew, and acquits whom that overloads. */
export function chargeFanOut(charges: Charges, { recent, known }: Comparison): void {
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
      const charge = charges.of(cache.service)
      charge.direct += finding.excessCalls
      charge.findings.push({ ...finding, ...edgeOf(cache, cache), signal: 'cache-misses', instead: now.service })
      overAsked.add(now.service)
      continue
    }
    // Who asks again because it got no good answer in time is not to blame; nobody does so this often.
    const isOften = finding.seen >= finding.expected * parameters.blame.fanOutCertain
    if (!isOften && charges.of(now.service).findings.length > 0) continue
    const charge = charges.of(now.caller)
    charge[isOften ? 'direct' : 'slow'] += finding.excessCalls
    charge.findings.push(finding)
    if (isOften) {
      const perCall = callerNow.calls / callerBefore.calls
      for (const service of overloaded(now.service, { recent, known }, perCall)) overloadedByFanOut.add(service)
    }
  }
  // Who is asked for all that a cache has lost cannot be as quick as ever, nor can who is asked many times instead of once.
  for (const service of overAsked) charges.of(service).direct = 0
  for (const service of overloadedByFanOut) Object.assign(charges.of(service), { direct: 0, slow: 0 })
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
