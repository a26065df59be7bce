// Rankings by simple and published rules, of the same measurements as ours.
import type { Aspect, Calls, Component, Interval } from '@headwater/analyzer'

/** The component whose values since the alert lie farthest from their past, in robust standard deviations. */
export function mostAbnormal(components: readonly Component[], aspect: Aspect): string[] {
  return ranked(
    components.map((component) => ({
      name: component.name,
      score: Math.max(0, ...deviations(component, component.now, aspect)),
    })),
  )
}

/**
 * Anomalous components without an anomalous callee, joined to the entry by anomalous ones; first the one on whose way the scores
 * add up to most (Hardt et al. 2024, "The PetShop dataset", anomaly traversal with the score by median and absolute deviation,
 * at the first interval from the third on in which the entry is anomalous).
 */
export function deepestAnomalous({
  entry,
  aspect,
  shown,
  graph,
}: {
  entry: string
  aspect: Aspect
  /** `now` has all intervals of the issue. */
  shown: readonly Component[]
  graph: readonly Calls[]
}): string[] {
  const scoreAt = (component: Component, at: number): number => {
    const { [at]: interval } = component.now
    return interval === undefined ? 0 : (deviations(component, [interval], aspect)[0] ?? 0)
  }
  const atEntry = shown.find(({ name }) => name === entry)
  const moment = atEntry?.now.findIndex((_, at) => at >= 2 && scoreAt(atEntry, at) > anomalousAbove) ?? -1
  if (moment === -1) return []
  const anomalous = new Map(
    shown
      .map((component) => [component.name, scoreAt(component, moment)] as const)
      .filter(([, score]) => score > anomalousAbove),
  )
  const calleesOf = (name: string): string[] =>
    graph.flatMap(({ caller, callee }) => (caller === name && anomalous.has(callee) ? [callee] : []))
  const best = new Map<string, number>()
  const walk = (name: string, path: readonly string[], sum: number): void => {
    const score = sum + (anomalous.get(name) ?? 0)
    const callees = calleesOf(name)
    if (callees.length === 0) best.set(name, Math.max(best.get(name) ?? 0, score))
    for (const callee of callees) if (!path.includes(callee)) walk(callee, [...path, name], score)
  }
  walk(entry, [], 0)
  return ranked([...best].map(([name, score]) => ({ name, score })))
}

const anomalousAbove = 5

/**
 * The scorer of BARO (Pham, Ha, Zhang 2024, "BARO: Robust root cause analysis for microservices", §4.3): the largest distance
 * from the median in interquartile ranges, of all series of a component.
 */
export function baroScorer(components: readonly Component[]): string[] {
  const series: ((interval: Interval) => number | undefined)[] = [
    ({ calls }) => calls,
    ({ calls, durationNs }) => (calls === 0 ? undefined : durationNs / calls / 1e9),
    ({ calls, failed }) => (calls === 0 ? undefined : 100 * (1 - failed / calls)),
  ]
  return ranked(
    components.map(({ name, before, now }) => ({
      name,
      score: Math.max(
        0,
        ...series.flatMap((valueOf) => {
          const past = before.flatMap((interval) => valueOf(interval) ?? []).toSorted((a, b) => a - b)
          if (past.length === 0) return []
          // As in its scaler, a series that hardly ever moves is not scaled.
          const range = quantile(past, 0.75) - quantile(past, 0.25) || 1
          return now.flatMap((interval) => {
            const value = valueOf(interval)
            return value === undefined ? [] : [Math.abs(value - quantile(past, 0.5)) / range]
          })
        }),
      ),
    })),
  )
}

function deviations({ before }: Component, now: readonly Interval[], aspect: Aspect): number[] {
  const valueOf = ({ calls, failed, durationNs }: Interval): number =>
    aspect === 'errors' ? 100 * (1 - failed / calls) : durationNs / calls / 1e9
  const past = before
    .filter(({ calls }) => calls > 0)
    .map(valueOf)
    .toSorted((a, b) => a - b)
  if (past.length === 0) return []
  const middle = quantile(past, 0.5)
  const spread =
    1.4826 *
    quantile(
      past.map((value) => Math.abs(value - middle)).toSorted((a, b) => a - b),
      0.5,
    )
  return (
    now
      .filter(({ calls }) => calls > 0)
      .map((interval) => Math.abs(valueOf(interval) - middle))
      // A value that never moved before is infinitely far away as soon as it moves.
      .map((distance) => (distance === 0 ? 0 : distance / spread))
  )
}

/** By linear interpolation between the values of a sorted array. */
function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1)
  const low = sorted[Math.floor(at)] ?? 0
  const high = sorted[Math.ceil(at)] ?? low
  return low + (high - low) * (at - Math.floor(at))
}

function ranked(scores: readonly { name: string; score: number }[]): string[] {
  return scores
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score)
    .map(({ name }) => name)
}
