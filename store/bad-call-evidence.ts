// What the calls that went wrong at a cause say: where their effect spreads, what tells them from good ones, what their errors are.
import { TupleParam } from '@clickhouse/client'
import { type BadCall, bindBadCalls, callKey, callsInRange, conditionsOf, spillsEarly } from './bad-calls.ts'
import type { Store } from './connect.ts'
import type { TimeRange } from './windows.ts'

type AboutBadCalls = TimeRange & { badCalls: BadCall[] }

/** Runs of traces that had a bad call, by which of their services call which. */
export interface CallPattern {
  calls: [caller: string, service: string][]
  traces: number
}

/** The most patterns that are read; the most frequent come first. Of more traces than this, so many are looked at, chosen by chance. */
const [patternsMax, tracesMax] = [2_000, 100_000]

/** Who calls whom in the traces with a bad call: through these its effect can spread. */
export async function readBadPatterns(store: Store, asked: AboutBadCalls): Promise<CallPattern[]> {
  const { badCalls } = asked
  if (badCalls.length === 0) return []
  return await ask<CallPattern>(
    store,
    `
      SELECT calls, count() AS traces
      FROM (
        SELECT TraceId, arraySort(groupUniqArrayIf((toString(Caller), toString(Service)), Caller != '' AND Kind != 'publish')) AS calls
        FROM (
          SELECT * FROM ${callsInRange} AND TraceId IN (
            SELECT TraceId FROM ${callsInRange} AND ${conditionsOf(badCalls)} GROUP BY TraceId ORDER BY cityHash64(TraceId) LIMIT ${tracesMax})
          ORDER BY Tick DESC LIMIT 1 BY ${callKey}
        )
        WHERE NOT Deleted
        GROUP BY TraceId
        HAVING countIf(${conditionsOf(badCalls)}) > 0
      )
      GROUP BY calls ORDER BY traces DESC, calls LIMIT ${patternsMax}`,
    asked,
  )
}

/**
 * How bad calls of a cause differ from good ones: counts by version and instance, by who called and in which flow. A call that was
 * sampled counts as those that it stands for.
 */
export interface Breakdown {
  version: string
  instance: string
  /** Canonical key of a service; empty where nobody of ours called. */
  caller: string
  flow: string
  calls: number
  bad: number
  /** Calls that were kept, each counted once. */
  kept: number
}

/** Rows that are read at most: those with most calls. */
const breakdownMax = 2_000

export async function readBreakdown(store: Store, asked: AboutBadCalls): Promise<Breakdown[]> {
  const { badCalls } = asked
  const places = badCalls.flatMap((call) =>
    call.kind === 'errors' || call.kind === 'latency' ? [new TupleParam([call.service, call.operation])] : [],
  )
  if (places.length === 0) return []
  return await ask<Breakdown>(
    store,
    `SELECT Version AS version, Instance AS instance, Caller AS caller, FlowName AS flow,
              toUInt64(sum(Weight)) AS calls, toUInt64(sumIf(Weight, ${conditionsOf(badCalls)})) AS bad, count() AS kept
            FROM (
              -- A call that its callee has answered is replaced by none of another callee.
              SELECT * FROM ${callsInRange} AND Service IN {accused:Array(String)}
                AND Kind IN ('entry', 'sync', 'async') AND (Service, Operation) IN {places:Array(Tuple(String, String))}
              ORDER BY Tick DESC LIMIT 1 BY ${callKey}
            )
            WHERE NOT Deleted
            GROUP BY version, instance, caller, flow ORDER BY calls DESC, version, instance, caller, flow LIMIT ${breakdownMax}`,
    asked,
    { places },
  )
}

/** What bad calls say most often, by rows of calls: one that settled again says it twice, which saves to read the IDs of all. */
export interface FrequentError {
  errorType: string
  message: string
  calls: number
}

export async function readFrequentErrors(store: Store, asked: AboutBadCalls): Promise<FrequentError[]> {
  const { badCalls } = asked
  return await ask<FrequentError>(
    store,
    `SELECT ErrorType AS errorType, Message AS message, toUInt64(sum(Weight)) AS calls
            FROM ${callsInRange} AND NOT Deleted AND ${conditionsOf(badCalls)} AND (ErrorType != '' OR Message != '')
            GROUP BY errorType, message ORDER BY calls DESC, message LIMIT 3`,
    asked,
  )
}

async function ask<Row>(
  { clickhouse }: Store,
  query: string,
  { fromMs, toMs, badCalls }: AboutBadCalls,
  more: Record<string, unknown> = {},
): Promise<Row[]> {
  const answer = await clickhouse.query({
    query,
    query_params: { from: fromMs, to: toMs, ...more, ...bindBadCalls(badCalls) },
    format: 'JSONEachRow',
    clickhouse_settings: spillsEarly,
  })
  return await answer.json<Row>()
}
