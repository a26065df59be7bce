import { askClickHouse } from './queries/ask.ts'
import type { Store } from './connect.ts'
import type { TimeRange } from './windows.ts'

/** A version of a service that took calls in some time. */
export interface VersionSeen {
  /** Canonical key. */
  service: string
  version: string
  /** When the window began in which it first took a call: of ten seconds within the last hour, else of a minute. */
  firstMs: number
  calls: number
}

/** Versions that are read at most, over all services. */
const versionsMax = 1_000

/** Which versions of the given services took calls in a range, and since when. */
export async function readVersions(
  store: Store,
  { fromMs, toMs, services }: TimeRange & { services: string[] },
): Promise<VersionSeen[]> {
  if (services.length === 0) return []
  const firstIn = (table: string): string => `
    SELECT Service AS service, Version AS version, toUnixTimestamp(min(Window)) * 1000 AS firstMs, sum(Calls) AS calls
    FROM ${table}
    WHERE Window >= fromUnixTimestamp({from:Int64}) AND Window < fromUnixTimestamp({to:Int64})
      AND Service IN {services:Array(String)} AND Version != '' AND Kind IN ('entry', 'sync', 'async')
    GROUP BY service, version`
  return await askClickHouse<VersionSeen>(store, {
    deed: 'read versions of services',
    query: `
      SELECT minutes.service AS service, minutes.version AS version, minutes.calls AS calls,
        if(tens.firstMs >= minutes.firstMs AND tens.firstMs < minutes.firstMs + 60000, tens.firstMs, minutes.firstMs) AS firstMs
      FROM (${firstIn('chain_health_metrics')}) AS minutes
      LEFT JOIN (${firstIn('chain_health_metrics_10s')}) AS tens ON tens.service = minutes.service AND tens.version = minutes.version
      ORDER BY firstMs DESC, service, version LIMIT {most:UInt32}`,
    params: { from: Math.floor(fromMs / 60_000) * 60, to: Math.ceil(toMs / 1_000), services, most: versionsMax },
  })
}
