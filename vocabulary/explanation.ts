import type { Anomaly, Cause, CauseKind, Impact, SeenChange } from './incident.ts'

/** The answer to the one question: what failed (or slowed) first in this run, how it got to the entry, who else is hit. */
export interface Explanation {
  flowId: string
  flowName: string
  status: 'ok' | 'error' | 'slow' | 'running'
  /** Null when nothing failed and nothing was slow. */
  origin: {
    traceId: string
    spanId: string
    service: string
    operation: string
    kind: CauseKind
    /** For a call to a dead or uninstrumented service: whom was called. */
    peer?: string
    /** The exception's or the status's message. */
    message?: string
  } | null
  /** From the origin to the entry of the run. */
  path: { service: string; operation: string; spanId: string }[]
  /** Plain sentences: why we think so. */
  reasons: string[]
  causes: Cause[]
  /** Whom the same cause hits too, since its onset. */
  alsoHit: { flows: string[]; users: number }
  incidentId: string | null
}

/** A time of the past, in Unix milliseconds, and what it is compared with: by default the day before, or what there is. */
export interface PastQuestion {
  fromMs: number
  toMs: number
  baselineFromMs?: number | undefined
  baselineToMs?: number | undefined
}

/** What went wrong in a time of the past. Times are RFC 3339. */
export interface PastExplanation {
  /** `normal`: nothing departs from normal. `not-enough-data`: nobody can tell, and the summary says why. */
  state: 'explained' | 'normal' | 'not-enough-data'
  /** The answer in a sentence. */
  summary: string
  from: string
  to: string
  baselineFrom: string
  baselineTo: string
  /** Minutes of the baseline that have calls and no incident. */
  baselineMinutes: number
  /** Null unless something is explained. */
  told: {
    title: string
    since: string
    causes: Cause[]
    /** How sure it is that the first cause is right, 0 to 1. */
    confidence: number
    noCauseReason: string | null
    impact: Impact
    anomalies: Anomaly[]
    changes: SeenChange[]
  } | null
  /** What was too much to be looked at. */
  leftOut: {
    /** Series; the busiest were looked at. */
    series: number
    /** About so many calls of which nobody has looked at what they logged; those that were looked at lie spread over the time. */
    logsOfCalls: number
  }
}
