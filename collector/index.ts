export {
  type Collector,
  type CollectorLimits,
  type CollectorOptions,
  createCollector,
  startCollector,
} from './collector.ts'
export { type CollectorMetrics, collectorMetrics } from './metrics.ts'
export { type CollectorSettings, readCollectorSettings } from './settings.ts'
export { addKey, removeKey } from './access/key-changes.ts'
export { readKeyFile } from './access/key-file.ts'
export { readNewKey } from './access/new-key.ts'
export { readKeysPath } from './access/settings.ts'
