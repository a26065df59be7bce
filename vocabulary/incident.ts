/** What a series measures. Error ratios are shares of calls, times are nanoseconds. */
export type Signal =
  | 'errors'
  | 'origin-errors'
  | 'latency'
  | 'self-time'
  | 'wire-time'
  /** Calls to a callee per call of the caller's operation. */
  | 'fan-out'
  /** The same of whoever stands behind a cache that is asked as ever. */
  | 'cache-misses'
  | 'logs'
  | 'silence'
  /** Calls of an entry, against what is usual at this time of the week. */
  | 'traffic'
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
  /** For fan-out and cache-misses, calls for each call of the caller's operation. */
  unit: 'share' | 'ns' | 'calls'
  /** How unlikely the seen value is under the baseline. */
  pValue: number
  calls: number
  baselineCalls: number
  /** What would have had to happen for this series to show it; null where that is not known. */
  minimumDetectable: SmallestEffect | null
  /** It was compared with this time of the week, and not with the last hour. */
  isOfSeason?: boolean
  /** What this time of day was like on other days, as of when the incident opened; absent where none is known. */
  sameTime?: SameTime
  /** Relative URL of our API that answers with the series behind these numbers; null where no series is kept of it. */
  query: string | null
}

/** A series at this time of day on the last days, or on the last ones of this kind, where enough of them are known. */
export interface SameTime {
  of: 'days' | 'weekdays' | 'weekend days'
  /** Days on which it had enough calls to tell. */
  known: number
  /** Those on which it departed from normal by more than chance, and by at least half as much as now … */
  departed: number
  /** … and those of them on which it was not clearly better than now. */
  asMuch: number
}

/** The smallest departure that a series could have shown, with its calls now and before. */
export interface SmallestEffect {
  /**
   * In the anomaly's unit: the least share of calls that go wrong; the time above which a call counts as slow; for silence
   * the most calls that could have come, and for calls that are left out the most that could have been made, per call.
   */
  value: number
  /** The least share of all calls that has to be so: failed, as slow, or missing. */
  share: number
}

/**
 * What went wrong at the cause. `errors`: it fails by itself; `latency`: its own work got slow; `unavailable`: callers get
 * no answer, or it fell silent; `dependency`: it waits for, or fails with, a peer that sends no spans.
 */
export type CauseKind = 'errors' | 'latency' | 'unavailable' | 'dependency'

/** An observation that a cause rests on: numbers first, and a sentence made from them. */
export interface Evidence {
  signal: Signal | 'exception' | 'attribute' | 'replay' | 'change' | 'time-of-day'
  sentence: string
  expected?: number
  seen?: number
  unit?: Anomaly['unit']
  pValue?: number
  /** Relative URL of our API that answers with what the sentence rests on; null where nothing does. */
  query: string | null
  /** For `change`: what changed. */
  change?: SeenChange
}

/** A change that somebody reported, or a version that spans show for the first time. Services are plain names. */
export interface SeenChange {
  kind: Change['kind'] | 'version'
  service: string
  version: string | null
  /** For `version`: those that were there before; empty for reported changes. */
  versionsBefore: string[]
  description: string | null
  /** RFC 3339. */
  at: string
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
  /**
   * Its share of the weights of all suspects, 0 to 1. What weighs are bad calls that nobody else explains, over all calls to a
   * power, so that neither the busy nor the rare are favoured: it tells the order of causes, and is no share of bad calls.
   */
  score: number
  /** For kind `dependency`: whom the service waits for. */
  peer?: string
  attribute?: TellingAttribute
  /** What would have become of runs that went wrong without it; absent where their calls do not tell. */
  replay?: Replay
  evidence: Evidence[]
  /** From the cause to an entry. */
  path: PathStep[]
}

/** What tells bad calls from good ones, such as `service.version` = `2.0.0`. */
export interface TellingAttribute {
  name: string
  value: string
  /** Further values that a call must have, too, where they only do harm together. */
  and?: { name: string; value: string }[]
  /** Of the calls that have it, the share that is bad; with `low` and `high`, the interval that holds the true one with 95 %. */
  badShare: number
  low?: number
  high?: number
  /** Of the other calls, the share that is bad. */
  goodShare: number
  /** How many times as often as all calls those that have it are bad. */
  lift?: number
}

/** Runs that went wrong, played again without what a cause did to them: `mended` of `runs` would have gone well. */
export interface Replay extends ShareWithInterval {
  runs: number
  mended: number
}

export interface Impact {
  /** Services that failed or slowed down, the cause among them. */
  services: string[]
  /** Runs are those that came and those that are missing: these are affected, too. */
  flows: ({ name: string; runsAffected: number; runs: number; missing?: MissingRuns } & ShareWithInterval)[]
  /** Flows of which fewer runs came than expected, where nobody can tell whether that is the incident's doing. */
  missingUnknown?: MissingUnknown[]
  /** Users with an affected run; the share is of the users seen in the flows that are hit, since the onset. */
  users: { affected: number; seen: number } & ShareWithInterval
  /** Who depends on the first cause, by who called whom before, and is not hit so far; the most dependent first. */
  atRisk: AtRisk[]
  /** RFC 3339. */
  since: string
}

/**
 * Runs of a flow that did not come when they were due, beyond chance: refused before any span of theirs began, kept waiting, or
 * never sent. Whose they were nobody knows.
 */
export interface MissingRuns {
  runs: number
  /** With `high`, the interval that holds the true number with a confidence of 95 %. */
  low: number
  high: number
  /** Of these, as many came later than due. */
  cameLater: number
  /** Runs that were due, by how many came before, and runs that came, until most were missing: from `from` to `to` (RFC 3339). */
  expected: number
  seen: number
  from: string
  to: string
  /** How unlikely it is that so few came by chance. */
  pValue: number
}

/** Fewer runs of a flow than expected, and why nobody can tell whether they are missing. */
export interface MissingUnknown {
  flow: string
  expected: number
  seen: number
  why: WhyUnknown
}

/**
 * `short-past`, `uneven-past`: what is usual is not known well enough; `few-users`: a few users who left explain it, `unknown-users`:
 * or could, as no user is known; `sampled`: somebody keeps a part of the traces only; `not-received`: a collector died, or lost or refused spans; `other-names`: as many runs came under other names.
 */
export type WhyUnknown = (typeof whyUnknown)[number]
export const whyUnknown = [
  'short-past',
  'uneven-past',
  'few-users',
  'unknown-users',
  'sampled',
  'not-received',
  'other-names',
] as const

/** A service that may be hit next. */
export interface AtRisk {
  service: string
  /** Of its calls, those that usually lead to the cause. */
  share: number
}

/** A share with the interval that holds the true one with a confidence of 95 % (Wilson 1927). */
export interface ShareWithInterval {
  share: number
  low: number
  high: number
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
  /** Who resolved it; null while it is open, and where it ended by itself. */
  resolvedBy: string | null
  /** The ID of the older incident that turned out to have the same cause, and tells of both from then on; null where none has. */
  mergedInto: string | null
  /** How often it came back after having been resolved. */
  reopenings: number
  /** The last of these, oldest first: when, and why it was not a new incident or did not stay resolved. */
  reopened: { at: string; why: string }[]
  causes: Cause[]
  /** How sure it is that the first cause is right, 0 to 1; 0 without one. */
  confidence: number
  /** Why no cause is told, in words; null where one is. */
  noCauseReason: string | null
  impact: Impact
  anomalies: Anomaly[]
  /** What changed at the services that are hit, shortly before or while it began; the latest first. */
  changes: SeenChange[]
  /** Whoever says that they look after it. Coming back asks for it again. */
  acknowledged: { by: string; at: string } | null
  /** Oldest first. */
  comments: { by: string; at: string; text: string }[]
  verdict: Verdict | null
}

/** What a person says of the first cause, once it is known what it truly was. */
export interface Verdict {
  by: string
  at: string
  cause: 'right' | 'wrong'
  /** What it truly was, where the first cause was wrong and somebody knows. */
  actual: { service: string; operation?: string } | null
  /** The cause as it was told when it was judged, and how sure it was. */
  judged: { service: string; operation: string; kind: CauseKind; confidence: number }
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
