import type { OperationEdge } from '@headwater/store'

/** A service and one operation of it; without the operation, all of them. */
interface Reachable {
  service: string
  operation: string
}

/**
 * Who feels it when the places that `isPlace` tells fail: their callers, the callers of these, and the consumers of the
 * messages that all of them send. The places themselves are not among them unless they call one another.
 */
export function dependentsOf(edges: readonly OperationEdge[], isPlace: (at: Reachable) => boolean): Reachable[] {
  const above = new Map<string, Reachable[]>()
  const add = (from: Reachable, to: Reachable) => {
    const known = above.get(keyOf(from))
    if (known === undefined) above.set(keyOf(from), [to])
    else known.push(to)
  }
  const starts: Reachable[] = []
  for (const { caller, callerOperation, service, operation, kind } of edges) {
    const callee = { service, operation }
    const sender = { service: caller, operation: callerOperation }
    if (isPlace(callee)) starts.push(callee)
    if (caller === '') continue
    if (isPlace(sender)) starts.push(sender)
    // A message goes from the sender to the consumer, and so does the lack of it.
    if (kind === 'async') add(sender, callee)
    else add(callee, sender)
  }
  const reached = new Map<string, Reachable>()
  const waiting = [...starts]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const next of above.get(keyOf(at)) ?? []) {
      if (reached.has(keyOf(next))) continue
      reached.set(keyOf(next), next)
      waiting.push(next)
    }
  }
  return [...reached.values()]
}

function keyOf({ service, operation }: Reachable): string {
  return `${service}\u0000${operation}`
}
