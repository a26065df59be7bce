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

/** Which runs, flows, services and users depended on calls into a place. */
export async function readThroughPlace(
  store: Store,
  { since, until, operation, ...service }: Window & Place,
): Promise<ThroughPlace> {
  const params = { since, until, pattern: servicePattern(service), operation: operation ?? '', rowsMax }
  const runs = `
    WITH
      through AS (
        SELECT DISTINCT FlowId FROM chain_dependency_events FINAL
        WHERE Time >= {since:DateTime64(3)} AND Time < {until:DateTime64(3)} AND Kind != 'publish'
          AND match(Service, {pattern:String}) ${operation === undefined ? '' : 'AND Operation = {operation:String}'}
      ),
      runs AS (
        SELECT FlowId, argMin(FlowName, StartedAt) AS Flow, argMinIf(UserId, StartedAt, UserId != '') AS User,
          groupUniqArrayArray(100)(Services) AS Services, max(FlowId IN (SELECT FlowId FROM through)) AS CallsPlace
        FROM chain_execution_traces FINAL
        WHERE EndedAt >= {since:DateTime64(9)} AND StartedAt < {until:DateTime64(9)}
        GROUP BY FlowId
      )`
  const [flows, services, users] = await Promise.all([
    askClickHouse<ThroughPlace['flows'][number]>(store, {
      deed: 'read the flows that would be hit',
      query: `${runs}
        SELECT Flow AS name, count() AS runs, countIf(CallsPlace) AS runsThrough
        FROM runs GROUP BY name HAVING runsThrough > 0 ORDER BY runsThrough DESC, name LIMIT {rowsMax:UInt32}`,
      params,
    }),
    askClickHouse<ThroughPlace['services'][number]>(store, {
      deed: 'read the services that would be hit',
      query: `${runs}
        SELECT arrayJoin(Services) AS key, count() AS runs, countIf(CallsPlace) AS runsThrough
        FROM runs GROUP BY key HAVING runsThrough > 0 ORDER BY runsThrough DESC, key LIMIT {rowsMax:UInt32}`,
      params,
    }),
    askClickHouse<ThroughPlace['users']>(store, {
      deed: 'read the users that would be hit',
      query: `${runs}
        SELECT uniqExactIf(User, User != '') AS seen, uniqExactIf(User, User != '' AND CallsPlace) AS through
        FROM (SELECT User, CallsPlace, max(CallsPlace) OVER (PARTITION BY Flow) AS FlowCallsPlace FROM runs)
        WHERE FlowCallsPlace`,
      params,
    }),
  ])
  return {
    runs: flows.reduce((sum, { runsThrough }) => sum + runsThrough, 0),
    flows,
    services,
    users: users[0] ?? { seen: 0, through: 0 },
  }
}
