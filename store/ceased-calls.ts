// Calls that an operation usually makes, and makes no longer: nothing fails and nothing is slow, so that only their number tells.
import { TupleParam } from '@clickhouse/client'
import type { Store } from './connect.ts'
import { bindWindows, comparedRows, statesIn, type Windows } from './windows.ts'

export interface CeasedCallsRules {
  /** An operation succeeded at least so often before. */
  baselineCallsMin: number
  /** At least so many calls are due, by how often the operation succeeded now and how many it made before for each success … */
  dueMin: number
  /** … and at most this share of them was made. */
  shareMax: number
}

/** The most pairs that are told. */
const pairsMax = 1_000

/** Who calls whom less than this, the largest losses first, and how many pairs were too many. Messages are not calls. */
export async function readCeasedCalls(
  store: Store,
  { recent, baseline, rules }: { recent: Windows; baseline: Windows; rules: CeasedCallsRules },
): Promise<{ calls: { caller: string; service: string }[]; leftOut: number }> {
  const answer = await store.clickhouse.query({
    query: `
      SELECT caller, service FROM (
        SELECT caller, service, made, usual * (successes / usualSuccesses) AS due FROM (
          SELECT Caller AS caller, CallerOperation AS operation, Service AS service,
            sumIf(Calls, IsNow) AS made, sumIf(Calls, NOT IsNow) AS usual
          FROM ${comparedRows(`Caller != '' AND Kind NOT IN ('publish', 'async')`)}
          GROUP BY caller, operation, service
        ) AS edges
        INNER JOIN (
          SELECT Service AS caller, Operation AS operation,
            sumIf(toInt64(Calls) - Errors, IsNow) AS successes, sumIf(toInt64(Calls) - Errors, NOT IsNow) AS usualSuccesses
          FROM ${comparedRows(`Kind NOT IN ('peer', 'publish')`)}
          GROUP BY caller, operation
          HAVING successes > 0 AND usualSuccesses >= {baselineCallsMin:Float64}
        ) AS callers USING (caller, operation)
      )
      WHERE due >= {dueMin:Float64} AND made <= due * {shareMax:Float64}
      GROUP BY caller, service ORDER BY max(due - made) DESC, caller, service LIMIT ${pairsMax}`,
    query_params: { ...bindWindows('recent', recent), ...bindWindows('baseline', baseline), ...rules },
    format: 'JSON',
  })
  const { data, rows_before_limit_at_least: all = data.length } = await answer.json<{
    caller: string
    service: string
  }>()
  return { calls: data, leftOut: all - data.length }
}

/** How many calls a success of an operation usually makes to a service. */
export interface UsualCalls {
  caller: string
  callerOperation: string
  service: string
  mean: number
  /** In the minute in which they were fewest; one of them may have begun in the minute before. */
  least: number
}

/** How often operations of the given pairs' callers call the other, where so many minutes with so many successes tell. */
export async function readUsualCalls(
  store: Store,
  {
    usual,
    calls,
    rules,
  }: {
    usual: Windows
    calls: readonly { caller: string; service: string }[]
    rules: { minuteCallsMin: number; minutesMin: number }
  },
): Promise<UsualCalls[]> {
  if (calls.length === 0) return []
  const byMinute = (count: string): string => `sumMap(map(toUnixTimestamp(toStartOfMinute(Window)), toInt64(${count})))`
  const answer = await store.clickhouse.query({
    query: `
      SELECT caller, callerOperation, service,
        arrayFilter((minute, n) -> n >= {minuteCallsMin:Int64}, mapKeys(successes), mapValues(successes)) AS minutes,
        arraySum(minute -> made[minute], minutes) / arraySum(minute -> successes[minute], minutes) AS mean,
        arrayMin(minute -> (made[minute] + 1) / successes[minute], minutes) AS least
      FROM (
        SELECT Caller AS caller, CallerOperation AS callerOperation, Service AS service, ${byMinute('Calls')} AS made
        FROM ${statesIn('usual', `(Caller, Service) IN {pairs:Array(Tuple(String, String))} AND Kind NOT IN ('publish', 'async')`)}
        GROUP BY caller, callerOperation, service
      ) AS edges
      INNER JOIN (
        SELECT Service AS caller, Operation AS callerOperation, ${byMinute('Calls - Errors')} AS successes
        FROM ${statesIn('usual', `Service IN {callers:Array(String)} AND Kind NOT IN ('peer', 'publish')`)}
        GROUP BY caller, callerOperation
      ) AS callers USING (caller, callerOperation)
      WHERE length(minutes) >= {minutesMin:UInt32}
      ORDER BY caller, callerOperation, service`,
    query_params: {
      ...bindWindows('usual', usual),
      ...rules,
      pairs: calls.map(({ caller, service }) => new TupleParam([caller, service])),
      callers: [...new Set(calls.map(({ caller }) => caller))],
    },
    format: 'JSONEachRow',
  })
  return await answer.json<UsualCalls>()
}
