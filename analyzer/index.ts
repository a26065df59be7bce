export { type Analyzer, type AnalyzerOptions, startAnalyzer } from './start.ts'
export type { AnalyzerMetrics } from './metrics.ts'
