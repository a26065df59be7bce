export {
  type Collector,
  type CollectorLimits,
  type CollectorOptions,
  createCollector,
  startCollector,
} from './collector.ts'
export { type CollectorMetrics, collectorMetrics } from './metrics.ts'
export { type CollectorSettings, readCollectorSettings } from './settings.ts'
