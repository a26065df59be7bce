// Simple rules on the same incidents: what any analysis has to beat. A span is abnormal when it failed or took longer than its
// pair of caller and callee takes over the whole part: median + 6 interquartile ranges.
import type { SetTrace } from './read.ts'
import type { SetSpan } from './rebuild-trace.ts'

/** Latencies of each pair of caller and callee, to be pooled over all incidents. */
export type Latencies = Map<string, number[]>

export function addLatencies(into: Latencies, traces: readonly SetTrace[]): void {
  for (const span of traces.flatMap(({ spans }) => spans)) {
    const known = into.get(pairOf(span))
    if (known === undefined) into.set(pairOf(span), [span.latencyUs])
    else known.push(span.latencyUs)
  }
}

/** What is normal for each pair. */
export type Normal = Map<string, { medianUs: number; iqrUs: number; slowUs: number }>

export function normalOf(latencies: Latencies): Normal {
  return new Map(
    [...latencies].map(([pair, values]) => {
      const sorted = values.toSorted((a, b) => a - b)
      const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0
      const [medianUs, iqrUs] = [at(0.5), at(0.75) - at(0.25)]
      return [pair, { medianUs, iqrUs, slowUs: medianUs + 6 * iqrUs }]
    }),
  )
}

function pairOf({ caller, callee }: SetSpan): string {
  return `${caller}\u0000${callee}`
}

export function isAbnormal(span: SetSpan, normal: Normal): boolean {
  return span.status >= 500 || span.status === 0 || span.latencyUs > (normal.get(pairOf(span))?.slowUs ?? Infinity)
}

/** A rule: the services of an incident, the most suspect first. */
export type Rule = (traces: readonly SetTrace[], normal: Normal) => string[]

/** Abnormal calls into a service less those out of it. */
const netAbnormalCalls: Rule = (traces, normal) => {
  const scores = new Map<string, number>()
  for (const span of callsOf(traces)) {
    if (!isAbnormal(span, normal)) continue
    raise(scores, span.callee, 1)
    raise(scores, span.caller, -1)
  }
  return ranked(scores)
}

/** The service whose spans are most off: BARO's score, |x − median| / IQR, of the mean latency (Pham et al. 2024). */
const mostAbnormal: Rule = (traces, normal) => {
  const scores = new Map<string, number>()
  for (const [pair, spans] of Map.groupBy(
    traces.flatMap((trace) => trace.spans),
    pairOf,
  )) {
    const known = normal.get(pair)
    if (known === undefined || spans.length < 10) continue
    const meanUs = spans.reduce((sum, { latencyUs }) => sum + latencyUs, 0) / spans.length
    const score = Math.abs(meanUs - known.medianUs) / Math.max(known.iqrUs, 1)
    const callee = spans[0]?.callee ?? ''
    scores.set(callee, Math.max(scores.get(callee) ?? 0, score))
  }
  return ranked(scores)
}

/** In each trace the abnormal calls whose callee makes no abnormal call itself. */
const deepestAbnormal: Rule = (traces, normal) => {
  const scores = new Map<string, number>()
  for (const trace of traces) {
    const abnormal = callsOf([trace]).filter((span) => isAbnormal(span, normal))
    const callers = new Set(abnormal.map(({ caller }) => caller))
    for (const { callee } of abnormal) if (!callers.has(callee)) raise(scores, callee, 1)
  }
  return ranked(scores)
}

/** TraceRCA's second half: services by how well "passes it" tells abnormal traces from others (Li et al., IWQoS 2021, §III-C). */
const suspicion: Rule = (traces, normal) => {
  const passed = new Map<string, { all: number; abnormal: number }>()
  let abnormalTraces = 0
  for (const trace of traces) {
    const isBad = trace.spans.some((span) => isAbnormal(span, normal))
    abnormalTraces += isBad ? 1 : 0
    for (const service of new Set(
      trace.spans.filter((span) => (isBad ? isAbnormal(span, normal) : true)).map(({ callee }) => callee),
    )) {
      const counts = passed.get(service) ?? { all: 0, abnormal: 0 }
      passed.set(service, { all: counts.all + 1, abnormal: counts.abnormal + (isBad ? 1 : 0) })
    }
  }
  const scores = new Map<string, number>()
  for (const [service, { all, abnormal }] of passed) {
    const support = abnormal / Math.max(1, abnormalTraces)
    const confidence = abnormal / all
    if (all >= 10 && abnormal > 0) scores.set(service, (2 * support * confidence) / (support + confidence))
  }
  return ranked(scores)
}

/** As {@link netAbnormalCalls}, by the calls into the service: a rare one may be as ill as a busy one. */
const netAbnormalShare: Rule = (traces, normal) => {
  const scores = new Map<string, number>()
  const calls = new Map<string, number>()
  for (const span of callsOf(traces)) {
    raise(calls, span.callee, 1)
    if (!isAbnormal(span, normal)) continue
    raise(scores, span.callee, 1)
    raise(scores, span.caller, -1)
  }
  return ranked(
    new Map(
      [...scores].flatMap(([service, net]) => {
        const all = calls.get(service) ?? 0
        return all < 10 ? [] : [[service, net / all] as const]
      }),
    ),
  )
}

/** The first is the floor. */
export const rules: Readonly<Record<string, Rule>> = {
  floor: netAbnormalCalls,
  'most abnormal': mostAbnormal,
  'deepest abnormal': deepestAbnormal,
  'TraceRCA-like': suspicion,
  'net abnormal share': netAbnormalShare,
}

function callsOf(traces: readonly SetTrace[]): SetSpan[] {
  return traces.flatMap(({ spans }) => spans.filter(({ caller, callee }) => caller !== callee))
}

function ranked(scores: ReadonlyMap<string, number>): string[] {
  return [...scores].toSorted(([nameA, a], [nameB, b]) => b - a || (nameA < nameB ? -1 : 1)).map(([name]) => name)
}

function raise(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
