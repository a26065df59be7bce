// The analyzer tells the silence of a service from the silence of its collector by these rows.

import type { Store } from '@headwater/store'

export interface HeartbeatOptions {
  store: Store
  collectorId: string
  everyMs: number
  nowMs: () => number
  /** Spans received since the collector started. */
  spansReceived: () => number
  onFailure: (cause: unknown) => void
}

/** Beats at once and then steadily until stopped. A beat that fails is counted, and its spans go into the next. */
export function startHeartbeat(options: HeartbeatOptions): { stop(): void } {
  const { store, collectorId, everyMs, nowMs, spansReceived, onFailure } = options
  let told = 0
  let beating = false
  const beat = async () => {
    if (beating) return
    beating = true
    const received = spansReceived()
    try {
      await store.clickhouse.insert({
        table: 'collector_heartbeats',
        values: [{ At: (nowMs() / 1_000).toFixed(3), Collector: collectorId, SpansReceived: received - told }],
        format: 'JSONEachRow',
        abort_signal: AbortSignal.timeout(everyMs),
      })
      told = received
    } catch (cause) {
      onFailure(cause)
    } finally {
      beating = false
    }
  }
  void beat()
  const timer = setInterval(() => void beat(), everyMs)
  return { stop: () => clearInterval(timer) }
}
