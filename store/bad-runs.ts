// Runs that went wrong, call by call: what can be asked of them is what would have become of them otherwise. The calls of a run lie
// together in the facts, so some runs cost little, however many there are.
import { TupleParam } from '@clickhouse/client'
import { spillsEarly } from './bad-calls.ts'
import type { Store } from './connect.ts'
import { tracesInRange, type UsualEntry } from './impact.ts'
import type { CallKind } from './tables/facts.ts'
import type { TimeRange } from './windows.ts'

/** A call of a run as it settled last. Services are canonical keys. */
export interface RunCall {
  /** Of the callee's entry, or where no span of a callee came, of the caller's client span. */
  spanId: string
  /** The span that called, where there is one. */
  clientSpanId: string
  kind: CallKind
  caller: string
  callerOperation: string
  service: string
  operation: string
  endMs: number
  durationNs: number
  selfNs: number
  /** Between the caller's client span and the callee's. */
  wireNs: number
  failed: boolean
  originError: boolean
  clientFailed: boolean
}

/** One trace of a run. */
export interface BadRun {
  traceId: string
  /** How many runs it stands for. */
  weight: number
  /** None where it has too many. */
  calls: RunCall[]
}

/** Spans that a run has at most, for its calls to be read. A span is a call at most, or a call that another one replaces. */
const spansMax = 1_000

type RunRow = { traceId: string; weight: number; spans: number; startedMs: number; endedMs: number }

/**
 * Runs that failed or were slow and passed one of `services`, at most so many, chosen by chance: of each asking the same ones. One that
 * settled again and turned out well may be among them.
 */
export async function readBadRuns(
  store: Store,
  {
    fromMs,
    toMs,
    services,
    usualEntries,
    runsMax,
  }: TimeRange & {
    services: readonly string[]
    /** From when on a run of each entry is slow. */
    usualEntries: readonly Pick<UsualEntry, 'service' | 'operation' | 'slowNs'>[]
    runsMax: number
  },
): Promise<BadRun[]> {
  const answer = await store.clickhouse.query({
    query: `
      SELECT TraceId AS traceId, Weight AS weight, Spans AS spans,
        toUnixTimestamp64Milli(StartedAt) AS startedMs, toUnixTimestamp64Milli(EndedAt) AS endedMs
      FROM (
        SELECT TraceId, Weight, Spans, StartedAt, EndedAt, Failed, DurationNs, Tick,
          toString(EntryService) AS EntryService, toString(EntryOperation) AS EntryOperation
        FROM ${tracesInRange} AND hasAny(Services, {services:Array(String)})
      ) AS runs
      LEFT JOIN (
        SELECT x.1 AS EntryService, x.2 AS EntryOperation, x.3 AS SlowNs
        FROM (SELECT arrayJoin({usualEntries:Array(Tuple(String, String, UInt64))}) AS x)
      ) AS entries USING (EntryService, EntryOperation)
      WHERE Failed OR (SlowNs > 0 AND DurationNs > SlowNs)
      -- Who settled twice has two rows, which follow each other.
      ORDER BY cityHash64(TraceId), Tick DESC
      LIMIT {take:UInt32}`,
    query_params: {
      from: fromMs,
      to: toMs,
      services,
      usualEntries: usualEntries.map(
        ({ service, operation, slowNs }) => new TupleParam([service, operation, Math.round(slowNs)]),
      ),
      take: 2 * runsMax,
    },
    format: 'JSONEachRow',
    clickhouse_settings: spillsEarly,
  })
  const runs = new Map<string, RunRow>()
  for (const row of await answer.json<RunRow>()) {
    if (!runs.has(row.traceId) && runs.size < runsMax) runs.set(row.traceId, row)
  }
  const calls = await readCallsOfRuns(
    store,
    [...runs.values()].filter(({ spans }) => spans <= spansMax),
  )
  return [...runs.values()].map(({ traceId, weight }) => ({ traceId, weight, calls: calls.get(traceId) ?? [] }))
}

type CallRow = Omit<RunCall, 'failed' | 'originError' | 'clientFailed'> & {
  traceId: string
  failed: number
  originError: number
  clientFailed: number
}

async function readCallsOfRuns({ clickhouse }: Store, runs: readonly RunRow[]): Promise<Map<string, RunCall[]>> {
  if (runs.length === 0) return new Map()
  const answer = await clickhouse.query({
    query: `
      SELECT TraceId AS traceId, SpanId AS spanId, ClientSpanId AS clientSpanId, Kind AS kind, Caller AS caller,
        CallerOperation AS callerOperation, Service AS service, Operation AS operation, toUnixTimestamp64Milli(Time) AS endMs,
        DurationNs AS durationNs, SelfNs AS selfNs, WireNs AS wireNs, Failed AS failed, OriginError AS originError,
        ClientFailed AS clientFailed
      FROM (
        SELECT * FROM chain_dependency_events
        WHERE TraceId IN {traceIds:Array(String)}
          AND Time >= fromUnixTimestamp64Milli({since:Int64}) AND Time <= fromUnixTimestamp64Milli({until:Int64})
        ORDER BY TraceId, SpanId, Tick DESC LIMIT 1 BY TraceId, SpanId LIMIT {take:UInt32}
      )
      WHERE NOT Deleted`,
    query_params: {
      traceIds: runs.map(({ traceId }) => traceId),
      since: Math.min(...runs.map(({ startedMs }) => startedMs)),
      until: Math.max(...runs.map(({ endedMs }) => endedMs)),
      take: 2 * runs.length * spansMax,
    },
    format: 'JSONEachRow',
    clickhouse_settings: spillsEarly,
  })
  const calls = new Map<string, RunCall[]>()
  for (const { traceId, ...row } of await answer.json<CallRow>()) {
    const call = {
      ...row,
      failed: row.failed === 1,
      originError: row.originError === 1,
      clientFailed: row.clientFailed === 1,
    }
    const known = calls.get(traceId)
    if (known === undefined) calls.set(traceId, [call])
    else known.push(call)
  }
  return calls
}
