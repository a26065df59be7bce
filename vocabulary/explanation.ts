import type { Cause, CauseKind } from './incident.ts'

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
