// Runs that went on without a service that was silent or gave no answer, or that an operation no longer calls: behind a circuit
// breaker or a fallback they neither fail nor are slow (docs/decisions/017).
import { TupleParam } from '@clickhouse/client'
import { type BadCall, callsInRange, spillsEarly } from './bad-calls.ts'
import type { Store } from './connect.ts'
import { bindLeftOut, type LeftOutCall, leftOutAnyway, type LeftOutParameters, leftOutRuns } from './left-out-runs.ts'
import { endedInStretches, tracesAround } from './runs-around.ts'
import { latestOf, type TimeRange, type Windows } from './windows.ts'

/** Which of the services `reached` each flow reaches, by their place there. */
const neededByFlow = `(
  SELECT arrayJoin(x.2) AS ReachingFlow, groupArray(x.1) AS Needed
  FROM (SELECT arrayJoin({reaching:Array(Tuple(UInt32, Array(String)))}) AS x)
  GROUP BY ReachingFlow)`

/** Whether a run has reached each of the services `reached`: to put together the lists of all its services takes five times as long. */
function reachedByRun(reached: readonly string[]): string {
  return `maxForEach([${reached.map((_, at) => `has(Services, {reached:Array(String)}[${at + 1}])`).join(', ')}])`
}

/** Runs that went without a service that their flow reaches, or without a call that is left out. */
export function wentWithout({ parameters: { reached, leftOut } }: GoingWithout): string {
  const parts = [...(reached.length > 0 ? [neverReached(reached)] : []), ...(leftOut.length > 0 ? [leftOutRuns] : [])]
  return parts.join(' UNION ALL ')
}

/** Not those whose call to the service was answered: who dies takes along the spans that it had not sent yet. */
function neverReached(reached: readonly string[]): string {
  return `SELECT Run FROM (
      SELECT cityHash64(FlowId) AS Run, argMin(FlowName, StartedAt) AS Flow, ${reachedByRun(reached)} AS Reached
      FROM ${tracesAround} AND FlowName IN {missing:Array(String)}
      GROUP BY Run
    ) AS runs
    INNER JOIN ${neededByFlow} AS needed ON ReachingFlow = Flow
    WHERE arrayExists(at -> NOT Reached[at], Needed)
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
  parameters: LeftOutParameters & {
    reaching: TupleParam[]
    reached: string[]
    /** Flows that reach them, or that leave a call out. */
    missing: string[]
    /** The share of each one's runs that goes without them anyway. */
    missingAnyway: number[]
  }
}

interface Reaching {
  service: string
  flows: string[]
}

/** The parameters of `neededByFlow` and `reachedByRun`. */
function bindReaching(reaching: readonly Reaching[]): Pick<GoingWithout['parameters'], 'reaching' | 'reached'> {
  return {
    reaching: reaching.map(({ flows }, at) => new TupleParam([at + 1, flows])),
    reached: reaching.map(({ service }) => service),
  }
}

/** How many of a flow's runs go without one of those that are asked about, by its place. */
interface Anyway {
  flow: string
  at: number
  share: number
}

/**
 * Which flows reach the services that are silent or give no answer, or make the calls that are left out, and the share of each flow's
 * runs that goes without them anyway. Where some of them are needed by nearly all runs of a flow, those that are not say nothing. A flow
 * without a past is absent.
 */
export async function readGoingWithout(store: Store, badCalls: BadCall[], before: Windows): Promise<GoingWithout> {
  const leftOut = badCalls.filter((call) => call.kind === 'left-out')
  // A service can be both.
  const reaching = [
    ...new Map(
      badCalls.flatMap((call): [string, Reaching][] =>
        call.kind === 'silence' || call.kind === 'unanswered' ? [[call.service, call]] : [],
      ),
    ).values(),
  ]
  const stretches = latestOf(before, beforeMaxMs)
  if (stretches.length === 0) return goingWithout({ reaching: [], leftOut: [] }, new Map())
  const [ofReaching, ofLeftOut] = await Promise.all([
    reaching.length === 0 ? [] : readNeverReachedAnyway(store, reaching, stretches),
    leftOut.length === 0 ? [] : askAnyway(store, leftOutAnyway, { ...bindLeftOut(leftOut) }, stretches),
  ])
  const rows = [...ofReaching, ...ofLeftOut.map((row) => ({ ...row, at: row.at + reaching.length }))]
  const telling = [...Map.groupBy(rows, ({ flow }) => flow).values()].flatMap((ofFlow) => {
    const needed = ofFlow.filter(({ share }) => share <= withoutAnywayMax)
    return needed.length > 0 ? needed : ofFlow
  })
  const told = <Asked extends { flows: string[] }>(asked: readonly Asked[], placesBefore: number): Asked[] =>
    asked.flatMap((one, index) => {
      const flows = telling.filter(({ at }) => at === placesBefore + index + 1).map(({ flow }) => flow)
      return flows.length === 0 ? [] : [{ ...one, flows }]
    })
  return goingWithout(
    { reaching: told(reaching, 0), leftOut: told(leftOut, reaching.length) },
    new Map(
      [...Map.groupBy(telling, ({ flow }) => flow)].map(([flow, of]) => [
        flow,
        1 - of.reduce((product, { share }) => product * (1 - share), 1),
      ]),
    ),
  )
}

async function readNeverReachedAnyway(
  store: Store,
  reaching: readonly Reaching[],
  stretches: readonly TimeRange[],
): Promise<Anyway[]> {
  const bound = bindReaching(reaching)
  const query = `
    SELECT Flow AS flow, at, (sumIf(RunWeight, NOT Reached[at]) + 0.5) / (sum(RunWeight) + 1) AS share
    FROM (
      SELECT argMin(FlowName, StartedAt) AS Flow, ${reachedByRun(bound.reached)} AS Reached, max(Weight) AS RunWeight, max(EndedAt) AS RunEnd
      FROM ${tracesAround} AND FlowName IN {flows:Array(String)}
      GROUP BY cityHash64(FlowId)
    ) AS runs
    INNER JOIN ${neededByFlow} AS needed ON ReachingFlow = Flow
    ARRAY JOIN Needed AS at
    WHERE ${endedInStretches}
    GROUP BY flow, at`
  const flows = [...new Set(reaching.flatMap((one) => one.flows))]
  return await askAnyway(store, query, { ...bound, flows }, stretches)
}

async function askAnyway(
  store: Store,
  query: string,
  parameters: Record<string, unknown>,
  stretches: readonly TimeRange[],
): Promise<Anyway[]> {
  const answer = await store.clickhouse.query({
    query,
    query_params: {
      from: Math.min(...stretches.map(({ fromMs }) => fromMs)),
      to: Math.max(...stretches.map(({ toMs }) => toMs)),
      stretches: stretches.map(({ fromMs, toMs }) => new TupleParam([fromMs, toMs])),
      ...parameters,
    },
    format: 'JSONEachRow',
    clickhouse_settings: spillsEarly,
  })
  return await answer.json<Anyway>()
}

function goingWithout(
  { reaching, leftOut }: { reaching: readonly Reaching[]; leftOut: readonly LeftOutCall[] },
  withoutAnyway: Map<string, number>,
): GoingWithout {
  return {
    isPossible: reaching.length + leftOut.length > 0,
    parameters: {
      ...bindReaching(reaching),
      ...bindLeftOut(leftOut),
      missing: [...withoutAnyway.keys()],
      missingAnyway: [...withoutAnyway.values()],
    },
  }
}
