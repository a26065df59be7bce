// Whom a cause hits: the runs in which a call went wrong at the cause and whose outcome shows it, and those that went on without it.
import { TupleParam } from '@clickhouse/client'
import type { Store } from './connect.ts'
import { latestOf, type TimeRange, type Windows } from './windows.ts'

/** A kind of call that went wrong at a cause. Services are canonical keys. */
export type BadCall =
  | { kind: 'errors'; service: string; operation: string }
  | { kind: 'latency'; service: string; operation: string; slowNs: number }
  /** A service that gave no answer: hit are runs of its flows that went on without it, too. */
  | { kind: 'unanswered'; service: string; flows: string[] }
  /** A call that spent long between its caller's span and its callee's. */
  | { kind: 'wire'; caller: string; callerOperation: string; service: string; slowNs: number }
  | { kind: 'dependency'; caller: string; callerOperation: string; peer: string; slowNs: number }
  /** A service that took no calls: hit are runs of its flows that never reached it. */
  | { kind: 'silence'; service: string; flows: string[] }

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
}

export interface UserImpact {
  affected: number
  seen: number
}

/** Each condition speaks of a callee, which can be told of a call sooner than the rest. */
const conditions = `(Service IN {accused:Array(String)} AND (
  (OriginError AND (Service, Operation) IN {errors:Array(Tuple(String, String))})
  OR arrayExists(x -> Service = x.1 AND Operation = x.2 AND SelfNs > x.3, {latency:Array(Tuple(String, String, UInt64))})
  OR (Kind = 'sync' AND arrayExists(x -> Caller = x.1 AND CallerOperation = x.2 AND Service = x.3 AND WireNs > x.4, {wire:Array(Tuple(String, String, String, UInt64))}))
  OR (Kind = 'peer' AND ClientFailed AND Service IN {unanswered:Array(String)})
  OR (Kind = 'peer' AND arrayExists(x -> Caller = x.1 AND CallerOperation = x.2 AND Service = x.3 AND (Failed OR DurationNs > x.4), {dependency:Array(Tuple(String, String, String, UInt64))}))))`

const callsInRange = `chain_dependency_events
  WHERE Time >= fromUnixTimestamp64Milli({from:Int64}) AND Time < fromUnixTimestamp64Milli({to:Int64})`

/** Tells calls apart by 64 bits: an hour of a busy fleet has tens of millions, and the two IDs take six times as much. */
const callKey = 'cityHash64(TraceId, SpanId)'

/**
 * The calls of the range that may have gone wrong, each as its trace settled last. Merging all by FINAL would read whole days for
 * it, and sorting all would take gigabytes; what may replace a call has its key.
 */
const badCallsLast = `(
  SELECT * FROM ${callsInRange} AND ${callKey} IN (SELECT ${callKey} FROM ${callsInRange} AND ${conditions})
  ORDER BY Tick DESC LIMIT 1 BY ${callKey})`

/** Of what sorts and groups, from so many bytes on it goes on on disk: other queries need room, too. */
const clickhouse_settings = {
  max_bytes_before_external_sort: '104857600',
  max_bytes_before_external_group_by: '104857600',
} as const

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
const tracesInRange = `chain_execution_traces
  WHERE EndedAt >= fromUnixTimestamp64Milli({from:Int64}) AND EndedAt < fromUnixTimestamp64Milli({to:Int64})
    AND StartedAt >= fromUnixTimestamp64Milli({from:Int64}) - toIntervalDay(1) AND StartedAt < fromUnixTimestamp64Milli({to:Int64})`

/** Runs whose traces end up to so long before or after the range are read for the services that they reached: messages wait. */
const othersWithinMs = 5 * 60_000

const tracesAround = `chain_execution_traces
  WHERE EndedAt >= fromUnixTimestamp64Milli({from:Int64} - ${othersWithinMs}) AND EndedAt < fromUnixTimestamp64Milli({to:Int64} + ${othersWithinMs})
    AND StartedAt >= fromUnixTimestamp64Milli({from:Int64} - ${othersWithinMs}) - toIntervalDay(1)
    AND StartedAt < fromUnixTimestamp64Milli({to:Int64} + ${othersWithinMs})`

/**
 * Runs that never reached a service that their flow reaches. Not those whose call to it was answered: who dies takes along the
 * spans that it had not sent yet.
 */
const wentWithout = `SELECT Run FROM (
    SELECT cityHash64(FlowId) AS Run, argMin(FlowName, StartedAt) AS Flow, groupUniqArrayArray(Services) AS RunServices
    FROM ${tracesAround} AND has({missing:Array(String)}, FlowName)
    GROUP BY Run
  )
  WHERE arrayExists(x -> has(x.2, Flow) AND NOT has(RunServices, x.1), {reaching:Array(Tuple(String, Array(String)))})
    AND Run NOT IN (SELECT cityHash64(FlowId) FROM ${callsInRange} AND Kind = 'peer' AND NOT ClientFailed AND NOT Deleted
      AND Service IN {reached:Array(String)})`

/** A flow of which more runs than this never reach a service anyway does not tell which ones are without it because of a cause. */
const withoutAnywayMax = 0.1

/** The runs of which a row meets a condition, one row each. */
function judgedRuns(condition: string, { isReachingToo }: { isReachingToo: boolean }): string {
  return `(
    SELECT Run, Flow, User, RunWeight, RunEnd, IsBad, BadAnyway, IsOfHitEntry,
      ${isReachingToo ? `Run IN (${wentWithout})` : '0'} AS IsMissed,
      IsBad OR IsMissed AS IsAffected,
      {withoutAnyway:Map(String, Float64)}[Flow] AS WithoutAnyway,
      IsBad OR (IsMissed AND WithoutAnyway <= ${withoutAnywayMax}) AS IsSurelyAffected,
      1 - (1 - BadAnyway) * (1 - WithoutAnyway) AS Usual
    FROM (
      SELECT cityHash64(FlowId) AS Run, argMin(FlowName, StartedAt) AS Flow, max(UserId) AS User,
        max(Failed OR (SlowNs > 0 AND DurationNs > SlowNs)) AS IsBad, max(BadShare) AS BadAnyway, max(Weight) AS RunWeight, max(EndedAt) AS RunEnd,
        max((EntryService, EntryOperation) IN {hitEntries:Array(Tuple(String, String))}) AS IsOfHitEntry
      FROM (
        SELECT FlowId, FlowName, StartedAt, EndedAt, UserId, Failed, DurationNs, Weight, toString(EntryService) AS EntryService, toString(EntryOperation) AS EntryOperation
        FROM ${tracesInRange} AND cityHash64(FlowId) IN (SELECT cityHash64(FlowId) FROM ${tracesInRange} AND (${condition}))
      ) AS traces
      LEFT JOIN (
        SELECT x.1 AS EntryService, x.2 AS EntryOperation, x.3 AS SlowNs, x.4 AS BadShare
        FROM (SELECT arrayJoin({usualEntries:Array(Tuple(String, String, UInt64, Float64))}) AS x)
      ) AS entries USING (EntryService, EntryOperation)
      GROUP BY Run
    ))`
}

/** What is usual is told by the latest runs. */
const beforeMaxMs = 10 * 60_000

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
  const { reaching, withoutAnyway } = await readReaching(store, badCalls, before)
  const isReachingToo = reaching.length > 0
  const parameters = {
    from: fromMs,
    to: toMs,
    ...bind(badCalls),
    reaching: bindReaching(reaching),
    reached: reaching.map(({ service }) => service),
    withoutAnyway,
    missing: [...withoutAnyway.keys()],
    hitEntries: hitEntries.map(({ service, operation }) => new TupleParam([service, operation])),
    usualEntries: usualEntries.map(
      ({ service, operation, slowNs, badShare }) => new TupleParam([service, operation, Math.round(slowNs), badShare]),
    ),
  }
  const badRuns = `SELECT cityHash64(FlowId) FROM ${badCallsLast} WHERE NOT Deleted AND ${conditions}`
  // Most flows are not hit, and their runs need not be put together.
  const concerned = `has({missing:Array(String)}, FlowName)
    OR (EntryService, EntryOperation) IN {hitEntries:Array(Tuple(String, String))} OR cityHash64(FlowId) IN (${badRuns})`
  const hitAnswer = await store.clickhouse.query({
    query: `
      SELECT Flow AS name FROM ${judgedRuns(concerned, { isReachingToo })}
      WHERE IsMissed OR (IsBad AND (IsOfHitEntry OR Run IN (${badRuns})))
      GROUP BY Flow ORDER BY countIf(IsSurelyAffected) DESC, count() DESC, Flow LIMIT ${flowsMax}`,
    query_params: parameters,
    format: 'JSONEachRow',
    clickhouse_settings,
  })
  const hit = await hitAnswer.json<{ name: string }>()
  const names = [...new Set([...flows, ...hit.map(({ name }) => name)])]
  if (names.length === 0) return { flows: [], users: { affected: 0, seen: 0 } }
  const hitRuns = judgedRuns('FlowName IN {hit:Array(String)}', { isReachingToo })
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
      SELECT name, runs, runsAffected, uniqExactIfMerge(Users) OVER () AS users, uniqExactIfMerge(UsersAffected) OVER () AS usersAffected
      FROM (
        SELECT Flow AS name, round(sum(RunWeight)) AS runs,
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
    clickhouse_settings,
  })
  const rows = await answer.json<FlowImpact & { users: number; usersAffected: number }>()
  return {
    flows: rows.map(({ name, runs, runsAffected }) => ({ name, runs, runsAffected })),
    users: { affected: rows[0]?.usersAffected ?? 0, seen: rows[0]?.users ?? 0 },
  }
}

interface Reaching {
  service: string
  flows: string[]
}

const bindReaching = (reaching: Reaching[]): TupleParam[] =>
  reaching.map(({ service, flows }) => new TupleParam([service, flows]))

/**
 * Which flows reach the services that are silent or give no answer, and the share of each flow's runs that goes without
 * them anyway. Where some of them are needed by nearly all runs of a flow, those that are not say nothing. A flow without a past is absent.
 */
async function readReaching(
  store: Store,
  badCalls: BadCall[],
  before: Windows,
): Promise<{ reaching: Reaching[]; withoutAnyway: Map<string, number> }> {
  const asked = badCalls.flatMap((call) =>
    call.kind === 'silence' || call.kind === 'unanswered' ? [{ service: call.service, flows: call.flows }] : [],
  )
  const stretches = latestOf(before, beforeMaxMs)
  if (asked.length === 0 || stretches.length === 0) return { reaching: [], withoutAnyway: new Map() }
  const answer = await store.clickhouse.query({
    query: `
      SELECT Flow AS flow, x.1 AS service, (sumIf(RunWeight, NOT has(RunServices, service)) + 0.5) / (sum(RunWeight) + 1) AS share
      FROM (
        SELECT argMin(FlowName, StartedAt) AS Flow, groupUniqArrayArray(Services) AS RunServices, max(Weight) AS RunWeight, max(EndedAt) AS RunEnd
        FROM ${tracesAround} AND has({flows:Array(String)}, FlowName)
        GROUP BY cityHash64(FlowId)
      )
      ARRAY JOIN {reaching:Array(Tuple(String, Array(String)))} AS x
      WHERE has(x.2, Flow) AND arrayExists(t -> RunEnd >= fromUnixTimestamp64Milli(t.1) AND RunEnd < fromUnixTimestamp64Milli(t.2), {stretches:Array(Tuple(Int64, Int64))})
      GROUP BY flow, service`,
    query_params: {
      from: Math.min(...stretches.map(({ fromMs }) => fromMs)),
      to: Math.max(...stretches.map(({ toMs }) => toMs)),
      stretches: stretches.map(({ fromMs, toMs }) => new TupleParam([fromMs, toMs])),
      reaching: bindReaching(asked),
      flows: [...new Set(asked.flatMap(({ flows }) => flows))],
    },
    format: 'JSONEachRow',
    clickhouse_settings,
  })
  const rows = await answer.json<{ flow: string; service: string; share: number }>()
  const telling = [...Map.groupBy(rows, ({ flow }) => flow).values()].flatMap((services) => {
    const needed = services.filter(({ share }) => share <= withoutAnywayMax)
    return needed.length > 0 ? needed : services
  })
  return {
    reaching: [...Map.groupBy(telling, ({ service }) => service)].map(([service, of]) => ({
      service,
      flows: of.map(({ flow }) => flow),
    })),
    withoutAnyway: new Map(
      [...Map.groupBy(telling, ({ flow }) => flow)].map(([flow, of]) => [
        flow,
        1 - of.reduce((product, { share }) => product * (1 - share), 1),
      ]),
    ),
  }
}

/** Runs of traces that had a bad call, by which of their services call which. */
export interface CallPattern {
  calls: [caller: string, service: string][]
  traces: number
}

/** The most patterns that are read; the most frequent come first. Of more traces than this, so many are looked at, chosen by chance. */
const [patternsMax, tracesMax] = [2_000, 100_000]

/** Who calls whom in the traces with a bad call: through these its effect can spread. */
export async function readBadPatterns(
  store: Store,
  { fromMs, toMs, badCalls }: TimeRange & { badCalls: BadCall[] },
): Promise<CallPattern[]> {
  if (badCalls.length === 0) return []
  const answer = await store.clickhouse.query({
    query: `
      SELECT calls, count() AS traces
      FROM (
        SELECT TraceId, arraySort(groupUniqArrayIf((toString(Caller), toString(Service)), Caller != '' AND Kind != 'publish')) AS calls
        FROM (
          SELECT * FROM ${callsInRange} AND TraceId IN (
            SELECT TraceId FROM ${callsInRange} AND ${conditions} GROUP BY TraceId ORDER BY cityHash64(TraceId) LIMIT ${tracesMax})
          ORDER BY Tick DESC LIMIT 1 BY ${callKey}
        )
        WHERE NOT Deleted
        GROUP BY TraceId
        HAVING countIf(${conditions}) > 0
      )
      GROUP BY calls ORDER BY traces DESC, calls LIMIT ${patternsMax}`,
    query_params: { from: fromMs, to: toMs, ...bind(badCalls) },
    format: 'JSONEachRow',
    clickhouse_settings,
  })
  return await answer.json<CallPattern>()
}

/**
 * How bad calls of a cause differ from good ones: counts by version and instance, and what the errors say. A call that was
 * sampled counts as those that it stands for.
 */
export interface Breakdown {
  version: string
  instance: string
  calls: number
  bad: number
}

export async function readBreakdown(
  store: Store,
  { fromMs, toMs, badCalls }: TimeRange & { badCalls: BadCall[] },
): Promise<Breakdown[]> {
  const places = badCalls.flatMap((call) =>
    call.kind === 'errors' || call.kind === 'latency' ? [new TupleParam([call.service, call.operation])] : [],
  )
  if (places.length === 0) return []
  const answer = await store.clickhouse.query({
    query: `SELECT Version AS version, Instance AS instance, toUInt64(sum(Weight)) AS calls, toUInt64(sumIf(Weight, ${conditions})) AS bad
            FROM (
              -- A call that its callee has answered is replaced by none of another callee.
              SELECT * FROM ${callsInRange} AND Service IN {accused:Array(String)}
                AND Kind IN ('entry', 'sync', 'async') AND (Service, Operation) IN {places:Array(Tuple(String, String))}
              ORDER BY Tick DESC LIMIT 1 BY ${callKey}
            )
            WHERE NOT Deleted
            GROUP BY version, instance ORDER BY calls DESC LIMIT 200`,
    query_params: { from: fromMs, to: toMs, places, ...bind(badCalls) },
    format: 'JSONEachRow',
    clickhouse_settings,
  })
  return await answer.json<Breakdown>()
}

/** What bad calls say most often. */
export interface FrequentError {
  errorType: string
  message: string
  calls: number
}

export async function readFrequentErrors(
  store: Store,
  { fromMs, toMs, badCalls }: TimeRange & { badCalls: BadCall[] },
): Promise<FrequentError[]> {
  const answer = await store.clickhouse.query({
    query: `SELECT ErrorType AS errorType, Message AS message, toUInt64(sum(Weight)) AS calls
            FROM ${badCallsLast}
            WHERE NOT Deleted AND ${conditions} AND (ErrorType != '' OR Message != '')
            GROUP BY errorType, message ORDER BY calls DESC, message LIMIT 3`,
    query_params: { from: fromMs, to: toMs, ...bind(badCalls) },
    format: 'JSONEachRow',
    clickhouse_settings,
  })
  return await answer.json<FrequentError>()
}

function bind(badCalls: BadCall[]): Record<string, unknown> {
  const parameters: Record<'errors' | 'latency' | 'wire' | 'dependency', TupleParam[]> &
    Record<'unanswered' | 'accused', string[]> = {
    errors: [],
    latency: [],
    wire: [],
    dependency: [],
    unanswered: [],
    accused: [],
  }
  for (const call of badCalls) {
    parameters.accused.push(call.kind === 'dependency' ? call.peer : call.service)
    switch (call.kind) {
      case 'errors':
        parameters.errors.push(new TupleParam([call.service, call.operation]))
        break
      case 'latency':
        parameters.latency.push(new TupleParam([call.service, call.operation, Math.round(call.slowNs)]))
        break
      case 'wire':
        parameters.wire.push(new TupleParam([call.caller, call.callerOperation, call.service, Math.round(call.slowNs)]))
        break
      case 'unanswered':
        parameters.unanswered.push(call.service)
        break
      case 'dependency':
        parameters.dependency.push(
          new TupleParam([call.caller, call.callerOperation, call.peer, Math.round(call.slowNs)]),
        )
        break
      case 'silence':
        break
    }
  }
  return parameters
}
