// Simple rules on the same minutes, against the minute without a fault.
import { type SetLog, type SetSpan, serviceOf } from './read.ts'

/** What was recorded in some time. */
export interface Recorded {
  spans: readonly SetSpan[]
  logs: readonly SetLog[]
}

/** A rule: services, the most suspect first. */
export type Rule = (now: Recorded, normal: Recorded) => string[]

interface Times {
  /** Milliseconds. */
  durations: number[]
  selves: number[]
}

function timesOf({ spans }: Recorded): Map<string, Times & { service: string }> {
  const childMs = new Map<string, number>()
  const msOf = ({ startNs, endNs }: SetSpan): number => Number(endNs - startNs) / 1e6
  for (const span of spans) raise(childMs, `${span.traceId}/${span.parentId}`, msOf(span))
  const found = new Map<string, Times & { service: string }>()
  for (const span of spans) {
    const service = serviceOf(span.pod)
    const key = `${service}\u0000${span.operation}`
    const times = found.get(key) ?? { service, durations: [], selves: [] }
    times.durations.push(msOf(span))
    times.selves.push(Math.max(0, msOf(span) - (childMs.get(`${span.traceId}/${span.spanId}`) ?? 0)))
    found.set(key, times)
  }
  return found
}

/** Own time beyond the usual, in seconds, over all calls of a service. */
function exclusiveExcess(now: Recorded, normal: Recorded): Map<string, number> {
  const usual = timesOf(normal)
  const scores = new Map<string, number>()
  for (const [key, { service, selves }] of timesOf(now)) {
    const before = usual.get(key)
    if (before === undefined) continue
    raise(scores, service, (selves.length * (meanOf(selves) - meanOf(before.selves))) / 1_000)
  }
  return scores
}

function errorLogs({ logs }: Recorded): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { pod, severity } of logs) if (severity === 'ERROR') raise(counts, serviceOf(pod), 1)
  return counts
}

/** Own time, and lines of ERROR beyond those of the minute without a fault. */
const exclusiveTimeAndErrors: Rule = (now, normal) => {
  const scores = exclusiveExcess(now, normal)
  const before = errorLogs(normal)
  const minutes = now.spans.length / Math.max(1, normal.spans.length)
  for (const [service, count] of errorLogs(now)) {
    raise(scores, service, Math.max(0, count - (before.get(service) ?? 0) * minutes))
  }
  return ranked(scores)
}

/** The service with the operation whose time is most off: |mean − median| / IQR, BARO's score (Pham et al. 2024). */
const mostAbnormal: Rule = (now, normal) => {
  const usual = timesOf(normal)
  const scores = new Map<string, number>()
  for (const [key, { service, durations }] of timesOf(now)) {
    const before = usual.get(key)?.durations.toSorted((a, b) => a - b) ?? []
    if (before.length < 8 || durations.length < 8) continue
    const at = (q: number): number => before[Math.floor(q * before.length)] ?? 0
    const score = Math.abs(meanOf(durations) - at(0.5)) / Math.max(at(0.75) - at(0.25), 0.01)
    scores.set(service, Math.max(scores.get(service) ?? 0, score))
  }
  return ranked(scores)
}

/** Spans that are slow (three times the usual median and more) with no slow span below. */
const deepestSlow: Rule = (now, normal) => {
  const usual = timesOf(normal)
  const slow = now.spans.filter((span) => {
    const before = usual.get(`${serviceOf(span.pod)}\u0000${span.operation}`)?.durations.toSorted((a, b) => a - b)
    const median = before?.[Math.floor(before.length / 2)]
    return median !== undefined && Number(span.endNs - span.startNs) / 1e6 > 3 * median
  })
  const parents = new Set(slow.map(({ traceId, parentId }) => `${traceId}/${parentId}`))
  const scores = new Map<string, number>()
  for (const { traceId, spanId, pod } of slow) {
    if (!parents.has(`${traceId}/${spanId}`)) raise(scores, serviceOf(pod), 1)
  }
  return ranked(scores)
}

const mostErrorLogs: Rule = (now) => ranked(errorLogs(now))

/** The first is the floor. */
export const rules: Readonly<Record<string, Rule>> = {
  floor: exclusiveTimeAndErrors,
  'most abnormal': mostAbnormal,
  'deepest slow': deepestSlow,
  'most error logs': mostErrorLogs,
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

function ranked(scores: ReadonlyMap<string, number>): string[] {
  return [...scores].toSorted(([nameA, a], [nameB, b]) => b - a || (nameA < nameB ? -1 : 1)).map(([name]) => name)
}

function raise(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
