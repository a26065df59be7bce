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
  /** Of answered calls of which both ends sent spans, and of unanswered ones: what the caller waited beyond the callee's work. */
  wire?: Record<string, number>
}

export interface TimeRange {
  fromMs: number
  toMs: number
}

const columns = `
  Service AS service, Operation AS operation, Kind AS kind, Caller AS caller, CallerOperation AS callerOperation,
  FlowName AS flowName, Version AS version, sum(Calls) AS calls, sum(Errors) AS errors, sum(OriginErrors) AS originErrors,
  sum(ClientErrors) AS clientErrors, sum(DurationNs) AS durationNs, sum(SelfNs) AS selfNs, sum(WireNs) AS wireNs,
  sumMap(Duration) AS duration, sumMap(Self) AS self, sumMap(Wire) AS wire`
const key = 'service, operation, kind, caller, callerOperation, flowName, version'

/** The most series that an analysis takes; the busiest come first. */
const seriesMax = 50_000

/** States over whole ten-second windows of the last hour, leaving out windows that touch an excluded range. */
export async function readRecentStates(
  store: Store,
  range: TimeRange & { excluded?: TimeRange[] },
): Promise<CallState[]> {
  return await read(store.clickhouse, { table: 'chain_health_metrics_10s', windowS: 10, ...range })
}

/** The same over whole minutes, for as long as facts are kept. */
export async function readMinuteStates(
  store: Store,
  range: TimeRange & { excluded?: TimeRange[] },
): Promise<CallState[]> {
  return await read(store.clickhouse, { table: 'chain_health_metrics', windowS: 60, ...range })
}

/** How many ten-second windows in a range have any call. */
export async function countRecentWindows(store: Store, range: TimeRange & { excluded?: TimeRange[] }): Promise<number> {
  return await countWindows(store, { table: 'chain_health_metrics_10s', windowS: 10, ...range })
}

/** How many minutes in a range have any call. */
export async function countMinutes(store: Store, range: TimeRange & { excluded?: TimeRange[] }): Promise<number> {
  return await countWindows(store, { table: 'chain_health_metrics', windowS: 60, ...range })
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

interface Selection extends TimeRange {
  table: string
  windowS: number
  excluded?: TimeRange[]
}

const selected = `Window >= {from:DateTime} AND toUnixTimestamp(Window) + {windowS:UInt32} <= {to:UInt32}
  AND NOT arrayExists(x -> toUnixTimestamp(Window) + {windowS:UInt32} > x.1 AND toUnixTimestamp(Window) < x.2, {excluded:Array(Tuple(UInt32, UInt32))})`

function bind({ fromMs, toMs, windowS, excluded = [] }: Selection): Record<string, unknown> {
  return { from: seconds(fromMs), to: seconds(toMs), windowS, excluded: tuples(excluded) }
}

async function read(clickhouse: ClickHouseClient, selection: Selection): Promise<CallState[]> {
  const answer = await clickhouse.query({
    query: `SELECT ${columns} FROM ${selection.table} WHERE ${selected} GROUP BY ${key} ORDER BY calls DESC LIMIT ${seriesMax}`,
    query_params: bind(selection),
    format: 'JSONEachRow',
  })
  return await answer.json<CallState>()
}

async function countWindows(store: Store, selection: Selection): Promise<number> {
  const answer = await store.clickhouse.query({
    query: `SELECT uniqExact(Window) AS windows FROM ${selection.table} WHERE ${selected}`,
    query_params: bind(selection),
    format: 'JSONEachRow',
  })
  const [row] = await answer.json<{ windows: number }>()
  return row?.windows ?? 0
}

function tuples(ranges: TimeRange[]): TupleParam[] {
  return ranges.map((range) => new TupleParam([seconds(range.fromMs), Math.ceil(range.toMs / 1_000)]))
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000)
}
