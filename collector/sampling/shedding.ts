// Runs the shedder of a collector with a budget: what came is told to ClickHouse every ten seconds, whatever was kept of it.

import { insertSpanCounts, type SpanCount, type Store } from '@headwater/store'
import type { CollectorMetrics } from '../metrics.ts'
import type { CollectorSettings } from '../settings.ts'
import { Shedder } from './shedder.ts'

export interface Shedding {
  shedder: Shedder
  /** Tells what was counted up to now. */
  stop(): Promise<void>
}

export interface SheddingOptions {
  store: Store
  settings: CollectorSettings
  collectorId: string
  metrics: CollectorMetrics
  nowMs: () => number
}

const everyMs = 10_000
const timeoutMs = 8_000
/** A collector that stops does not wait longer. */
const lastTimeoutMs = 1_000
/** Counts that ClickHouse has not taken; older ones are dropped and counted. */
const waitingMax = 6

/** Undefined where no budget is set, and so nothing is shed. */
export function startShedding({ store, settings, collectorId, metrics, nowMs }: SheddingOptions): Shedding | undefined {
  const { spansPerSecond } = settings.sampling
  if (spansPerSecond === undefined) return undefined
  const { hashKey } = settings
  const shedder = new Shedder({ spansPerSecond, ...(hashKey === undefined ? {} : { hashKey }) })
  const waiting: { token: string; rows: SpanCount[] }[] = []
  let told = 0
  let telling: Promise<void> | undefined

  async function tell(withinMs: number): Promise<void> {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const { kind } = await insertSpanCounts(store, { ...first, collector: collectorId, timeoutMs: withinMs })
      if (kind !== 'stored') return
      if (waiting[0] === first) waiting.shift()
    }
  }

  function collect({ all, withinMs }: { all: boolean; withinMs: number }): Promise<void> {
    metrics.set('headwater_sampling_chance', shedder.chance)
    const rows = shedder.drainCounts(nowMs(), { all })
    if (rows.length > 0) waiting.push({ token: `${collectorId}:${(told += 1)}`, rows })
    while (waiting.length > waitingMax) {
      waiting.shift()
      metrics.add('headwater_sampling_counts_dropped_total')
    }
    return (telling ??= tell(withinMs).finally(() => (telling = undefined)))
  }

  metrics.set('headwater_sampling_chance', 1)
  const timer = setInterval(() => void collect({ all: false, withinMs: timeoutMs }), everyMs)
  return {
    shedder,
    async stop() {
      clearInterval(timer)
      await Promise.race([telling, new Promise((resolve) => setTimeout(resolve, lastTimeoutMs))])
      await collect({ all: true, withinMs: lastTimeoutMs })
    },
  }
}
