import type { Anomaly, Signal } from './incident.ts'

/** The signals of which a series over time is kept. */
export type SeriesSignal = Exclude<Signal, 'logs' | 'fan-out' | 'cache-misses' | 'traffic'>

/** Which numbers are meant: one signal of an operation, or of an edge, in a time, against another time as normal. */
export interface SeriesQuestion {
  /** Canonical key of `formatService`. */
  service: string
  /** Of an operation; empty for an edge, and for silence, which is of a service. */
  operation: string
  /** Set for an edge: who calls. */
  caller?: string | undefined
  callerOperation?: string | undefined
  signal: SeriesSignal
  fromMs: number
  toMs: number
  baselineFromMs: number
  baselineToMs: number
  /** For times: calls slower than this are slow, and what was seen is the median of them. */
  slowNs?: number | undefined
  /** Only calls that this version of the service took. */
  version?: string | undefined
}

/** The URL at which our API answers with the series. Relative, so that it holds wherever the API is reached. */
export function seriesPath(question: SeriesQuestion): string {
  const { service, operation, caller, callerOperation, signal, slowNs, version } = question
  const iso = (ms: number): string => new Date(ms).toISOString()
  const parameters: [name: string, value: string | undefined][] = [
    ['service', service],
    ['operation', operation === '' ? undefined : operation],
    ['caller', caller],
    ['callerOperation', callerOperation],
    ['signal', signal],
    ['from', iso(question.fromMs)],
    ['to', iso(question.toMs)],
    ['baselineFrom', iso(question.baselineFromMs)],
    ['baselineTo', iso(question.baselineToMs)],
    ['slowNs', slowNs === undefined ? undefined : String(Math.round(slowNs))],
    ['version', version],
  ]
  const given = parameters.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return `/api/v1/series?${new URLSearchParams(given).toString()}`
}

/** A series over time, with what was expected of it. Times are RFC 3339. */
export interface Series {
  /** Plain names. */
  service: string
  operation: string | null
  caller: string | null
  callerOperation: string | null
  signal: SeriesSignal
  unit: Anomaly['unit']
  /** The time that is judged, as it was read: whole windows. */
  from: string
  to: string
  /** What counts as normal, less the times of incidents. */
  baselineFrom: string
  baselineTo: string
  /** Null where there was no call before. */
  expected: number | null
  /** Null where there was no call. */
  seen: number | null
  calls: number
  baselineCalls: number
  /** Times of incidents, which do not count as normal. */
  excluded: { from: string; to: string }[]
  windowS: number
  /** Oldest first, from the beginning of the baseline to the end; a window without calls is left out. */
  windows: SeriesWindow[]
}

export interface SeriesWindow {
  at: string
  calls: number
  /** Calls that failed; for times, that were slow; for silence 0. */
  bad: number
  /** In the series' unit: the share that failed, the median time, the calls. */
  seen: number
  /** What would be normal here; null where nothing is known of before. */
  expected: number | null
  /** For times, in nanoseconds. */
  p50: number | null
  p95: number | null
  p99: number | null
}
