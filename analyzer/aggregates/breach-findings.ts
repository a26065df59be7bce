import type { Finding } from '../detect.ts'
import { parameters } from '../parameters.ts'
import { benjaminiHochberg } from '../stats/benjamini-hochberg.ts'
import { normalTail } from '../stats/normal-tail.ts'
import { type Aspect, type Component, type Departure, departureFrom, judgeDeparture, pastOf } from './departure.ts'
import { type Calls, ownExcess, type OwnExcess } from './own-excess.ts'
import { silentCallees } from './silence.ts'

/** An entry whose users complain, of what, and all that is known of the components behind it. */
export interface Breach {
  entry: string
  aspect: Aspect
  /** `now` is the time since the complaint. */
  components: readonly Component[]
  graph: readonly Calls[]
}

export type BreachFindings = { state: 'found'; findings: Finding[] } | { state: 'not enough data'; reason: string }

/**
 * What departs at the entry and below it, and who answers for it by itself: findings as those from spans. What a component's
 * callees do not explain is told as its self time or its origin errors. The first of equals explains more of the entry.
 */
export function breachFindings({ entry, aspect, components: measured, graph }: Breach): BreachFindings {
  const { breachPValueMax, falseDiscoveryRate } = parameters.aggregates
  const extent = extentOf(
    measured.find(({ name }) => name === entry),
    aspect,
  )
  if (extent === undefined) return { state: 'not enough data', reason: 'too little is known of the entry' }
  if (extent.pValue > breachPValueMax) {
    return { state: 'not enough data', reason: 'what the entry shows is within the usual' }
  }
  const components = measured.map((component) => ({
    ...component,
    now: component.now.filter(({ startMs }) => startMs >= extent.fromMs && startMs <= extent.lastMs),
  }))
  const departures = components.flatMap((component) => judgeDeparture(component, aspect) ?? [])
  const threshold = benjaminiHochberg(
    departures.map(({ pValue }) => pValue),
    falseDiscoveryRate,
  )
  const departing = new Map(
    departures
      .filter(
        (departure) =>
          departure.component === entry || (departure.pValue <= threshold && isLargeEnough(departure, aspect)),
      )
      .map((departure) => [departure.component, departure]),
  )
  const parts = ownExcess({
    entry,
    departing,
    callsTaken: new Map(components.map(({ name, now }) => [name, now.reduce((sum, { calls }) => sum + calls, 0)])),
    graph,
  })
  // Of many runs one looks bad by chance; that does not make a component below it depart as well.
  const entryDeparts = extent.pValue * extent.runs <= breachPValueMax
  const isBelow = parts.some(
    ({ component, excess }) =>
      component !== entry && excess > 0 && (departing.get(component)?.pValue ?? 1) <= parameters.certainPValue,
  )
  if (!entryDeparts && !isBelow) {
    return { state: 'not enough data', reason: 'what the entry shows may be chance, and nothing below it is certain' }
  }
  const { findings: silent, takenFrom } = silentCallees({ aspect, components, graph, parts })
  const left = parts
    .filter(({ component }) => entryDeparts || component !== entry)
    .map((part) => ({ ...part, excess: part.excess - (takenFrom.get(part.component) ?? 0) }))
    .filter(({ excess }) => excess > 0)
  const beyondChance = left.filter(({ excess, spread }) => normalTail(excess / spread) <= breachPValueMax)
  const own = (beyondChance.length > 0 || silent.length > 0 ? beyondChance : left).toSorted((a, b) => b.share - a.share)
  return {
    state: 'found',
    findings: [
      ...silent,
      ...own.flatMap((part) => {
        const departure = departing.get(part.component)
        return departure === undefined ? [] : [ownFinding(departure, part, aspect)]
      }),
      ...parts.flatMap(({ component }) => {
        const departure = departing.get(component)
        return departure === undefined ? [] : [inclusiveFinding(departure, aspect)]
      }),
    ],
  }
}

/**
 * From when to when the entry breaches: the run of intervals in which its departure is least likely, of so many runs (a scan
 * statistic: Kulldorff 1997, "A spatial scan statistic", in one dimension).
 */
function extentOf(
  entry: Component | undefined,
  aspect: Aspect,
): { fromMs: number; lastMs: number; pValue: number; runs: number } | undefined {
  const startMs = entry?.now[0]?.startMs
  const past = entry === undefined || startMs === undefined ? undefined : pastOf(entry.before, aspect, startMs)
  if (entry === undefined || past === undefined) return undefined
  const runs = entry.now.flatMap((from, at) =>
    entry.now.slice(at).flatMap((last, further) => {
      const departure = departureFrom(past, { name: entry.name, now: entry.now.slice(at, at + further + 1) }, aspect)
      return departure === undefined ? [] : [{ fromMs: from.startMs, lastMs: last.startMs, pValue: departure.pValue }]
    }),
  )
  const [first, ...others] = runs
  if (first === undefined) return undefined
  const best = others.reduce((least, run) => (run.pValue < least.pValue ? run : least), first)
  return { ...best, runs: runs.length }
}

function isLargeEnough({ excess }: Departure, aspect: Aspect): boolean {
  return aspect === 'latency' || excess >= parameters.badCallsMin
}

function inclusiveFinding(departure: Departure, aspect: Aspect): Finding {
  const { component, calls, callsBefore, expected, seen, excess, pValue } = departure
  return {
    signal: aspect,
    service: component,
    operation: '',
    expected,
    seen,
    unit: aspect === 'errors' ? 'share' : 'ns',
    pValue,
    calls,
    baselineCalls: callsBefore,
    // How many calls were slow a mean does not tell: all of them at most.
    excessCalls: aspect === 'errors' ? excess : calls,
    excessNs: aspect === 'errors' ? 0 : excess,
  }
}

function ownFinding(departure: Departure, { excess, spread }: OwnExcess, aspect: Aspect): Finding {
  return {
    ...inclusiveFinding({ ...departure, excess }, aspect),
    signal: aspect === 'errors' ? 'origin-errors' : 'self-time',
    seen: departure.expected + excess / departure.calls,
    pValue: Math.max(departure.pValue, normalTail(excess / spread)),
  }
}
