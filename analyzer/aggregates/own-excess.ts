/** What goes wrong in calls of a component, all that it waits for included. */
export interface Inclusive {
  /** Beyond the expected: failed calls, or ns. */
  excess: number
  /** Standard error of the excess. */
  spread: number
}

export interface Calls {
  caller: string
  callee: string
  /** How many, where that is known. */
  calls?: number
}

export interface OwnExcess {
  component: string
  /** What is left after what the departing callees explain; never negative. */
  excess: number
  spread: number
  /** The part of the entry's excess that would go with it. */
  share: number
}

/**
 * Exclusive-excess attribution: E(v) = n_v·Δx_v − Σ n_vc·Δx_c over the departing callees c, for the components that the entry
 * reaches. n·Δx is the inclusive excess. A callee's is divided among its callers by their calls to it; where these are not
 * known, by the calls that they took themselves. A component that does not depart beyond chance, but calls one that does,
 * carries what its callees have and adds nothing. From the entry downwards, each passes its part of the entry's excess on in
 * the proportion of what its callees explain, which gives the share.
 *
 * entry (100 calls, +30 ms) → a (200 calls, +12 ms) → b (200 calls, +1 ms): the entry's 3,000 ms contain the 2,400 of a, which
 * contain the 200 of b: own excess 600, 2,200 and 200; shares 20 %, 73 % and 7 %.
 *
 * `departing` has the components that depart beyond chance, `callsTaken` the calls of all.
 */
export function ownExcess({
  entry,
  departing,
  callsTaken,
  graph,
}: {
  entry: string
  departing: ReadonlyMap<string, Inclusive>
  callsTaken: ReadonlyMap<string, number>
  graph: readonly Calls[]
}): OwnExcess[] {
  const edges = graph.filter(({ caller, callee }) => caller !== callee)
  const parts = partsByCallee(edges, callsTaken)
  const edgesFrom = Map.groupBy(edges, ({ caller }) => caller)
  const carried = new Map<string, Inclusive>()
  /** `isWhole` unless a circle was cut, so that another way in may find more. */
  const below = (caller: string, path: readonly string[]): Inclusive & { isWhole: boolean } => {
    let excess = 0
    let variance = 0
    let isWhole = true
    for (const edge of edgesFrom.get(caller) ?? []) {
      if (path.includes(edge.callee)) {
        isWhole = false
        continue
      }
      const part = parts.get(edge) ?? 0
      const callee = inclusive(edge.callee, path)
      excess += part * callee.excess
      variance += (part * callee.spread) ** 2
      isWhole &&= callee.isWhole
    }
    return { excess, spread: Math.sqrt(variance), isWhole }
  }
  const inclusive = (component: string, path: readonly string[] = []): Inclusive & { isWhole: boolean } => {
    const known = departing.get(component) ?? carried.get(component)
    if (known !== undefined) return { ...known, isWhole: true }
    const found = below(component, [...path, component])
    if (found.isWhole || path.length === 0) carried.set(component, found)
    return found
  }
  const calleesOf = (caller: string): { callee: string; excess: number; spread: number }[] =>
    (edgesFrom.get(caller) ?? []).flatMap((edge) => {
      const part = parts.get(edge) ?? 0
      const { excess, spread } = inclusive(edge.callee)
      return part * excess > 0 ? [{ callee: edge.callee, excess: part * excess, spread: part * spread }] : []
    })
  const reached = reach(entry, (component) => calleesOf(component).map(({ callee }) => callee))
  const shares = sharesOfEntry(entry, reached, (component) => {
    const callees = calleesOf(component)
    const explained = callees.reduce((total, { excess }) => total + excess, 0)
    const whole = Math.max(explained, inclusive(component).excess)
    return callees.map(({ callee, excess }) => ({ callee, part: excess / whole }))
  })
  return reached
    .filter((component) => departing.has(component))
    .map((component) => {
      const { excess, spread } = inclusive(component)
      const callees = calleesOf(component)
      return {
        component,
        excess: Math.max(0, excess - callees.reduce((total, callee) => total + callee.excess, 0)),
        spread: Math.hypot(spread, ...callees.map((callee) => callee.spread)),
        share: shares.get(component) ?? 0,
      }
    })
}

/** Of each edge, the part of the callee's calls that go over it. */
function partsByCallee(graph: readonly Calls[], callsTaken: ReadonlyMap<string, number>): Map<Calls, number> {
  const into = Map.groupBy(graph, ({ callee }) => callee)
  const parts = new Map<Calls, number>()
  for (const edges of into.values()) {
    const isKnown = edges.every(({ calls }) => calls !== undefined)
    const weightOf = ({ caller, calls }: Calls): number => (isKnown ? calls : callsTaken.get(caller)) ?? 0
    const total = edges.reduce((sum, edge) => sum + weightOf(edge), 0)
    for (const edge of edges) parts.set(edge, total === 0 ? 1 / edges.length : weightOf(edge) / total)
  }
  return parts
}

function reach(start: string, next: (node: string) => string[]): string[] {
  const seen = new Set([start])
  for (const node of seen) for (const step of next(node)) seen.add(step)
  return [...seen]
}

/** What of the entry's excess stays at each component when each passes on the parts of its callees. */
function sharesOfEntry(
  entry: string,
  reached: string[],
  passedOn: (component: string) => { callee: string; part: number }[],
): Map<string, number> {
  const shares = new Map<string, number>()
  let arriving = new Map([[entry, 1]])
  // A way without a circle is shorter than the number of components; on a circle nothing stays for ever.
  for (let round = 0; round < reached.length && arriving.size > 0; round += 1) {
    const next = new Map<string, number>()
    for (const [component, amount] of arriving) {
      let kept = 1
      for (const { callee, part } of passedOn(component)) {
        kept -= part
        next.set(callee, (next.get(callee) ?? 0) + amount * part)
      }
      shares.set(component, (shares.get(component) ?? 0) + amount * Math.max(0, kept))
    }
    arriving = next
  }
  return shares
}
