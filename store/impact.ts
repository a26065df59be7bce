// Whom a cause hits: the runs in which a call went wrong at the cause and whose outcome shows it, and those that went on without it.
import { TupleParam } from '@clickhouse/client'
import { type BadCall, badCallsLast, bindBadCalls, conditionsOf, spillsEarly } from './bad-calls.ts'
import type { Store } from './connect.ts'
import { type GoingWithout, readGoingWithout, wentWithout, withoutAnywayMax } from './going-without.ts'
import type { TimeRange, Windows } from './windows.ts'

/**
 * How an entry usually is: above which duration a run counts as slow (0: none does), and which share of runs fails or is slow
 * without any cause.
 */
export interface UsualEntry {
  service: string
  operation: string
  slowNs: number
  badShare: number
}

export interface FlowImpact {
  name: string
  runs: number
  /** Beyond those that fail, are slow or go without the cause anyway, so not always a whole number. */
  runsAffected: number
  /**
   * How many runs of equal weight would tell as much, where some stand for others: at most `runs` (Kish 1965, Survey Sampling,
   * effective sample size).
   */
  counted: number
}

export interface UserImpact {
  affected: number
  seen: number
}

/**
 * Shares are told of the time in which runs went wrong: an onset is known to ten seconds only, and what has passed is told for a
 * while. Where some go wrong anyway, the first and the last hundredth of those that did may be such.
 */
const [hitFrom, hitUntil] = [0.01, 0.99]

/** A flow is hit when its bad runs are so many standard deviations more than those that go wrong anyway. */
const beyondChance = 2

/**
 * Rows of runs that ended in the range. Days are told apart by when runs began: one that took longer than a day is not told.
 */
export const tracesInRange = `chain_execution_traces
  WHERE EndedAt >= fromUnixTimestamp64Milli({from:Int64}) AND EndedAt < fromUnixTimestamp64Milli({to:Int64})
    AND StartedAt >= fromUnixTimestamp64Milli({from:Int64}) - toIntervalDay(1) AND StartedAt < fromUnixTimestamp64Milli({to:Int64})`

/** The runs of which a row meets a condition, one row each. `badRuns` are those with a bad call, where it is asked which have one. */
function judgedRuns(condition: string, without: GoingWithout, badRuns?: string): string {
  return `(
    SELECT Run, Flow, User, RunWeight, RunEnd, IsBad, BadAnyway, IsOfHitEntry, HasBadCall,
      ${without.isPossible ? `Run IN (${wentWithout(without)})` : '0'} AS IsMissed,
      IsBad OR IsMissed AS IsAffected,
      transform(toString(Flow), {missing:Array(String)}, {missingAnyway:Array(Float64)}, 0) AS WithoutAnyway,
      IsBad OR (IsMissed AND WithoutAnyway <= ${withoutAnywayMax}) AS IsSurelyAffected,
      1 - (1 - BadAnyway) * (1 - WithoutAnyway) AS Usual
    FROM (
      SELECT cityHash64(FlowId) AS Run, argMin(FlowName, StartedAt) AS Flow, max(UserId) AS User,
        max(Failed OR (SlowNs > 0 AND DurationNs > SlowNs)) AS IsBad, max(BadShare) AS BadAnyway, max(Weight) AS RunWeight, max(EndedAt) AS RunEnd,
        max((EntryService, EntryOperation) IN {hitEntries:Array(Tuple(String, String))}) AS IsOfHitEntry, max(IsOfBadRun) AS HasBadCall
      FROM (
        SELECT FlowId, FlowName, StartedAt, EndedAt, UserId, Failed, DurationNs, Weight, IsOfBadRun,
          toString(EntryService) AS EntryService, toString(EntryOperation) AS EntryOperation
        FROM (SELECT * FROM ${tracesInRange}) AS known
        INNER JOIN (
          SELECT cityHash64(FlowId) AS ConcernedRun, max(IsOfBad) AS IsOfBadRun
          FROM (
            SELECT FlowId, ${badRuns === undefined ? '0' : `cityHash64(FlowId) IN (${badRuns})`} AS IsOfBad
            FROM ${tracesInRange} AND (${condition})
          )
          GROUP BY ConcernedRun
        ) AS concerned ON cityHash64(FlowId) = ConcernedRun
      ) AS traces
      LEFT JOIN (
        SELECT x.1 AS EntryService, x.2 AS EntryOperation, x.3 AS SlowNs, x.4 AS BadShare
        FROM (SELECT arrayJoin({usualEntries:Array(Tuple(String, String, UInt64, Float64))}) AS x)
      ) AS entries USING (EntryService, EntryOperation)
      GROUP BY Run
    ))`
}

/** The most flows whose runs are looked at, and the most that are told; those with most runs that the cause hit come first. */
const [flowsMax, flowsToldMax] = [5_000, 200]

/**
 * Flows and users hit since the onset, from the first to the last of what hits them. A flow is hit when a run of it in which a
 * call went wrong at the cause failed or was slow, when a run that began at one of `hitEntries` did, or when it is one of `flows`,
 * and more of its runs go wrong than chance makes of those that do so anyway. All of its runs that failed or were slow are
 * counted: a cause also hits runs that queue behind its bad calls, and a run that passed it may fail for its own reasons. Those that
 * do so anyway are taken off by Abbott's formula (Journal of Economic Entomology 18, 1925), since they are hit as often as
 * others. Who gave no answer, or was not even asked, also hits runs that went on without it, whatever they answered: beyond those
 * that did so before. A run that was sampled counts as those that it stands for.
 */
export async function readImpact(
  store: Store,
  {
    fromMs,
    toMs,
    before,
    badCalls,
    usualEntries,
    hitEntries = [],
    flows = [],
  }: TimeRange & {
    /** When nothing was wrong. */
    before: Windows
    badCalls: BadCall[]
    usualEntries: UsualEntry[]
    hitEntries?: { service: string; operation: string }[]
    flows?: string[]
  },
): Promise<{ flows: FlowImpact[]; users: UserImpact }> {
  const without = await readGoingWithout(store, badCalls, before)
  const parameters = {
    from: fromMs,
    to: toMs,
    ...bindBadCalls(badCalls),
    ...without.parameters,
    hitEntries: hitEntries.map(({ service, operation }) => new TupleParam([service, operation])),
    usualEntries: usualEntries.map(
      ({ service, operation, slowNs, badShare }) => new TupleParam([service, operation, Math.round(slowNs), badShare]),
    ),
  }
  const badRuns = `SELECT cityHash64(FlowId) FROM ${badCallsLast(badCalls)} WHERE NOT Deleted AND ${conditionsOf(badCalls)}`
  // Most flows are not hit, and their runs need not be put together.
  const concerned = `FlowName IN {missing:Array(String)}
    OR (EntryService, EntryOperation) IN {hitEntries:Array(Tuple(String, String))} OR IsOfBad`
  const hitAnswer = await store.clickhouse.query({
    query: `
      SELECT Flow AS name FROM ${judgedRuns(concerned, without, badRuns)}
      WHERE IsMissed OR (IsBad AND (IsOfHitEntry OR HasBadCall))
      GROUP BY Flow ORDER BY countIf(IsSurelyAffected) DESC, count() DESC, Flow LIMIT ${flowsMax}`,
    query_params: parameters,
    format: 'JSONEachRow',
    // The key is not in the order of hashes, and to try it finds the bad calls once more.
    clickhouse_settings: { ...spillsEarly, use_index_for_in_with_subqueries: 0 },
  })
  const hit = await hitAnswer.json<{ name: string }>()
  const names = [...new Set([...flows, ...hit.map(({ name }) => name)])]
  if (names.length === 0) return { flows: [], users: { affected: 0, seen: 0 } }
  const hitRuns = judgedRuns('FlowName IN {hit:Array(String)}', without)
  const answer = await store.clickhouse.query({
    query: `
      WITH
        (
          SELECT multiIf(
            countIf(IsSurelyAffected) = 0, quantilesExactIf(${hitFrom}, ${hitUntil})(RunEnd, IsAffected),
            sumIf(RunWeight * Usual, WithoutAnyway <= ${withoutAnywayMax}) < 0.5, [minIf(RunEnd, IsSurelyAffected), maxIf(RunEnd, IsSurelyAffected)],
            quantilesExactIf(${hitFrom}, ${hitUntil})(RunEnd, IsSurelyAffected))
          FROM ${hitRuns} WHERE Flow IN {hit:Array(String)}
        ) AS hitting
      SELECT name, runs, runsAffected, counted, uniqExactIfMerge(Users) OVER () AS users, uniqExactIfMerge(UsersAffected) OVER () AS usersAffected
      FROM (
        SELECT Flow AS name, round(sum(RunWeight)) AS runs,
          round(pow(sum(RunWeight), 2) / sum(RunWeight * RunWeight)) AS counted,
          sumIf(RunWeight, IsAffected) AS Affected, sum(RunWeight * Usual) AS Anyway,
          -- Who fails anyway is hit as often as others; who goes without the cause anyway is not.
          sum(RunWeight * BadAnyway) AS BadAnywayRuns,
          if(BadAnywayRuns < sum(RunWeight),
            greatest(0, least(Affected, (Affected - Anyway) / (1 - BadAnywayRuns / sum(RunWeight)))), 0) AS runsAffected,
          uniqExactIfState(User, User != '') AS Users,
          uniqExactIfState(User, User != '' AND IsSurelyAffected) AS UsersAffected
        FROM ${hitRuns}
        WHERE Flow IN {hit:Array(String)} AND RunEnd >= hitting[1] AND RunEnd <= hitting[2]
        GROUP BY Flow
        HAVING runsAffected >= 0.5 AND Affected - Anyway > ${beyondChance} * sqrt(sum(RunWeight * RunWeight * Usual * (1 - Usual)))
      )
      ORDER BY runsAffected DESC, name LIMIT ${flowsToldMax}`,
    query_params: { ...parameters, hit: names },
    format: 'JSONEachRow',
    clickhouse_settings: spillsEarly,
  })
  const rows = await answer.json<FlowImpact & { users: number; usersAffected: number }>()
  return {
    flows: rows.map(({ name, runs, runsAffected, counted }) => ({ name, runs, runsAffected, counted })),
    users: { affected: rows[0]?.usersAffected ?? 0, seen: rows[0]?.users ?? 0 },
  }
}
