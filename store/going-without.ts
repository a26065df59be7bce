// Runs that went on without a service that was silent or gave no answer: behind a circuit breaker or a fallback they neither fail
// nor are slow (docs/decisions/017).
import { TupleParam } from '@clickhouse/client'
import { type BadCall, callsInRange, spillsEarly } from './bad-calls.ts'
import type { Store } from './connect.ts'
import { latestOf, type Windows } from './windows.ts'

/** Runs whose traces end up to so long before or after the range are read for the services that they reached: messages wait. */
const othersWithinMs = 5 * 60_000

const tracesAround = `chain_execution_traces
  WHERE EndedAt >= fromUnixTimestamp64Milli({from:Int64} - ${othersWithinMs}) AND EndedAt < fromUnixTimestamp64Milli({to:Int64} + ${othersWithinMs})
    AND StartedAt >= fromUnixTimestamp64Milli({from:Int64} - ${othersWithinMs}) - toIntervalDay(1)
    AND StartedAt < fromUnixTimestamp64Milli({to:Int64} + ${othersWithinMs})`

/** Which of the services `reached` each flow reaches, by their place there. */
const neededByFlow = `(
  SELECT arrayJoin(x.2) AS ReachingFlow, groupArray(x.1) AS Needed
  FROM (SELECT arrayJoin({reaching:Array(Tuple(UInt32, Array(String)))}) AS x)
  GROUP BY ReachingFlow)`

/**
 * Whether a run has reached each of the services `reached`, and after these each of `callers`: to put together the lists of all its
 * services takes five times as long.
 */
function reachedByRun(reached: readonly string[]): string {
  const has = (names: string): string[] => reached.map((_, at) => `has(Services, {${names}:Array(String)}[${at + 1}])`)
  return `maxForEach([${[...has('reached'), ...has('callers')].join(', ')}])`
}

/** Whether a run never reached the service at a place, though it came to who calls that, where somebody is told. */
const isWithout = `NOT Reached[at] AND ({callers:Array(String)}[at] = '' OR Reached[length({reached:Array(String)}) + at])`

/**
 * Runs that never reached a service that their flow reaches. Not those whose call to it was answered: who dies takes along the
 * spans that it had not sent yet.
 */
export function wentWithout({ parameters: { reached } }: GoingWithout): string {
  return `SELECT Run FROM (
      SELECT cityHash64(FlowId) AS Run, argMin(FlowName, StartedAt) AS Flow, ${reachedByRun(reached)} AS Reached
      FROM ${tracesAround} AND FlowName IN {missing:Array(String)}
      GROUP BY Run
    ) AS runs
    INNER JOIN ${neededByFlow} AS needed ON ReachingFlow = Flow
    WHERE arrayExists(at -> ${isWithout}, Needed)
      AND Run NOT IN (SELECT cityHash64(FlowId) FROM ${callsInRange} AND Kind = 'peer' AND NOT ClientFailed AND NOT Deleted
        AND Service IN {reached:Array(String)})`
}

/** A flow of which more runs than this never reach a service anyway does not tell which ones are without it because of a cause. */
export const withoutAnywayMax = 0.1

/** What is usual is told by the latest runs. */
const beforeMaxMs = 10 * 60_000

/** What `wentWithout` has to know. */
export interface GoingWithout {
  /** Whether there is any service that runs could have gone without. */
  isPossible: boolean
  parameters: {
    reaching: TupleParam[]
    reached: string[]
    /** Whose calls to them are left out; empty where nobody reaches them. */
    callers: string[]
    /** Flows that reach them. */
    missing: string[]
    /** The share of each one's runs that goes without them anyway. */
    missingAnyway: number[]
  }
}

interface Reaching {
  service: string
  caller: string
  flows: string[]
}

/** The parameters of `neededByFlow` and `reachedByRun`. */
function bindReaching(reaching: Reaching[]): Pick<GoingWithout['parameters'], 'reaching' | 'reached' | 'callers'> {
  return {
    reaching: reaching.map(({ flows }, at) => new TupleParam([at + 1, flows])),
    reached: reaching.map(({ service }) => service),
    callers: reaching.map(({ caller }) => caller),
  }
}

/**
 * Which flows reach the services that are silent or give no answer, and the share of each flow's runs that goes without
 * them anyway. Where some of them are needed by nearly all runs of a flow, those that are not say nothing. A flow without a past is absent.
 */
export async function readGoingWithout(store: Store, badCalls: BadCall[], before: Windows): Promise<GoingWithout> {
  // A service can be both.
  const asked = [
    ...new Map(
      badCalls.flatMap((call): [string, Reaching][] => {
        if (call.kind !== 'silence' && call.kind !== 'unanswered' && call.kind !== 'left-out') return []
        const { service, flows } = call
        const caller = call.kind === 'left-out' ? call.caller : ''
        return [[JSON.stringify([service, caller]), { service, caller, flows }]]
      }),
    ).values(),
  ]
  const bound = bindReaching(asked)
  const stretches = latestOf(before, beforeMaxMs)
  if (asked.length === 0 || stretches.length === 0) return goingWithout([], new Map())
  const answer = await store.clickhouse.query({
    query: `
      SELECT Flow AS flow, at, (sumIf(RunWeight, ${isWithout}) + 0.5) / (sum(RunWeight) + 1) AS share
      FROM (
        SELECT argMin(FlowName, StartedAt) AS Flow, ${reachedByRun(bound.reached)} AS Reached, max(Weight) AS RunWeight, max(EndedAt) AS RunEnd
        FROM ${tracesAround} AND FlowName IN {flows:Array(String)}
        GROUP BY cityHash64(FlowId)
      ) AS runs
      INNER JOIN ${neededByFlow} AS needed ON ReachingFlow = Flow
      ARRAY JOIN Needed AS at
      WHERE arrayExists(t -> RunEnd >= fromUnixTimestamp64Milli(t.1) AND RunEnd < fromUnixTimestamp64Milli(t.2), {stretches:Array(Tuple(Int64, Int64))})
      GROUP BY flow, at`,
    query_params: {
      from: Math.min(...stretches.map(({ fromMs }) => fromMs)),
      to: Math.max(...stretches.map(({ toMs }) => toMs)),
      stretches: stretches.map(({ fromMs, toMs }) => new TupleParam([fromMs, toMs])),
      ...bound,
      flows: [...new Set(asked.flatMap(({ flows }) => flows))],
    },
    format: 'JSONEachRow',
    clickhouse_settings: spillsEarly,
  })
  const rows = await answer.json<{ flow: string; at: number; share: number }>()
  const telling = [...Map.groupBy(rows, ({ flow }) => flow).values()].flatMap((services) => {
    const needed = services.filter(({ share }) => share <= withoutAnywayMax)
    return needed.length > 0 ? needed : services
  })
  return goingWithout(
    asked.flatMap((reaching, index) => {
      const flows = telling.filter(({ at }) => at === index + 1).map(({ flow }) => flow)
      return flows.length === 0 ? [] : [{ ...reaching, flows }]
    }),
    new Map(
      [...Map.groupBy(telling, ({ flow }) => flow)].map(([flow, of]) => [
        flow,
        1 - of.reduce((product, { share }) => product * (1 - share), 1),
      ]),
    ),
  )
}

function goingWithout(reaching: Reaching[], withoutAnyway: Map<string, number>): GoingWithout {
  return {
    isPossible: reaching.length > 0,
    parameters: {
      ...bindReaching(reaching),
      missing: [...withoutAnyway.keys()],
      missingAnyway: [...withoutAnyway.values()],
    },
  }
}
