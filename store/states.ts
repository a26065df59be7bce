import { TupleParam } from '@clickhouse/client'
import type { ClickHouseClient } from './clickhouse.ts'
import type { Store } from './connect.ts'
import type { CallKind } from './tables/facts.ts'

/** Counts and histograms of one kind of call over some time. Histograms: bucket ⌊ln(ns + 1) / ln 1.05⌋ → calls. */
export interface CallState {
  service: string
  operation: string
  kind: CallKind
  caller: string
  callerOperation: string
  flowName: string
  version: string
  calls: number
  errors: number
  originErrors: number
  clientErrors: number
  durationNs: number
  selfNs: number
  wireNs: number
  duration: Record<string, number>
  self: Record<string, number>
}

export interface TimeRange {
  fromMs: number
  toMs: number
}

const columns = `
  Service AS service, Operation AS operation, Kind AS kind, Caller AS caller, CallerOperation AS callerOperation,
  FlowName AS flowName, Version AS version, sum(Calls) AS calls, sum(Errors) AS errors, sum(OriginErrors) AS originErrors,
  sum(ClientErrors) AS clientErrors, sum(DurationNs) AS durationNs, sum(SelfNs) AS selfNs, sum(WireNs) AS wireNs,
  sumMap(Duration) AS duration, sumMap(Self) AS self`
const key = 'service, operation, kind, caller, callerOperation, flowName, version'

/** The most series that an analysis takes; the busiest come first. */
const seriesMax = 50_000

/** States over whole ten-second windows of the last hour. */
export async function readRecentStates(store: Store, { fromMs, toMs }: TimeRange): Promise<CallState[]> {
  return await read(store.clickhouse, {
    query: `SELECT ${columns} FROM chain_health_metrics_10s
            WHERE Window >= {from:DateTime} AND Window < {to:DateTime}
            GROUP BY ${key} ORDER BY calls DESC LIMIT ${seriesMax}`,
    fromMs,
    toMs,
    excluded: [],
  })
}

/** States over whole minutes, leaving out minutes that touch an excluded range: an incident is not normal. */
export async function readBaselineStates(
  store: Store,
  { fromMs, toMs, excluded }: TimeRange & { excluded: TimeRange[] },
): Promise<CallState[]> {
  return await read(store.clickhouse, {
    query: `SELECT ${columns} FROM chain_health_metrics
            WHERE Window >= {from:DateTime} AND Window + 60 <= {to:DateTime}
              AND NOT arrayExists(x -> toUnixTimestamp(Window) + 60 > x.1 AND toUnixTimestamp(Window) < x.2, {excluded:Array(Tuple(UInt32, UInt32))})
            GROUP BY ${key} ORDER BY calls DESC LIMIT ${seriesMax}`,
    fromMs,
    toMs,
    excluded,
  })
}

/** How many minutes {@link readBaselineStates} adds up that have any call at all. */
export async function countBaselineMinutes(
  store: Store,
  { fromMs, toMs, excluded }: TimeRange & { excluded: TimeRange[] },
): Promise<number> {
  const [row] = await read<{ minutes: number }>(store.clickhouse, {
    query: `SELECT uniqExact(Window) AS minutes FROM chain_health_metrics
            WHERE Window >= {from:DateTime} AND Window + 60 <= {to:DateTime}
              AND NOT arrayExists(x -> toUnixTimestamp(Window) + 60 > x.1 AND toUnixTimestamp(Window) < x.2, {excluded:Array(Tuple(UInt32, UInt32))})`,
    fromMs,
    toMs,
    excluded,
  })
  return row?.minutes ?? 0
}

/** One operation's calls in each ten seconds, oldest first: from here an onset can be read. */
export interface WindowCounts {
  windowMs: number
  service: string
  operation: string
  kind: CallKind
  caller: string
  calls: number
  errors: number
  originErrors: number
  clientErrors: number
  duration: Record<string, number>
  self: Record<string, number>
}

/** The ten-second windows of the given services, as callee or as caller. */
export async function readWindows(
  store: Store,
  { fromMs, toMs, services }: TimeRange & { services: string[] },
): Promise<WindowCounts[]> {
  const answer = await store.clickhouse.query({
    query: `SELECT toUnixTimestamp(Window) * 1000 AS windowMs, Service AS service, Operation AS operation, Kind AS kind, Caller AS caller,
              sum(Calls) AS calls, sum(Errors) AS errors, sum(OriginErrors) AS originErrors, sum(ClientErrors) AS clientErrors,
              sumMap(Duration) AS duration, sumMap(Self) AS self
            FROM chain_health_metrics_10s
            WHERE Window >= {from:DateTime} AND Window < {to:DateTime} AND (Service IN {services:Array(String)} OR Caller IN {services:Array(String)})
            GROUP BY windowMs, service, operation, kind, caller ORDER BY windowMs LIMIT ${seriesMax}`,
    query_params: { from: seconds(fromMs), to: seconds(toMs), services },
    format: 'JSONEachRow',
  })
  return await answer.json<WindowCounts>()
}

/** Whether a collector lived through the range: with none alive, silence says nothing about services. */
export async function collectorWasAlive(store: Store, { fromMs, toMs }: TimeRange): Promise<boolean> {
  const answer = await store.clickhouse.query({
    query: `SELECT count() AS beats FROM collector_heartbeats
            WHERE At >= fromUnixTimestamp64Milli({from:Int64}) AND At < fromUnixTimestamp64Milli({to:Int64})`,
    query_params: { from: fromMs, to: toMs },
    format: 'JSONEachRow',
  })
  const [row] = await answer.json<{ beats: number }>()
  // A beat every five seconds; one may fall just outside.
  return (row?.beats ?? 0) >= Math.floor((toMs - fromMs) / 5_000) - 1
}

async function read<Row = CallState>(
  clickhouse: ClickHouseClient,
  { query, fromMs, toMs, excluded }: TimeRange & { query: string; excluded: TimeRange[] },
): Promise<Row[]> {
  const answer = await clickhouse.query({
    query,
    query_params: {
      from: seconds(fromMs),
      to: seconds(toMs),
      excluded: excluded.map((range) => new TupleParam([seconds(range.fromMs), seconds(range.toMs)])),
    },
    format: 'JSONEachRow',
  })
  return await answer.json<Row>()
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000)
}
