import { TupleParam } from '@clickhouse/client'
import type { Store } from './connect.ts'
import type { CallKind } from './tables/facts.ts'
import { bindWindows, statesIn, type TimeRange, type Windows } from './windows.ts'

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

const columns = `
  Service AS service, Operation AS operation, Kind AS kind, Caller AS caller, CallerOperation AS callerOperation,
  FlowName AS flowName, Version AS version, sum(Calls) AS calls, sum(Errors) AS errors, sum(OriginErrors) AS originErrors,
  sum(ClientErrors) AS clientErrors, sum(DurationNs) AS durationNs, sum(SelfNs) AS selfNs, sum(WireNs) AS wireNs,
  sumMap(Duration) AS duration, sumMap(Self) AS self, sumMap(Wire) AS wire`
const key = 'service, operation, kind, caller, callerOperation, flowName, version'

const plainColumns = `
  Service AS service, Operation AS operation, Kind AS kind, Caller AS caller, CallerOperation AS callerOperation, sum(Calls) AS calls`
const plainKey = 'service, operation, kind, caller, callerOperation'

/** The most states that are read at once; the busiest come first, and how many are left out is told. */
export const statesMax = 50_000

export interface States {
  states: CallState[]
  /** So many were too many. */
  leftOut: number
}

const ofServices = `Service IN {services:Array(String)} OR (Kind = 'publish' AND Caller IN {services:Array(String)})`

/** The states over some windows: all, or those of calls into the given services and of messages that they send. */
export async function readStates(
  store: Store,
  windows: Windows,
  { services }: { services?: Iterable<string> } = {},
): Promise<States> {
  const wanted = services === undefined ? undefined : [...services]
  const { rows, leftOut } = await askCounted<CallState>(
    store,
    `SELECT ${columns} FROM ${statesIn('windows', wanted === undefined ? '1' : ofServices)}
     GROUP BY ${key} ORDER BY calls DESC, ${key} LIMIT ${statesMax}`,
    { ...bindWindows('windows', windows), ...(wanted === undefined ? {} : { services: wanted }) },
  )
  return { states: rows, leftOut }
}

/** Rows up to the limit of a query, and how many there are beyond it. */
interface Counted<Row> {
  rows: Row[]
  leftOut: number
}

async function askCounted<Row>(
  { clickhouse }: Store,
  query: string,
  parameters: Record<string, unknown>,
): Promise<Counted<Row>> {
  const answer = await clickhouse.query({ query, query_params: parameters, format: 'JSON' })
  const { data, rows_before_limit_at_least: all = data.length } = await answer.json<Row>()
  return { rows: data, leftOut: all - data.length }
}

/** A state of which nothing is known but who called whom, and how often. */
export function callsOnly(
  state: Pick<CallState, 'service' | 'operation' | 'kind' | 'caller' | 'callerOperation' | 'calls'>,
): CallState {
  const uncounted = { errors: 0, originErrors: 0, clientErrors: 0, durationNs: 0, selfNs: 0, wireNs: 0 }
  return { flowName: '', version: '', ...uncounted, duration: {}, self: {}, ...state }
}

/** The most states without histograms that are read at once: they take a tenth of the room. */
const plainStatesMax = 250_000

/**
 * The states of calls into services, of which most need be known as calls only. Whole are those of the services `told`, and those
 * of operations that begin runs or take messages; of the others only the calls are counted, and all else is zero or empty.
 */
export async function readNormalStates(
  store: Store,
  windows: Windows,
  { services, told }: { services: ReadonlySet<string>; told: ReadonlySet<string> },
): Promise<States> {
  const operation = 'cityHash64(Service, Operation)'
  const begins = `${operation} IN (SELECT ${operation} FROM ${statesIn('windows', `Service IN {services:Array(String)} AND Kind IN ('entry', 'async')`)})`
  const isOfServices = "Service IN {services:Array(String)} AND Kind != 'publish'"
  const isWhole = `Service IN {told:Array(String)} OR ${begins}`
  const parameters = { ...bindWindows('windows', windows), services: [...services], told: [...told] }
  const whole = await askCounted<CallState>(
    store,
    `SELECT ${columns} FROM ${statesIn('windows', `${isOfServices} AND (${isWhole})`)}
     GROUP BY ${key} ORDER BY calls DESC, ${key} LIMIT ${statesMax}`,
    parameters,
  )
  const plain = await askCounted<Parameters<typeof callsOnly>[0]>(
    store,
    `SELECT ${plainColumns} FROM ${statesIn('windows', `${isOfServices} AND NOT (${isWhole})`)}
     GROUP BY ${plainKey} ORDER BY calls DESC, ${plainKey} LIMIT ${plainStatesMax}`,
    parameters,
  )
  return { states: [...whole.rows, ...plain.rows.map(callsOnly)], leftOut: whole.leftOut + plain.leftOut }
}

/** That a service calls another. */
export interface Call {
  caller: string
  service: string
}

/** Who calls whom, the busiest first, and how many pairs were too many. Messages that were taken are calls. */
export async function readCalls(store: Store, windows: Windows): Promise<{ calls: Call[]; leftOut: number }> {
  const { rows, leftOut } = await askCounted<Call>(
    store,
    `SELECT Caller AS caller, Service AS service FROM ${statesIn('windows', `Caller != '' AND Kind != 'publish'`)}
     GROUP BY caller, service ORDER BY sum(Calls) DESC, caller, service LIMIT ${statesMax}`,
    bindWindows('windows', windows),
  )
  return { calls: rows, leftOut }
}

/** What each service sent: calls to services with spans, and messages. */
export async function readSent(
  store: Store,
  windows: Windows,
): Promise<{ caller: string; made: number; published: number }[]> {
  const answer = await store.clickhouse.query({
    query: `SELECT Caller AS caller, sumIf(Calls, Kind != 'publish') AS made, sumIf(Calls, Kind = 'publish') AS published
            FROM ${statesIn('windows', `Caller != '' AND Kind != 'peer'`)} GROUP BY caller`,
    query_params: bindWindows('windows', windows),
    format: 'JSONEachRow',
  })
  return await answer.json<{ caller: string; made: number; published: number }>()
}

/** Calls of one operation, of one caller or into one service in ten seconds: from such windows an onset can be read. */
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

/** Which calls a count is of: all into a service, those into one operation, or those of one caller. */
export type CallsInto =
  | { service: string; operation?: never; caller?: never }
  | { service: string; operation: string; caller?: never }
  | { service: string; caller: string; operation?: never }

/** The ten-second windows of the given calls, the newest first where they are too many. */
export async function readWindows(
  store: Store,
  { fromMs, toMs, series }: TimeRange & { series: CallsInto[] },
): Promise<{ windows: WindowCounts[]; leftOut: number }> {
  if (series.length === 0) return { windows: [], leftOut: 0 }
  // What is not asked for is added up: a service may have a thousand callers.
  const isOfOperation = '(Service, Operation) IN {operations:Array(Tuple(String, String))}'
  const isOfCaller = '(Service, Caller) IN {callers:Array(Tuple(String, String))}'
  const { rows, leftOut } = await askCounted<WindowCounts>(
    store,
    `SELECT toUnixTimestamp(Window) * 1000 AS windowMs, Service AS service,
              if(${isOfOperation}, toString(Operation), '') AS operation, Kind AS kind, if(${isOfCaller}, toString(Caller), '') AS caller,
              sum(Calls) AS calls, sum(Errors) AS errors, sum(OriginErrors) AS originErrors, sum(ClientErrors) AS clientErrors,
              sumMap(Duration) AS duration, sumMap(Self) AS self
            FROM chain_health_metrics_10s
            WHERE Window >= {from:DateTime} AND Window < {to:DateTime} AND Kind != 'publish' AND Service IN {called:Array(String)}
              AND (Service IN {services:Array(String)} OR ${isOfOperation} OR ${isOfCaller})
            GROUP BY windowMs, service, operation, kind, caller
            ORDER BY windowMs DESC, calls DESC, service, operation, kind, caller LIMIT ${statesMax}`,
    {
      from: seconds(fromMs),
      to: seconds(toMs),
      called: [...new Set(series.map(({ service }) => service))],
      services: series.flatMap(({ service, operation, caller }) =>
        operation === undefined && caller === undefined ? [service] : [],
      ),
      operations: series.flatMap(({ service, operation }) =>
        operation === undefined ? [] : [new TupleParam([service, operation])],
      ),
      callers: series.flatMap(({ service, caller }) =>
        caller === undefined ? [] : [new TupleParam([service, caller])],
      ),
    },
  )
  return { windows: rows, leftOut }
}

/** Collectors beat every five seconds: in each ten seconds at least once, though a beat fails or falls just outside. */
const beatWithinMs = 10_000

/** For so long before, normal is looked for: who fell silent in that time is missed. */
const collectorsBeforeMs = 60 * 60_000

/**
 * Whether collectors lived through the range, as many as in any two minutes of the hour before. With none alive, silence says
 * nothing of services, and with one fewer nothing of those that sent to it, whoever they are. One that starts again, under another
 * name, takes its own place; and while one is replaced, two live together for less than two minutes.
 */
export async function collectorWasAlive(store: Store, { fromMs, toMs }: TimeRange): Promise<boolean> {
  const answer = await store.clickhouse.query({
    query: `
      WITH
        beats AS (
          SELECT toUnixTimestamp64Milli(At) AS AtMs, Collector FROM collector_heartbeats
          WHERE At >= fromUnixTimestamp64Milli({before:Int64}) AND At < fromUnixTimestamp64Milli({to:Int64})
        ),
        living AS (
          SELECT intDiv(AtMs - {from:Int64}, {within:Int64}) AS Part, uniqExact(Collector) AS Collectors
          FROM beats WHERE AtMs >= {from:Int64} GROUP BY Part HAVING Part < {parts:Int64}
        ),
        stretches AS (
          SELECT intDiv(AtMs, 120000) AS Stretch, Collector FROM beats WHERE AtMs < {from:Int64}
          GROUP BY Stretch, Collector HAVING count() >= 22
        )
      SELECT
        (SELECT if(count() = {parts:Int64}, min(Collectors), 0) FROM living) AS now,
        (SELECT max(Collectors) FROM (SELECT count() AS Collectors FROM stretches GROUP BY Stretch)) AS before`,
    query_params: {
      before: fromMs - collectorsBeforeMs,
      from: fromMs,
      to: toMs,
      within: beatWithinMs,
      parts: Math.floor((toMs - fromMs) / beatWithinMs),
    },
    format: 'JSONEachRow',
  })
  const [row] = await answer.json<{ now: number; before: number }>()
  return (row?.now ?? 0) >= Math.max(1, row?.before ?? 0)
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000)
}
