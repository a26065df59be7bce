// What the supervisor tells its processes, over IPC: no request of it appears in any trace. They answer once: that they
// are ready.

import type { ServiceName } from './plan.ts'

/** Where everybody listens; ports of 127.0.0.1. A service may have several instances. */
export interface Directory {
  services: Record<ServiceName, number[]>
  outside: Record<string, number>
  brokerPort: number
}

/** How one operation of a service does from now on. */
export interface Condition {
  operation: string
  effect: 'errors' | 'latency' | 'crash'
  /** Share of the calls that it meets. */
  share: number
  seed: number
}

export type ToService = { directory: Directory } | { condition: Condition | null }

/** How the outside does: answers on `path` of `peer` take longer. */
export interface Slowness {
  peer: string
  path: string
  delayMs: number
}

export type ToOutside = { slowness: Slowness | null }
