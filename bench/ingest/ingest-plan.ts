import type { Plan } from '../plan.ts'

export interface IngestPlan extends Plan {
  /** Node's own options for our receiving processes: those that the command line starts a collector with, and its profiler's. */
  nodeOptions: readonly string[]
  /** Stored spans, in millions, that `growth` measures at. */
  storedMillions: readonly number[]
}
