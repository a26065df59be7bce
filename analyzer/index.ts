export {
  type Analyzer,
  type AnalyzerOptions,
  nextStepMs,
  untilNextStepMs,
  settleRules,
  startAnalyzer,
} from './start.ts'
export type { AnalyzerMetrics } from './metrics.ts'
export { explainRange, type RangeExplanation } from './explain-range.ts'
export { explainPast } from './explain-past.ts'
export type { Told } from './explain.ts'
export { parameters } from './parameters.ts'
export { LastingEffects } from './read-lasting.ts'
export { Seasons } from './seasons.ts'
export { step, type StepReport } from './step.ts'
export { type BreachExplanation, explainBreach } from './aggregates/explain-breach.ts'
export type { Breach } from './aggregates/breach-findings.ts'
export type { Aspect, Component, Interval } from './aggregates/departure.ts'
export type { Calls } from './aggregates/own-excess.ts'
export { JointJudge, type JointJudgement } from './series/joint-judge.ts'
export { type Judgement, SeriesJudge, type SmallestEffect, type View } from './series/series-judge.ts'
