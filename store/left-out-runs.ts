// Runs in which an operation succeeded without a call that it usually makes. Told by the calls themselves: others may call the same
// service in the same run, and it need not send spans.
import { TupleParam } from '@clickhouse/client'
import { callsAround, endedInStretches, tracesAround } from './runs-around.ts'

/** A call that is left out, in some flows. */
export interface LeftOutCall {
  caller: string
  callerOperation: string
  service: string
  flows: string[]
}

const leftOut = '{leftOut:Array(Tuple(String, String, String, Array(String)))}'

/** How often, in each run around the range, each operation that leaves a call out succeeded, and made the call. */
const cameAndMade = `(
  SELECT cityHash64(FlowId) AS Run, toString(any(FlowName)) AS CallFlow,
    sumForEach(arrayMap(x -> Service = x.1 AND Operation = x.2 AND Kind NOT IN ('peer', 'publish') AND NOT Failed AND NOT Deleted, ${leftOut})) AS Came,
    sumForEach(arrayMap(x -> Caller = x.1 AND CallerOperation = x.2 AND Service = x.3, ${leftOut})) AS Made
  FROM ${callsAround} AND FlowName IN {leftOutFlows:Array(String)}
    AND ((Service, Operation) IN {leaving:Array(Tuple(String, String))} OR (Caller, CallerOperation) IN {leaving:Array(Tuple(String, String))})
  GROUP BY Run)`

/** Runs without such a call, of the flows in which it is left out. */
export const leftOutRuns = `SELECT Run FROM ${cameAndMade}
  WHERE arrayExists((x, came, made) -> came > 0 AND made = 0 AND has(x.4, CallFlow), ${leftOut}, Came, Made)`

/** The share of each flow's runs that is without each of the calls, by its place from 1 on, in some stretches of a range. */
export const leftOutAnyway = `
  SELECT Flow AS flow, at, (sumIf(RunWeight, Lacks[at]) + 0.5) / (sum(RunWeight) + 1) AS share
  FROM (
    SELECT cityHash64(FlowId) AS Run, toString(argMin(FlowName, StartedAt)) AS Flow, max(Weight) AS RunWeight, max(EndedAt) AS RunEnd
    FROM ${tracesAround} AND FlowName IN {leftOutFlows:Array(String)}
    GROUP BY Run
  ) AS runs
  LEFT JOIN (
    SELECT Run, arrayMap((came, made) -> came > 0 AND made = 0, Came, Made) AS Lacks FROM ${cameAndMade}
  ) AS lacking USING (Run)
  ARRAY JOIN arrayEnumerate(${leftOut}) AS at
  WHERE has(tupleElement(arrayElement(${leftOut}, at), 4), Flow) AND ${endedInStretches}
  GROUP BY flow, at`

/** What these ask for. */
export interface LeftOutParameters {
  leftOut: TupleParam[]
  leaving: TupleParam[]
  leftOutFlows: string[]
}

/** The parameters of both. */
export function bindLeftOut(calls: readonly LeftOutCall[]): LeftOutParameters {
  return {
    leftOut: calls.map(
      ({ caller, callerOperation, service, flows }) => new TupleParam([caller, callerOperation, service, flows]),
    ),
    leaving: calls.map(({ caller, callerOperation }) => new TupleParam([caller, callerOperation])),
    leftOutFlows: [...new Set(calls.flatMap(({ flows }) => flows))],
  }
}
