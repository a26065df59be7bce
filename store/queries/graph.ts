import type { Histogram } from '@headwater/vocabulary'
import type { Store } from '../connect.ts'
import type { CallKind } from '../tables/facts.ts'
import { askClickHouse } from './ask.ts'
import { quantileMs } from './histogram.ts'
import type { Window } from './window.ts'

/** All calls of one kind from one service to another, in a window. Services are keys. */
export interface EdgeSummary {
  /** Empty where nobody of ours called. */
  caller: string
  service: string
  kind: CallKind
  /** The most called, 20 at most. */
  operations: string[]
  calls: number
  /** Calls that failed, as the callee or as the caller sees it. */
  errors: number
  p95Ms: number | null
}

/** Edges that are read at most, the most used first. */
export const edgesMax = 5_000

export async function readEdges(store: Store, { since, until }: Window): Promise<EdgeSummary[]> {
  const rows = await askClickHouse<Omit<EdgeSummary, 'p95Ms'> & { duration: Histogram }>(store, {
    deed: 'read the graph of services',
    query: `
      SELECT Caller AS caller, Service AS service, Kind AS kind, topKWeighted(20)(Operation, Calls) AS operations,
        sum(Calls) AS calls, greatest(sum(Errors), sum(ClientErrors)) AS errors, sumMap(Duration) AS duration
      FROM chain_health_metrics
      WHERE Window >= toStartOfMinute({since:DateTime64(3)}) AND Window < {until:DateTime64(3)}
      GROUP BY caller, service, kind
      ORDER BY calls DESC, caller, service, kind
      LIMIT {edgesMax:UInt32}`,
    params: { since, until, edgesMax: edgesMax + 1 },
  })
  return rows.map(toEdge)
}

function toEdge({ duration, ...edge }: Omit<EdgeSummary, 'p95Ms'> & { duration: Histogram }): EdgeSummary {
  return { ...edge, p95Ms: quantileMs(duration, 0.95) }
}

/** Who called what, operation by operation: what reachability is found from. */
export interface OperationEdge {
  caller: string
  callerOperation: string
  service: string
  operation: string
  kind: CallKind
}

export async function readOperationEdges(store: Store, { since, until }: Window): Promise<OperationEdge[]> {
  return await askClickHouse<OperationEdge>(store, {
    deed: 'read the graph of operations',
    query: `
      SELECT Caller AS caller, CallerOperation AS callerOperation, Service AS service, Operation AS operation, Kind AS kind
      FROM chain_health_metrics
      WHERE Window >= toStartOfMinute({since:DateTime64(3)}) AND Window < {until:DateTime64(3)} AND Kind != 'publish'
      GROUP BY caller, callerOperation, service, operation, kind
      ORDER BY sum(Calls) DESC
      LIMIT 20000`,
    params: { since, until },
  })
}

/** Calls since a minute, cumulated, for Prometheus. */
export interface EdgeTotals {
  caller: string
  service: string
  kind: CallKind
  calls: number
  errors: number
  durationNs: number
  duration: Histogram
}

export async function readEdgeTotals(
  store: Store,
  { since, until, edgesMax: most }: Window & { edgesMax: number },
): Promise<EdgeTotals[]> {
  return await askClickHouse<EdgeTotals>(store, {
    deed: 'read the totals of the graph',
    query: `
      SELECT Caller AS caller, Service AS service, Kind AS kind, sum(Calls) AS calls,
        greatest(sum(Errors), sum(ClientErrors)) AS errors, sum(m.DurationNs) AS durationNs, sumMap(Duration) AS duration
      FROM chain_health_metrics AS m
      WHERE Window >= {since:DateTime64(3)} AND Window < {until:DateTime64(3)} AND Kind != 'publish'
      GROUP BY caller, service, kind
      ORDER BY calls DESC, caller, service, kind
      LIMIT {most:UInt32}`,
    params: { since, until, most },
  })
}

/** How often a service called another, in a window. Services are keys. */
export interface CallCount {
  caller: string
  service: string
  calls: number
}

/** Calls between services and to peers without spans, the most frequent first. */
export async function readCallCounts(store: Store, { since, until }: Window): Promise<CallCount[]> {
  return await askClickHouse<CallCount>(store, {
    deed: 'count calls between services',
    query: `
      SELECT Caller AS caller, Service AS service, sum(Calls) AS calls
      FROM chain_health_metrics
      WHERE Window >= toStartOfMinute({since:DateTime64(3)}) AND Window < {until:DateTime64(3)}
        AND Kind NOT IN ('entry', 'publish') AND Caller != ''
      GROUP BY caller, service
      ORDER BY calls DESC, caller, service
      LIMIT {edgesMax:UInt32}`,
    params: { since, until, edgesMax },
  })
}
