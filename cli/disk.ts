import { setTimeout as sleep } from 'node:timers/promises'
import { enforceDiskCap, type Store, type StoreSettings } from '@headwater/store'
import { MetricSet } from '@headwater/vocabulary'

const definitions = {
  headwater_disk_bytes: { type: 'gauge', help: 'What ClickHouse keeps on disk' },
  headwater_disk_dropped_partitions_total: {
    type: 'counter',
    help: 'Days of a table dropped to stay below HEADWATER_DISK_MAX',
    labels: ['table'],
  },
  headwater_disk_dropped_bytes_total: { type: 'counter', help: 'Bytes dropped to stay below HEADWATER_DISK_MAX' },
  headwater_disk_over_cap: { type: 'gauge', help: '1 while nothing is left to drop but the day that is being written' },
} as const

export interface DiskGuard {
  metrics: MetricSet<keyof typeof definitions>
  stop(): Promise<void>
}

/** Looks at the disk every so often and drops the oldest days above the cap. Without a cap it only measures. */
export function keepBelowDiskCap(
  store: Store,
  { diskMaxBytes = Number.POSITIVE_INFINITY }: Pick<StoreSettings, 'diskMaxBytes'>,
  log: (line: string) => void,
  everyMs = 60_000,
): DiskGuard {
  const metrics = new MetricSet(definitions)
  const stopping = new AbortController()
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const report = await enforceDiskCap(store, diskMaxBytes)
        metrics.set('headwater_disk_bytes', report.bytes)
        metrics.set('headwater_disk_over_cap', report.isOverCap ? 1 : 0)
        for (const { table, partition, bytes } of report.dropped) {
          metrics.add('headwater_disk_dropped_partitions_total', 1, { table })
          metrics.add('headwater_disk_dropped_bytes_total', bytes)
          log(`disk: dropped ${partition} of ${table} to stay below HEADWATER_DISK_MAX`)
        }
      } catch (error) {
        log(`disk: cannot measure: ${error instanceof Error ? error.message : String(error)}`)
      }
      await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
  const done = loop()
  return {
    metrics,
    async stop() {
      stopping.abort()
      await done
    },
  }
}
