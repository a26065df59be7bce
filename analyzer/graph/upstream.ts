/** Who calls whom in one trace, or in several that are alike in this. */
export type Calls = readonly (readonly [caller: string, service: string])[]

/**
 * The given service and all that called it, directly or through others, within one trace. Over the whole graph would be too many:
 * that two services call a third says nothing of whether the traces of one pass the other.
 */
export function upstreamOf(service: string, traces: readonly Calls[]): Set<string> {
  const all = new Set([service])
  for (const calls of traces) {
    const found = new Set([service])
    for (const at of found) for (const [caller, callee] of calls) if (callee === at) found.add(caller)
    for (const at of found) all.add(at)
  }
  return all
}
