// Who may be hit next: whoever depends on the cause, by who called whom before, and shows nothing yet.
import type { AtRisk } from '@headwater/vocabulary'
import { nameOf, type Suspect } from './cause.ts'
import { parameters } from './parameters.ts'
import { type EdgeSeries, operationKey, type Picture } from './picture.ts'

/** The most services that are told. */
const toldMax = 20
const { shareMin, depthMax, edgesMax } = parameters.atRisk

/**
 * The services of which some calls usually lead to the cause and which are not hit, with the share of these calls: on their way the
 * cause is called and waited for. Of a message nobody waits for the taking.
 */
export function atRiskOf(suspect: Suspect, known: Picture, hit: Iterable<string>): AtRisk[] {
  const { service, peer } = suspect
  const leading = leadingTo(suspect, known)
  const isHit = new Set([...hit, service, peer])
  const calls = new Map<string, { all: number; leading: number }>()
  for (const key of leading.keys()) {
    const at = known.operations.get(key)?.service
    if (at !== undefined && !isHit.has(at)) calls.set(at, { all: 0, leading: 0 })
  }
  for (const [key, { service: at, calls: n }] of known.operations) {
    const sum = calls.get(at)
    if (sum === undefined) continue
    sum.all += n
    sum.leading += n * (leading.get(key) ?? 0)
  }
  return [...calls]
    .map(([at, sum]) => ({ service: nameOf(at), share: sum.leading / sum.all }))
    .filter(({ share }) => share >= shareMin)
    .toSorted((a, b) => b.share - a.share || (a.service < b.service ? -1 : 1))
    .slice(0, toldMax)
}

/** Of each operation, the share of its calls that lead to the cause: to one operation, to any of a service, or to a peer without spans. */
function leadingTo({ service, operation, kind, peer }: Suspect, { operations, edges }: Picture): Map<string, number> {
  const waited = [...edges.values()].filter(({ async }) => !async)
  const into = Map.groupBy(waited, (edge) => edge.service)
  const madeBy = Map.groupBy(waited, ({ caller, callerOperation }) => operationKey(caller, callerOperation))
  const leading = new Map<string, number>()
  const looks = { left: edgesMax }
  const callersOf = (at: string, its?: string): string[] => {
    const all = into.get(at) ?? []
    looks.left -= all.length
    const asked = its === undefined ? all : all.filter((edge) => edge.operations.has(its))
    return asked.map(({ caller, callerOperation }) => operationKey(caller, callerOperation))
  }
  const through = (edge: EdgeSeries): number => {
    looks.left -= 1
    if (edge.service === peer) return edge.calls
    return edge.operations
      .entries()
      .reduce((sum, [its, n]) => sum + n * (leading.get(operationKey(edge.service, its)) ?? 0), 0)
  }
  const accused = peer === undefined ? operations.values().filter((series) => series.service === service) : []
  for (const { operation: its } of accused) {
    if (kind === 'unavailable' || its === operation) leading.set(operationKey(service, its), 1)
  }
  const isCause = new Set(leading.keys())
  const callersOfAll = (keys: Iterable<string>): Set<string> => {
    const callers = new Set<string>()
    for (const key of keys) {
      const series = operations.get(key)
      if (series !== undefined) for (const caller of callersOf(series.service, series.operation)) callers.add(caller)
    }
    return callers
  }
  let callers = peer === undefined ? callersOfAll(isCause) : new Set(callersOf(peer))
  // Each round goes up by one caller; in a circle shares grow until they no longer do.
  for (let depth = 0; depth < depthMax && callers.size > 0 && looks.left > 0; depth += 1) {
    const changed = new Set<string>()
    for (const key of callers) {
      const all = operations.get(key)?.calls ?? 0
      if (all === 0 || isCause.has(key)) continue
      const calls = (madeBy.get(key) ?? []).reduce((sum, edge) => sum + through(edge), 0)
      const share = Math.min(1, calls / all)
      if (share <= (leading.get(key) ?? 0) + shareMin / 10) continue
      leading.set(key, share)
      changed.add(key)
    }
    callers = callersOfAll(changed)
  }
  return leading
}
