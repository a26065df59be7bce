// Whose runs of a flow came less often: some users who have left are no fault of anybody's.
import type { Store } from './connect.ts'
import { spillsEarly } from './bad-calls.ts'
import type { TimeRange } from './windows.ts'

/** The runs of a flow in two times, as they are known by now, however late their spans came. */
export interface RunUsers {
  flow: string
  before: number
  recent: number
  /** Runs before of which a user is known. */
  beforeOfUsers: number
  /** Of these, the runs of the few users whose runs became fewest, and the runs of the same now. */
  beforeOfFew: number
  recentOfFew: number
  /** Of the trace IDs of so many runs, how many are large, in each of the ways in which samplers read them. */
  beforeIds: number
  recentIds: number
  beforeLargeIds: number[]
  recentLargeIds: number[]
}

/**
 * Whether a trace ID is in the upper half of the numbers by which OpenTelemetry's ratio samplers decide, each in its own way: of the
 * first or the last eight bytes, with a sign or without, or of all four words. They keep the smallest.
 */
function isLarge(traceId: string): string[] {
  const word = (from: number, type: string, bytes: number): string =>
    `reinterpretAs${type}(reverse(substring(unhex(${traceId}), ${from}, ${bytes})))`
  const words = [1, 5, 9, 13].map((from) => word(from, 'UInt32', 4))
  return [
    ...[1, 9].flatMap((from) => [
      `${word(from, 'UInt64', 8)} >= 9223372036854775808`,
      `abs(${word(from, 'Int64', 8)}) >= 4611686018427387904`,
    ]),
    `${words.reduce((all, one) => `bitXor(${all}, ${one})`)} >= 2147483648`,
  ]
}

/**
 * Runs of some flows by users, from `recentFromMs` to a time of each flow's own, where the `few` who lack most are told apart. A user's
 * runs are due as often as before.
 */
export async function readRunUsers(
  store: Store,
  {
    flows,
    recentFromMs,
    before,
    few,
  }: { flows: { flow: string; recentToMs: number }[]; recentFromMs: number; before: TimeRange; few: number },
): Promise<RunUsers[]> {
  if (flows.length === 0) return []
  const within = (name: string): string =>
    `EndedAt >= fromUnixTimestamp64Milli({${name}From:Int64}) AND EndedAt < fromUnixTimestamp64Milli({${name}To:Int64})`
  const toMs = 'transform(toString(Flow), {flows:Array(String)}, {recentTos:Array(Int64)}, toInt64(0))'
  const answer = await store.clickhouse.query({
    query: `
      SELECT Flow AS flow, sum(Before) AS before, sum(Recent) AS recent, sumIf(Before, User != '') AS beforeOfUsers,
        sumIf(Before, User != '' AND Place <= {few:UInt32}) AS beforeOfFew, sumIf(Recent, User != '' AND Place <= {few:UInt32}) AS recentOfFew,
        sum(BeforeRuns) AS beforeIds, sum(RecentRuns) AS recentIds,
        sumForEach(BeforeLarge) AS beforeLargeIds, sumForEach(RecentLarge) AS recentLargeIds
      FROM (
        SELECT Flow, User, Before, Recent, BeforeRuns, RecentRuns, BeforeLarge, RecentLarge,
          row_number() OVER (PARTITION BY Flow ORDER BY User = '', Before * (${toMs} - {recentFrom:Int64}) / ({beforeTo:Int64} - {beforeFrom:Int64}) - Recent DESC, User) AS Place
        FROM (
          SELECT Flow, User, sumIf(RunWeight, NOT IsNow) AS Before, sumIf(RunWeight, IsNow) AS Recent,
            countIf(NOT IsNow) AS BeforeRuns, countIf(IsNow) AS RecentRuns,
            sumForEach(arrayMap(one -> one AND NOT IsNow, IsLarge)) AS BeforeLarge, sumForEach(arrayMap(one -> one AND IsNow, IsLarge)) AS RecentLarge
          FROM (
            SELECT argMin(FlowName, StartedAt) AS Flow, max(UserId) AS User, max(Weight) AS RunWeight, min(EndedAt) AS FirstEnd,
              argMin(TraceId, StartedAt) AS FirstTrace, [${isLarge('FirstTrace').join(', ')}] AS IsLarge,
              FirstEnd >= fromUnixTimestamp64Milli({recentFrom:Int64}) AS IsNow
            FROM chain_execution_traces
            WHERE (${within('recent')} OR ${within('before')}) AND FlowName IN {flows:Array(String)}
              AND StartedAt >= fromUnixTimestamp64Milli({beforeFrom:Int64}) - toIntervalDay(1) AND StartedAt < fromUnixTimestamp64Milli({recentTo:Int64})
            GROUP BY cityHash64(FlowId)
          )
          WHERE NOT IsNow OR FirstEnd < fromUnixTimestamp64Milli(${toMs})
          GROUP BY Flow, User
        )
      )
      GROUP BY flow ORDER BY flow`,
    query_params: {
      flows: flows.map(({ flow }) => flow),
      recentTos: flows.map(({ recentToMs }) => recentToMs),
      few,
      recentFrom: recentFromMs,
      recentTo: Math.max(...flows.map(({ recentToMs }) => recentToMs)),
      beforeFrom: before.fromMs,
      beforeTo: before.toMs,
    },
    format: 'JSONEachRow',
    clickhouse_settings: spillsEarly,
  })
  return await answer.json<RunUsers>()
}
