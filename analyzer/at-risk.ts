// Who may be hit next: whoever depends on the cause, by who called whom before, and shows nothing yet.
import type { AtRisk } from '@headwater/vocabulary'
import { nameOf, type Suspect } from './cause.ts'
import { operationKey, type Picture } from './picture.ts'

/** The most services, and the most flows, that are told. */
const toldMax = 20
/** Who depends on the cause in fewer of its calls is not told. */
const shareMin = 0.01
/** So many calls one below the other are followed. */
const depthMax = 16

/**
 * The services and flows that usually lead to the cause and are not hit. A service's share is that of its calls on whose way the cause is
 * called and waited for; of a message nobody waits for the taking. Flows are those that pass the service that is to blame.
 */
export function atRiskOf(
  { service, operation, kind, peer }: Suspect,
  known: Picture,
  hit: { services: Iterable<string>; flows: Iterable<string> },
): AtRisk {
  const leading = leadingTo(known, { service, peer, operation: kind === 'unavailable' ? undefined : operation })
  const isHit = new Set([...hit.services, service, peer])
  const calls = new Map<string, { all: number; leading: number }>()
  for (const [key, { service: at, calls: n }] of known.operations) {
    if (isHit.has(at)) continue
    const sum = calls.get(at) ?? { all: 0, leading: 0 }
    calls.set(at, { all: sum.all + n, leading: sum.leading + n * (leading.get(key) ?? 0) })
  }
  const services = [...calls]
    .map(([at, sum]) => ({ name: nameOf(at), share: sum.leading / sum.all }))
    .filter(({ share }) => share >= shareMin)
    .toSorted((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1))
  const flows = [...new Set(known.flowsThrough.get(service)).difference(new Set(hit.flows))].toSorted()
  return { services: services.slice(0, toldMax), flows: flows.slice(0, toldMax) }
}

/** Of each operation, the share of its calls that lead to the cause: to one operation, to any of a service, or to a peer without spans. */
function leadingTo(
  { operations, edges }: Picture,
  { service, operation, peer }: { service: string; operation: string | undefined; peer: string | undefined },
): Map<string, number> {
  const isCause = (at: string, its: string): boolean =>
    peer === undefined && at === service && (operation === undefined || its === operation)
  const callers = Map.groupBy(
    [...edges.values()].filter(({ async }) => !async),
    ({ caller, callerOperation }) => operationKey(caller, callerOperation),
  )
  let leading = new Map<string, number>()
  for (const [key, series] of operations) if (isCause(series.service, series.operation)) leading.set(key, 1)
  // Each round goes up by one caller; in a circle shares grow until they no longer do.
  for (let depth = 0; depth < depthMax; depth += 1) {
    const next = new Map(leading)
    for (const [key, made] of callers) {
      const all = operations.get(key)?.calls ?? 0
      if (all === 0 || leading.get(key) === 1) continue
      const through = made.reduce((sum, edge) => {
        if (edge.service === peer) return sum + edge.calls
        return edge.operations
          .entries()
          .reduce((part, [its, n]) => part + n * (leading.get(operationKey(edge.service, its)) ?? 0), sum)
      }, 0)
      if (through > 0) next.set(key, Math.min(1, through / all))
    }
    const isSettled = next.size === leading.size && [...next].every(([key, share]) => leading.get(key) === share)
    leading = next
    if (isSettled) break
  }
  return leading
}
