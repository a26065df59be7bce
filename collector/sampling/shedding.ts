import { CountBlock } from '@headwater/store'
import type { CollectorMetrics } from '../metrics.ts'
import type { CollectorSettings } from '../settings.ts'
import { Shedder } from './shedder.ts'

/** What a collector with a budget sheds by. */
export interface Shedding {
  shedder: Shedder
  /** Ends a block: what came with it, as a block of `collector_span_counts`; undefined where nothing came. */
  sealCounts(): Uint8Array | undefined
}

export interface SheddingOptions {
  settings: CollectorSettings
  /** Who counts. */
  collectorId: string
  metrics: CollectorMetrics
}

/** Undefined where no budget is set, and so nothing is shed. */
export function createShedding({ settings, collectorId, metrics }: SheddingOptions): Shedding | undefined {
  const { spansPerSecond } = settings.sampling
  if (spansPerSecond === undefined) return undefined
  const { hashKey } = settings
  const shedder = new Shedder({ spansPerSecond, ...(hashKey === undefined ? {} : { hashKey }) })
  const counts = new CountBlock()
  observe(shedder, metrics)
  return {
    shedder,
    sealCounts() {
      observe(shedder, metrics)
      const rows = shedder.takeCounts()
      for (const row of rows) counts.add(collectorId, row)
      return rows.length === 0 ? undefined : counts.seal()
    },
  }
}

function observe(shedder: Shedder, metrics: CollectorMetrics): void {
  metrics.set('headwater_sampling_chance', shedder.chance)
  const { kept, forgottenEarly, countedAsOther } = shedder
  for (const [reason, spans] of Object.entries(kept)) {
    const told = metrics.get('headwater_sampling_kept_spans_total', { reason })
    metrics.add('headwater_sampling_kept_spans_total', spans - told, { reason })
  }
  const forgotten = forgottenEarly - metrics.get('headwater_sampling_forgotten_runs_total')
  metrics.add('headwater_sampling_forgotten_runs_total', forgotten)
  const others = countedAsOther - metrics.get('headwater_sampling_other_spans_total')
  metrics.add('headwater_sampling_other_spans_total', others)
}
