/** What a series measures. Error ratios are shares of calls, times are nanoseconds. */
export type Signal =
  | 'errors'
  | 'origin-errors'
  | 'latency'
  | 'self-time'
  | 'wire-time'
  | 'logs'
  | 'silence'
  | 'unanswered'

/** A significant departure of one signal of one service, operation or edge from its baseline. */
export interface Anomaly {
  service: string
  operation: string
  /** Set when the series is an edge: who calls. */
  caller?: string
  callerOperation?: string
  signal: Signal
  /** RFC 3339. */
  since: string
  expected: number
  seen: number
  unit: 'share' | 'ns' | 'calls'
  /** How unlikely the seen value is under the baseline. */
  pValue: number
  calls: number
  baselineCalls: number
}

/**
 * What went wrong at the cause. `errors`: it fails by itself; `latency`: its own work got slow; `unavailable`: callers get
 * no answer, or it fell silent; `dependency`: it waits for, or fails with, a peer that sends no spans.
 */
export type CauseKind = 'errors' | 'latency' | 'unavailable' | 'dependency'

/** An observation that a cause rests on: numbers first, and a sentence made from them. */
export interface Evidence {
  signal: Signal | 'exception' | 'attribute' | 'change'
  sentence: string
  expected?: number
  seen?: number
  unit?: Anomaly['unit']
  pValue?: number
}

export interface PathStep {
  service: string
  operation: string
}

/** A ranked explanation of an incident. */
export interface Cause {
  service: string
  operation: string
  kind: CauseKind
  /** Share of the incident's excess that it explains, 0 to 1. */
  score: number
  /** For kind `dependency`: whom the service waits for. */
  peer?: string
  /** What tells bad calls from good ones, such as `service.version` = `2.0.0`. */
  attribute?: { name: string; value: string; badShare: number; goodShare: number }
  evidence: Evidence[]
  /** From the cause to an entry. */
  path: PathStep[]
}

export interface Impact {
  /** Services that failed or slowed down, the cause among them. */
  services: string[]
  flows: { name: string; runsAffected: number; runs: number; share: number }[]
  /** Users with an affected run; the share is of the users seen in the flows that are hit, since the onset. */
  users: { affected: number; seen: number; share: number }
  /** RFC 3339. */
  since: string
}

export type IncidentState = 'open' | 'resolved'

/** A deduplicated problem: anomalies connected in the graph and in time, with a life cycle. Times are RFC 3339. */
export interface Incident {
  id: string
  state: IncidentState
  title: string
  since: string
  openedAt: string
  updatedAt: string
  resolvedAt: string | null
  causes: Cause[]
  impact: Impact
  anomalies: Anomaly[]
}

/** A change that somebody reported: evidence for causes. */
export interface Change {
  id: string
  kind: 'deploy' | 'flag' | 'configuration'
  service: string
  version: string | null
  description: string | null
  /** RFC 3339. */
  at: string
}
