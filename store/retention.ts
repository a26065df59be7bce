import type { Store } from './connect.ts'

/** The tables of raw telemetry, whose retention is the user's to set. Facts are kept for 180 days. */
const telemetry = [
  { table: 'otel_traces', time: 'Timestamp' },
  { table: 'otel_traces_trace_id_ts', time: 'Start' },
  { table: 'otel_logs', time: 'TimestampTime' },
]

/**
 * Makes ClickHouse drop raw telemetry after so many days. Changes nothing where it already does. A day is kept until its last
 * span is so old: dropped with its first one, it would take spans along that the collector still accepts.
 */
export async function applyRetention(store: Store, { retentionDays }: { retentionDays: number }): Promise<void> {
  const days = Math.trunc(retentionDays) + 1
  for (const { table, time } of telemetry) {
    const answer = await store.clickhouse.query({
      query:
        'SELECT create_table_query AS ddl FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
      query_params: { table },
      format: 'JSONEachRow',
    })
    const [row] = await answer.json<{ ddl: string }>()
    if (row?.ddl.includes(`toIntervalDay(${days})`)) continue
    await store.clickhouse.command({
      query: `ALTER TABLE ${table} MODIFY TTL toDate(${time}) + toIntervalDay(${days})`,
      // Only whole parts are dropped; rewriting old ones for a new rule would take hours.
      clickhouse_settings: { materialize_ttl_after_modify: 0 },
    })
  }
}
