// Calls that went wrong at a cause: how they are told from others, in ClickHouse's words.
import { TupleParam } from '@clickhouse/client'

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
  /** A service that an operation of another one no longer calls, whether it sends spans or not: hit are runs in which that succeeded without. */
  | { kind: 'left-out'; service: string; caller: string; callerOperation: string; flows: string[] }

/** The conditions of each kind. What is silent has no calls. */
const conditionOf: Record<Exclude<BadCall['kind'], 'silence' | 'left-out'>, string> = {
  errors: 'OriginError AND (Service, Operation) IN {errors:Array(Tuple(String, String))}',
  latency:
    'arrayExists(x -> Service = x.1 AND Operation = x.2 AND SelfNs > x.3, {latency:Array(Tuple(String, String, UInt64))})',
  wire: `Kind = 'sync' AND arrayExists(x -> Caller = x.1 AND CallerOperation = x.2 AND Service = x.3 AND WireNs > x.4, {wire:Array(Tuple(String, String, String, UInt64))})`,
  unanswered: `Kind = 'peer' AND ClientFailed AND Service IN {unanswered:Array(String)}`,
  dependency: `Kind = 'peer' AND arrayExists(x -> Caller = x.1 AND CallerOperation = x.2 AND Service = x.3 AND (Failed OR DurationNs > x.4), {dependency:Array(Tuple(String, String, String, UInt64))})`,
}

/**
 * Tells bad calls from others. Only the kinds that are asked for are in it: each reads columns of all calls. All of them speak of a
 * callee, which can be told of a call sooner than the rest.
 */
export function conditionsOf(badCalls: readonly BadCall[]): string {
  const kinds = new Set(badCalls.flatMap(({ kind }) => (kind === 'silence' || kind === 'left-out' ? [] : [kind])))
  if (kinds.size === 0) return '0'
  const any = [...kinds].map((kind) => `(${conditionOf[kind]})`).join(' OR ')
  return `(Service IN {accused:Array(String)} AND (${any}))`
}

/** Calls that ended in the range. */
export const callsInRange = `chain_dependency_events
  WHERE Time >= fromUnixTimestamp64Milli({from:Int64}) AND Time < fromUnixTimestamp64Milli({to:Int64})`

/** Tells calls apart by 64 bits: an hour of a busy fleet has tens of millions, and the two IDs take six times as much. */
export const callKey = 'cityHash64(TraceId, SpanId)'

/**
 * The calls of the range that may have gone wrong, each as its trace settled last, and some others. Merging all by FINAL would read
 * whole days for it, and sorting all would take gigabytes; what may replace a call has its key. Most of what is read are IDs, so it
 * is looked for by the shorter one.
 */
export function badCallsLast(badCalls: readonly BadCall[]): string {
  return `(
  SELECT * FROM ${callsInRange} AND cityHash64(SpanId) IN (SELECT cityHash64(SpanId) FROM ${callsInRange} AND ${conditionsOf(badCalls)})
  ORDER BY Tick DESC LIMIT 1 BY ${callKey})`
}

/** Of what sorts and groups, from so many bytes on it goes on on disk: other queries need room, too. */
export const spillsEarly = {
  max_bytes_before_external_sort: '104857600',
  max_bytes_before_external_group_by: '104857600',
} as const

/** The values of `conditionsOf`. */
export function bindBadCalls(badCalls: BadCall[]): Record<string, unknown> {
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
      case 'left-out':
        break
    }
  }
  return parameters
}
