import type { Store } from './connect.ts'

export interface DiskReport {
  bytes: number
  /** Days of telemetry or facts that were dropped to get below the cap. */
  dropped: { table: string; partition: string; bytes: number }[]
  /** Still above the cap, with nothing left to drop but what is being written. */
  isOverCap: boolean
}

interface Partition {
  table: string
  partition: string
  partitionId: string
  day: string
  bytes: number
}

/**
 * Drops the oldest day of any table, one after the other, until the database takes at most `maxBytes`. The newest day of
 * each table stays, since it is being written.
 */
export async function enforceDiskCap(store: Store, maxBytes: number): Promise<DiskReport> {
  const partitions = await readPartitions(store)
  let bytes = partitions.reduce((sum, partition) => sum + partition.bytes, 0)
  const dropped: DiskReport['dropped'] = []
  for (const { table, partition, partitionId, bytes: size } of oldestFirst(partitions)) {
    if (bytes <= maxBytes) break
    await store.clickhouse.command({
      query: `ALTER TABLE {table:Identifier} DROP PARTITION ID {partitionId:String}`,
      query_params: { table, partitionId },
      clickhouse_settings: { max_partition_size_to_drop: '0' },
    })
    bytes -= size
    dropped.push({ table, partition, bytes: size })
  }
  return { bytes, dropped, isOverCap: bytes > maxBytes }
}

/** What may be dropped, in order: by day, the newest of each table left out. */
function oldestFirst(partitions: Partition[]): Partition[] {
  const newest = new Map<string, string>()
  for (const { table, day } of partitions) if (day > (newest.get(table) ?? '')) newest.set(table, day)
  return partitions
    .filter(({ table, day }) => day !== newest.get(table))
    .toSorted((a, b) => a.day.localeCompare(b.day) || b.bytes - a.bytes)
}

async function readPartitions(store: Store): Promise<Partition[]> {
  const answer = await store.clickhouse.query({
    query: `SELECT table, partition, partition_id AS partitionId, sum(bytes_on_disk) AS bytes,
              if(match(partition, '^\\\\d{4}-\\\\d{2}-\\\\d{2}'), substring(partition, 1, 10), '') AS day
            FROM system.parts
            WHERE database = currentDatabase() AND active
            GROUP BY table, partition, partitionId ORDER BY table, partition`,
    format: 'JSONEachRow',
  })
  return (await answer.json<Partition>()).map((row) => (row.day === '' ? { ...row, day: 'none' } : row))
}
