// A cache that has lost what it knew answers as quickly as ever. It shows at who asks it: the same question goes to a database next.
import { parameters } from './parameters.ts'
import { type EdgeSeries, operationKey, type OperationSeries, type Picture } from './picture.ts'

/**
 * The cache before a callee that an operation asks more often than usual: a peer without spans that the same operation asks in
 * most of its calls, now as before, and more often than it used to ask the callee, and that answers sooner. `undefined` where
 * there is none. `callee` is the edge as it usually is.
 */
export function cacheBefore(
  callee: EdgeSeries,
  { recent, known }: { recent: Picture; known: Picture },
): EdgeSeries | undefined {
  const { askedMin, askedRatioMin, changeMax } = parameters.blame.cache
  const caller = operationKey(callee.caller, callee.callerOperation)
  const [callerNow, callerBefore] = [recent.operations.get(caller), known.operations.get(caller)]
  if (callerNow === undefined || callerBefore === undefined) return undefined
  for (const [key, cache] of known.edges) {
    if (operationKey(cache.caller, cache.callerOperation) !== caller || cache.service === callee.service) continue
    if (known.served.has(cache.service)) continue
    const now = recent.edges.get(key)
    const [asked, askedNow] = [asksEach(callerBefore, cache), asksEach(callerNow, now)]
    if (asked < askedMin || asked < asksEach(callerBefore, callee) * askedRatioMin) continue
    if (Math.abs(askedNow / asked - 1) > changeMax) continue
    if (waitNs(cache) < waitNs(callee)) return cache
  }
  return undefined
}

/** Calls over an edge in each call of the operation. */
function asksEach({ calls }: OperationSeries, edge: EdgeSeries | undefined): number {
  return calls === 0 ? 0 : (edge?.calls ?? 0) / calls
}

function waitNs({ calls, durationNs, answeredNs }: EdgeSeries): number {
  return (durationNs + answeredNs) / calls
}
