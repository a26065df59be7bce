// The issues of PetShop's dev part have one culprit. So that other places are tried as well, faults are written into fault-free
// weeks: each of so many calls of a component takes longer or fails, and so do the calls that wait for them, up to the entry.
// What else moves at the same time is as it was measured. How faults spread is assumed here, so these cases say how noise and
// gaps are borne, not how right an attribution is.
import type { Aspect, Calls, Component, Interval } from '@headwater/analyzer'

export interface ConstructedCase {
  culprit: string
  aspect: Aspect
  components: Component[]
}

/** How long the past before a constructed fault is, at least, and how long the fault is looked at, in intervals. */
const pastIntervals = 288
const shownIntervals = 4
const faultyIntervals = 2
/** A call takes at most so many times longer. */
const slowdownMax = 20

/**
 * A fault in each component that the entry reaches and that is busy, of each aspect, at several moments; the entry's time grows,
 * or its calls fail, by one of `rises`. `random` gives numbers from 0 to 1.
 */
export function constructCases({
  entry,
  graph,
  faultFree,
  rises,
  momentsPerCulprit,
  random,
}: {
  entry: string
  graph: readonly Calls[]
  faultFree: ReadonlyMap<string, readonly Interval[]>
  rises: Readonly<Record<Aspect, readonly number[]>>
  momentsPerCulprit: number
  random: () => number
}): ConstructedCase[] {
  const length = faultFree.get(entry)?.length ?? 0
  const cases: ConstructedCase[] = []
  for (const culprit of reachable(entry, graph)) {
    for (const aspect of ['latency', 'errors'] as const) {
      for (let moment = 0; moment < momentsPerCulprit; moment += 1) {
        const from = pastIntervals + Math.floor(random() * (length - pastIntervals - shownIntervals))
        const rise = rises[aspect][Math.floor(random() * rises[aspect].length)] ?? 0
        const components = writeFault({ entry, graph, faultFree, culprit, aspect, from, rise })
        if (components !== undefined) cases.push({ culprit, aspect, components })
      }
    }
  }
  return cases
}

function reachable(entry: string, graph: readonly Calls[]): string[] {
  const reached = new Set([entry])
  for (const node of reached) for (const { caller, callee } of graph) if (caller === node) reached.add(callee)
  return [...reached]
}

/** `undefined` where the culprit is too idle for what the entry should suffer. */
function writeFault({
  entry,
  graph,
  faultFree,
  culprit,
  aspect,
  from,
  rise,
}: {
  entry: string
  graph: readonly Calls[]
  faultFree: ReadonlyMap<string, readonly Interval[]>
  culprit: string
  aspect: Aspect
  from: number
  rise: number
}): Component[] | undefined {
  const faulty = new Map<string, Interval[]>()
  for (let at = from; at < from + shownIntervals; at += 1) {
    const intervals = new Map<string, Interval>()
    for (const [name, { [at]: interval }] of faultFree) if (interval !== undefined) intervals.set(name, interval)
    const added =
      at < from + faultyIntervals
        ? addedBy({ entry, graph, intervals, culprit, aspect, rise })
        : new Map<string, number>()
    if (added === undefined) return undefined
    for (const [name, interval] of intervals) {
      const more = added.get(name) ?? 0
      const series = faulty.get(name) ?? []
      series.push(
        aspect === 'errors'
          ? { ...interval, failed: Math.min(interval.calls, interval.failed + Math.round(more)) }
          : { ...interval, durationNs: interval.durationNs + more },
      )
      faulty.set(name, series)
    }
  }
  return [...faultFree].map(([name, series]) => ({
    name,
    before: series.slice(0, from),
    now: faulty.get(name) ?? [],
  }))
}

/** What the fault adds to each component in one interval. */
function addedBy({
  entry,
  graph,
  intervals,
  culprit,
  aspect,
  rise,
}: {
  entry: string
  graph: readonly Calls[]
  intervals: ReadonlyMap<string, Interval>
  culprit: string
  aspect: Aspect
  rise: number
}): Map<string, number> | undefined {
  const callsOf = (name: string): number => intervals.get(name)?.calls ?? 0
  // First what one unit at the culprit comes to above, then so many units that the entry has the rise.
  const units = new Map([[culprit, 1]])
  let arriving = new Map([[culprit, 1]])
  for (let depth = 0; depth < 20 && arriving.size > 0; depth += 1) {
    const above = new Map<string, number>()
    for (const [callee, amount] of arriving) {
      const callers = graph.filter((edge) => edge.callee === callee).map(({ caller }) => caller)
      const calls = callers.reduce((sum, caller) => sum + callsOf(caller), 0)
      for (const caller of callers) {
        const part = calls === 0 ? 0 : (amount * callsOf(caller)) / calls
        if (part > 0) above.set(caller, (above.get(caller) ?? 0) + part)
      }
    }
    for (const [name, amount] of above) units.set(name, (units.get(name) ?? 0) + amount)
    arriving = above
  }
  const atEntry = units.get(entry) ?? 0
  const { calls, durationNs } = intervals.get(entry) ?? { calls: 0, durationNs: 0 }
  if (atEntry === 0 || calls === 0) return undefined
  const wanted = (aspect === 'errors' ? calls * rise : durationNs * rise) / atEntry
  const bearable = aspect === 'errors' ? callsOf(culprit) : (intervals.get(culprit)?.durationNs ?? 0) * slowdownMax
  if (wanted > bearable) return undefined
  return new Map([...units].map(([name, amount]) => [name, amount * wanted]))
}

/** Numbers from 0 to 1 that a seed decides (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"). */
export function randomFrom(seed: number): () => number {
  let state = BigInt(seed)
  const mask = 0xffff_ffff_ffff_ffffn
  return () => {
    state = (state + 0x9e37_79b9_7f4a_7c15n) & mask
    let mixed = state
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & mask
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d0_49bb_1331_11ebn) & mask
    return Number((mixed ^ (mixed >> 31n)) >> 11n) / 2 ** 53
  }
}
