export { formatService, parseService, type ServiceIdentity } from './service.ts'
export type {
  Anomaly,
  Cause,
  CauseKind,
  Change,
  Evidence,
  AtRisk,
  Impact,
  Incident,
  IncidentState,
  MissingRuns,
  MissingUnknown,
  PathStep,
  Replay,
  SameTime,
  SeenChange,
  ShareWithInterval,
  Signal,
  SmallestEffect,
  TellingAttribute,
  Verdict,
  WhyUnknown,
} from './incident.ts'
export type {
  AlertCause,
  AlertChange,
  AlertExample,
  AlertImpact,
  AlertIncident,
  AlertLabels,
  AlertMessage,
  AlertTold,
  Severity,
} from './alert.ts'
export { attributeWords } from './attribute-words.ts'
export type { Explanation, PastExplanation, PastQuestion } from './explanation.ts'
export { flowWithBadRuns, type NextLook, nextLooks } from './next-looks.ts'
export { type Series, seriesPath, type SeriesQuestion, type SeriesSignal, type SeriesWindow } from './series.ts'
export { whyUnknown } from './incident.ts'
export { missingSentence, unknownSentence } from './missing-sentence.ts'
export { shareInterval, withInterval } from './share-interval.ts'
export { type DoctorFinding, type DoctorNote, doctorVariable, readDoctorNote } from './doctor.ts'
export { type MetricDefinition, MetricSet } from './metrics.ts'
export { type FlowId, flowNameCharsMax, parseFlowId, parseFlowName } from './flow-id.ts'
export {
  type Address,
  type AddressRange,
  type Forwarding,
  type Trust,
  defaultTrust,
  forwardedHopsMax,
  holds,
  isTrustedHost,
  isTrustedPeer,
  parseAddress,
  parseRange,
  parseTrust,
} from './trust.ts'
export {
  addHistogram,
  bucketMiddle,
  bucketOf,
  countAbove,
  countCalls,
  type Histogram,
  quantileBucket,
  quantileNs,
} from './histogram.ts'
export {
  findOrigin,
  type Knowledge,
  noKnowledge,
  normalKey,
  type Origin,
  type OriginFinding,
  type RunSpan,
} from './origin.ts'
