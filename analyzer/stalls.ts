// A service that stands still now and then: few of its calls show it, those that were under way. Who calls it runs out of workers
// in that time, and then all of the caller's own calls wait, which looks like the caller's own slowness, and more of it.
import { bucketMiddle, countAbove, quantileBucket } from '@headwater/vocabulary'
import type { Charges, Comparison } from './charges.ts'
import { type Finding, slowAbove, slowerThan } from './detect.ts'
import { parameters } from './parameters.ts'
import type { OperationSeries, Picture } from './picture.ts'
import { betaBinomialTail } from './stats/beta-binomial.ts'

/** Speaks against who stalls for what its callers lose. */
export function chargeStalls(charges: Charges, { recent, known, slowdown, isSlowness }: Comparison): void {
  const stalls: Finding[] = []
  for (const [key, now] of isSlowness ? recent.operations : []) {
    const before = known.operations.get(key)
    if (before === undefined || charges.of(now.service).findings.length > 0) continue
    const finding = stallOf(now, before, slowdown)
    if (finding !== undefined) stalls.push(finding)
  }
  for (const finding of stalls) {
    const charge = charges.of(finding.service)
    const losing = whoWaitsFor(finding, recent, (service) => charges.against(service))
    if (losing.size > 0) charge.findings.push(finding)
    for (const caller of losing) {
      const above = charges.of(caller)
      charge.direct += above.slow * parameters.blame.stall.passedOn
      above.slow *= 1 - parameters.blame.stall.passedOn
    }
  }
}

/** Few calls of an operation that take far longer than any usually does, by themselves. */
function stallOf(now: OperationSeries, before: OperationSeries, slowdown: number): Finding | undefined {
  const { rule, floorNs, callsMin, pValueMax } = parameters.blame.stall
  const slowBucket = slowAbove(before.self, rule, { floorNs, slowdown })
  const [slow, slowBefore] = [countAbove(now.self, slowBucket), countAbove(before.self, slowBucket)]
  const excessCalls = slow - (now.calls * slowBefore) / before.calls
  if (excessCalls < callsMin || excessCalls < rule.shareRiseMin * now.calls) return undefined
  const pValue = betaBinomialTail({ k: slow, n: now.calls, badBefore: slowBefore, callsBefore: before.calls })
  if (pValue > pValueMax) return undefined
  return {
    signal: 'self-time',
    service: now.service,
    operation: now.operation,
    expected: bucketMiddle(quantileBucket(before.self, 0.5) ?? 0),
    seen: bucketMiddle(quantileBucket(slowerThan(now.self, slowBucket), 0.5) ?? 0),
    unit: 'ns',
    pValue,
    calls: now.calls,
    baselineCalls: before.calls,
    excessCalls,
    excessNs: Math.max(0, now.selfNs - (now.calls * before.selfNs) / before.calls),
    slowNs: bucketMiddle(slowBucket),
  }
}

/**
 * Who calls a service that stalls, loses by itself no more in a call than a stall takes, and calls nobody else that something
 * speaks against: that would explain it better.
 */
function whoWaitsFor(
  stall: Finding,
  { edges }: Picture,
  findingsOf: (service: string) => readonly Finding[],
): Set<string> {
  const callers = [...edges.values()].filter(({ service }) => service === stall.service).map(({ caller }) => caller)
  return new Set(
    callers.filter((caller) => {
      const own = findingsOf(caller).filter(({ signal }) => signal === 'self-time')
      const isElsewhere = [...edges.values()].some(
        (edge) => edge.caller === caller && edge.service !== stall.service && findingsOf(edge.service).length > 0,
      )
      return own.length > 0 && own.every(({ seen }) => seen <= stall.seen) && !isElsewhere
    }),
  )
}
