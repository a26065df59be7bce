import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'
import type { Window } from './window.ts'

/** Runs of one flow that began in a window. */
export interface FlowSummary {
  name: string
  runs: number
  failed: number
  users: number
  /** How long the entry took: what the caller waited for. */
  p50Ms: number
  p95Ms: number
  p99Ms: number
  /** Keys. */
  services: string[]
  /** RFC 3339. */
  lastSeen: string
}

/** Flows that are read at most, those with the most runs first. */
export const flowsMax = 1_000

/** Flows with runs in the window; only `name`, where it is given. */
export async function readFlows(
  store: Store,
  { since, until, name }: Window & { name?: string },
): Promise<FlowSummary[]> {
  return await askClickHouse<FlowSummary>(store, {
    deed: 'list flows',
    query: `
      SELECT name, uniqExact(FlowId) AS runs, uniqExactIf(FlowId, failed) AS failed, uniqIf(user, user != '') AS users,
        round(quantile(0.5)(durationNs) / 1e6, 3) AS p50Ms, round(quantile(0.95)(durationNs) / 1e6, 3) AS p95Ms,
        round(quantile(0.99)(durationNs) / 1e6, 3) AS p99Ms,
        arraySort(groupUniqArrayArray(200)(services)) AS services, max(startedAt) AS lastSeen
      FROM (
        SELECT FlowId, argMin(FlowName, StartedAt) AS name, max(Failed) = 1 AS failed, argMin(UserId, UserId = '') AS user,
          argMin(DurationNs, StartedAt) AS durationNs, groupUniqArrayArray(200)(Services) AS services, min(StartedAt) AS startedAt
        FROM chain_execution_traces FINAL
        WHERE StartedAt >= {since:DateTime64(9)} AND StartedAt < {until:DateTime64(9)}
        GROUP BY FlowId
      )
      ${name === undefined ? '' : 'WHERE name = {name:String}'}
      GROUP BY name
      ORDER BY runs DESC, name
      LIMIT {flowsMax:UInt32}`,
    params: { since, until, flowsMax, ...(name !== undefined && { name }) },
  })
}
