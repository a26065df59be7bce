export { startEngines, EnginesStartError, type EngineEvent, type Engines, type EnginesOptions } from './engines.ts'
export { UnsupportedPlatformError } from './platform.ts'
