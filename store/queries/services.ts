import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'
import type { Histogram } from '@headwater/vocabulary'
import { quantileMs } from './histogram.ts'
import type { Window } from './window.ts'

/** What was seen of calls into a service or into one operation of it. */
export interface CallStatistics {
  calls: number
  errors: number
  p50Ms: number | null
  p95Ms: number | null
  /** Start of the last minute with a call; RFC 3339. */
  lastSeen: string
}

export interface ServiceSummary extends CallStatistics {
  /** Key as vocabulary's formatService writes it. */
  key: string
  operations: ({ operation: string } & CallStatistics)[]
}

interface Row {
  key: string
  operation: string
  calls: number
  errors: number
  histogram: Histogram
  lastSeen: string
}

/** Most called operations that are listed of one service; the service's own figures count all. */
export const operationsMax = 100

/** Services that were called in the window, by key, from `after` on; at most `limit` and one more. */
export async function readServices(
  store: Store,
  { since, until, after, limit }: Window & { after: string; limit: number },
): Promise<ServiceSummary[]> {
  const params = { since, until, after, take: limit + 1, operationsMax }
  const calls = `
    FROM chain_health_metrics
    WHERE Window >= toStartOfMinute({since:DateTime64(3)}) AND Window < {until:DateTime64(3)}
      AND Kind IN ('entry', 'sync', 'async') AND Service > {after:String}`
  const figures = `sum(Calls) AS calls, sum(Errors) AS errors, sumMap(Duration) AS histogram, max(Window) AS lastSeen`
  const [services, operations] = await Promise.all([
    askClickHouse<Row>(store, {
      deed: 'list services',
      query: `SELECT Service AS key, '' AS operation, ${figures} ${calls} GROUP BY Service ORDER BY Service LIMIT {take:UInt32}`,
      params,
    }),
    askClickHouse<Row>(store, {
      deed: 'list operations',
      query: `
        SELECT Service AS key, Operation AS operation, ${figures} ${calls}
          AND Service IN (SELECT DISTINCT Service ${calls} ORDER BY Service LIMIT {take:UInt32})
        GROUP BY Service, Operation ORDER BY Service, calls DESC, Operation LIMIT {operationsMax:UInt32} BY Service`,
      params,
    }),
  ])
  const byService = Map.groupBy(operations, ({ key }) => key)
  return services.map((row) => summaryOf(row, byService.get(row.key) ?? []))
}

function summaryOf(row: Row, operations: Row[]): ServiceSummary {
  return { key: row.key, ...statisticsOf(row), operations: operations.map(operationOf) }
}

function operationOf(row: Row): ServiceSummary['operations'][number] {
  return { operation: row.operation, ...statisticsOf(row) }
}

function statisticsOf({ calls, errors, histogram, lastSeen }: Row): CallStatistics {
  return { calls, errors, p50Ms: quantileMs(histogram, 0.5), p95Ms: quantileMs(histogram, 0.95), lastSeen }
}
