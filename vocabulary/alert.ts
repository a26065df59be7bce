// What people are told of incidents: kept with the state, sent by the responder, listed by who asks what was told.
import type { CauseKind, IncidentState } from './incident.ts'

/** How bad an incident is, from the least to the worst; PagerDuty's words. */
export type Severity = 'info' | 'warning' | 'error' | 'critical'

/** What happened to the incidents that a message speaks of. */
export type AlertChange = 'opened' | 'updated' | 'acknowledged' | 'resolved'

/** One message, as it is before it is written in a receiver's format. Its texts are single lines of bounded length. */
export interface AlertMessage {
  /** The same however often it is sent, so that receivers can tell a repetition. */
  id: string
  /** What its incidents have in common with those of earlier messages: receivers update what they know under it. */
  thread: string
  change: AlertChange
  /** When it was written, RFC 3339. */
  at: string
  route: string
  /** The worst of its incidents, as long as one is open. */
  severity: Severity
  /** What is new, in sentences; empty when all of it is. */
  news: string[]
  /** The worst first. */
  incidents: AlertIncident[]
  incidentsTotal: number
  isTest: boolean
}

/** An incident as alerts tell it. Times are RFC 3339. */
export interface AlertIncident {
  id: string
  state: IncidentState
  severity: Severity
  title: string
  /** To the console. */
  link: string
  since: string
  openedAt: string
  resolvedAt: string | null
  /** Who says that they look after it, or that it is over; `null` while nobody does. */
  acknowledgedBy: string | null
  resolvedBy: string | null
  /** To the older incident in the console that tells of it from now on, where one does. */
  mergedInto?: string
  cause: AlertCause | null
  /** How sure it is that the cause is right, 0 to 1. */
  confidence: number
  /** Why no cause is told; `null` where one is. */
  noCauseReason: string | null
  impact: AlertImpact
  example: AlertExample | null
  /** As it was labelled in the message before, when that was otherwise. */
  labelledBefore: AlertLabels | null
}

/** A run that was hit. */
export interface AlertExample {
  flowId: string
  flow: string
  /** To the console. */
  link: string
}

/** By what receivers sort alerts. */
export interface AlertLabels {
  severity: Severity
  /** Of the cause; empty when nobody stands out. */
  service: string
}

export interface AlertCause {
  service: string
  operation: string
  kind: CauseKind
  /** For kind `dependency`: whom the service waits for. */
  peer: string | null
  /** Its share of the weights of all suspects, 0 to 1; see {@link Cause}. */
  score: number
  evidence: string[]
  /** From the cause to an entry. */
  path: string[]
}

/** The worst hit first; the totals count those that are left out, too. */
export interface AlertImpact {
  services: string[]
  servicesTotal: number
  flows: { name: string; runsAffected: number; runs: number; share: number }[]
  flowsTotal: number
  users: { affected: number; seen: number; share: number }
}

/** What a destination was told of an incident so far. */
export interface AlertTold {
  labels: AlertLabels
  /** The worst that was told. */
  severity: Severity
  /** The first cause, in one line. */
  cause: string
  /** All that were ever named. */
  services: string[]
  flows: string[]
  usersAffected: number
  acknowledged: boolean
}
