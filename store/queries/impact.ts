import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'
import { type ServiceFilter, servicePattern } from './service-pattern.ts'
import type { Window } from './window.ts'

/** What goes through a place of the graph, in a window. */
export interface ThroughPlace {
  /** Runs that called the place. */
  runs: number
  flows: { name: string; runs: number; runsThrough: number }[]
  /** Runs per service, by key: all, and those that called the place. */
  services: { key: string; runs: number; runsThrough: number }[]
  /** Users seen in the flows that call the place, and those whose runs did. */
  users: { seen: number; through: number }
}

export type Place = ServiceFilter & { operation?: string | undefined }

const rowsMax = 1_000

/**
 * Which runs, flows, services and users depended on calls into a place. Counts are exact while they are small, and within
 * a percent beyond some ten thousand; rows that were replaced count once, since runs are counted and not rows.
 */
export async function readThroughPlace(
  store: Store,
  { since, until, operation, ...service }: Window & Place,
): Promise<ThroughPlace> {
  const params = { since, until, pattern: servicePattern(service), operation: operation ?? '', rowsMax }
  const through = `
    WITH cityHash64(FlowId) AS Run, Run IN (
      SELECT cityHash64(FlowId) FROM chain_dependency_events
      WHERE Time >= {since:DateTime64(3)} AND Time < {until:DateTime64(3)} AND Kind != 'publish' AND NOT Deleted
        AND match(Service, {pattern:String}) ${operation === undefined ? '' : 'AND Operation = {operation:String}'}
    ) AS CallsPlace`
  const during = 'EndedAt >= {since:DateTime64(9)} AND StartedAt < {until:DateTime64(9)}'
  const flows = await askClickHouse<{ flows: [string, number, number][]; seen: number; through: number }>(store, {
    deed: 'read the flows that would be hit',
    query: `
      SELECT arraySlice(arrayReverseSort(flow -> (flow.3, flow.1), groupArray((Flow, Runs, RunsThrough))), 1, {rowsMax:UInt32}) AS flows,
        uniqCombined64Merge(Seen) AS seen, uniqCombined64Merge(Through) AS through
      FROM (
        ${through}
        SELECT FlowName AS Flow, uniqCombined64(Run) AS Runs, uniqCombined64If(Run, CallsPlace) AS RunsThrough,
          uniqCombined64StateIf(UserId, UserId != '') AS Seen, uniqCombined64StateIf(UserId, UserId != '' AND CallsPlace) AS Through
        FROM chain_execution_traces WHERE ${during}
        GROUP BY Flow HAVING RunsThrough > 0
      )`,
    params,
  })
  const services = await askClickHouse<ThroughPlace['services'][number]>(store, {
    deed: 'read the services that would be hit',
    query: `
      ${through}
      SELECT arrayJoin(Services) AS key, uniqCombined64(Run) AS runs, uniqCombined64If(Run, CallsPlace) AS runsThrough
      FROM chain_execution_traces WHERE ${during}
      GROUP BY key HAVING runsThrough > 0 ORDER BY runsThrough DESC, key LIMIT {rowsMax:UInt32}`,
    params,
  })
  const rows = flows[0] ?? { flows: [], seen: 0, through: 0 }
  return {
    runs: rows.flows.reduce((sum, [, , runsThrough]) => sum + runsThrough, 0),
    flows: rows.flows.map(([name, runs, runsThrough]) => ({ name, runs, runsThrough })),
    services,
    users: { seen: rows.seen, through: rows.through },
  }
}
