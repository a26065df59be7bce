import type { Histogram } from '@headwater/vocabulary'
import type { Store } from '../connect.ts'
import type { CallKind } from '../tables/facts.ts'
import { askClickHouse } from './ask.ts'
import { edgesMax } from './graph.ts'
import type { Window } from './window.ts'

/** Calls of one kind from one service to another in the last moments. Services are keys. */
export interface RecentEdge {
  caller: string
  service: string
  kind: CallKind
  calls: number
  errors: number
  duration: Histogram
}

/** The most used edges over whole ten-second windows of the last hour. */
export async function readRecentEdges(store: Store, { since, until }: Window): Promise<RecentEdge[]> {
  return await askClickHouse<RecentEdge>(store, {
    deed: 'read the last calls between services',
    query: `
      SELECT Caller AS caller, Service AS service, Kind AS kind, sum(Calls) AS calls,
        greatest(sum(Errors), sum(ClientErrors)) AS errors, sumMap(Duration) AS duration
      FROM chain_health_metrics_10s
      WHERE Window >= {since:DateTime64(3)} AND Window < {until:DateTime64(3)}
      GROUP BY caller, service, kind
      ORDER BY calls DESC, caller, service, kind
      LIMIT {edgesMax:UInt32}`,
    params: { since, until, edgesMax },
  })
}
