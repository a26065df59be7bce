// The series behind a number: one signal of an operation or an edge over time, and its sums in the time that is judged and in
// the time that counts as normal.
import { TupleParam } from '@clickhouse/client'
import type { Histogram, SeriesQuestion } from '@headwater/vocabulary'
import type { Store } from '../connect.ts'
import type { TimeRange } from '../windows.ts'
import { askClickHouse } from './ask.ts'

/** Calls of a series in some time. */
export interface SeriesCounts {
  calls: number
  /** Calls that failed, in the sense of the signal. */
  bad: number
  /** How long calls took, in the sense of the signal; empty for shares. */
  times: Histogram
}

export interface SeriesRead {
  now: SeriesCounts
  before: SeriesCounts
  windows: ({ atMs: number } & SeriesCounts)[]
  /** How much of the time before has any call of anybody: what a rate is by. */
  beforeMs: number
}

/** How the facts of a signal are counted: what fails, which times, and of which calls. `peer`: no span of the callee came. */
const measures: Record<SeriesQuestion['signal'], { bad: string; times: string; of?: string }> = {
  errors: { bad: `if({isEdge:Bool}, if(Kind = 'peer', ClientErrors, 0), Errors)`, times: 'none' },
  'origin-errors': { bad: 'OriginErrors', times: 'none' },
  unanswered: { bad: `if(Kind = 'peer', ClientErrors, 0)`, times: 'none' },
  latency: { bad: '0', times: `mapFilter((bucket, calls) -> NOT {isEdge:Bool} OR Kind = 'peer', Duration)` },
  'self-time': { bad: '0', times: 'Self' },
  'wire-time': { bad: '0', times: 'Wire', of: `Kind != 'peer'` },
  silence: { bad: '0', times: 'none' },
}

/**
 * Reads windows of `stepS` seconds from `displayFromMs` on. Ten-second windows are taken from `tensFromMs` (a whole minute) on,
 * minutes before it. Times of `excluded` do not count as normal, nor does the time that is judged.
 */
export async function readSeries(
  store: Store,
  question: SeriesQuestion & { displayFromMs: number; tensFromMs: number; stepS: number; excluded: TimeRange[] },
): Promise<SeriesRead> {
  const { service, operation, caller, callerOperation, signal, version, excluded, stepS } = question
  const { bad, times, of = '1' } = measures[signal]
  const isEdge = caller !== undefined
  const where = [
    'Service = {service:String}',
    of,
    isEdge
      ? `Caller = {caller:String} AND CallerOperation = {callerOperation:String} AND Kind != 'publish'`
      : `Kind IN ('entry', 'sync', 'async') AND ({operation:String} = '' OR Operation = {operation:String})`,
    version === undefined ? '1' : 'Version = {version:String}',
  ].join(' AND ')
  const from = (table: string, seconds: number, condition: string): string => `
    SELECT toUnixTimestamp(Window) AS At, At + ${seconds} AS Until, Calls, toUInt64(${bad}) AS Bad, ${times} AS Times
    FROM (SELECT *, CAST(map(), 'Map(UInt16, UInt64)') AS none FROM ${table}
      WHERE Window >= fromUnixTimestamp({begin:Int64}) AND Window < fromUnixTimestamp({to:Int64}) AND Window ${condition} fromUnixTimestamp({tensFrom:Int64}) AND ${where})`
  const windows = `(${from('chain_health_metrics_10s', 10, '>=')} UNION ALL ${from('chain_health_metrics', 60, '<')})`
  const isNormal = (begin: string, end: string): string => `
    ${begin} >= {baselineFrom:Int64} AND ${end} <= {baselineTo:Int64}
      AND NOT arrayExists(x -> ${end} > x.1 AND ${begin} < x.2, {excluded:Array(Tuple(Int64, Int64))})`
  const seconds = (ms: number): number => Math.floor(ms / 1_000)
  const params = {
    service,
    operation,
    caller: caller ?? '',
    callerOperation: callerOperation ?? '',
    version: version ?? '',
    isEdge,
    stepS,
    begin: seconds(Math.min(question.baselineFromMs, question.displayFromMs)),
    displayFrom: seconds(question.displayFromMs),
    tensFrom: seconds(question.tensFromMs),
    from: seconds(question.fromMs),
    to: seconds(question.toMs),
    baselineFrom: seconds(question.baselineFromMs),
    baselineTo: seconds(question.baselineToMs),
    excluded: [...excluded, question].map(
      ({ fromMs, toMs }) => new TupleParam([seconds(fromMs), Math.ceil(toMs / 1_000)]),
    ),
  }
  const sums = 'sum(Calls) AS calls, sum(Bad) AS bad, sumMap(Times) AS times'
  const alive = (table: string, windowS: number, condition: string): string => `
    SELECT uniqExact(Window) * ${windowS} AS alive FROM ${table}
    WHERE Window >= fromUnixTimestamp({baselineFrom:Int64}) AND Window < fromUnixTimestamp({baselineTo:Int64})
      AND Window ${condition} fromUnixTimestamp({tensFrom:Int64}) AND ${isNormal('toUnixTimestamp(Window)', `toUnixTimestamp(Window) + ${windowS}`)}`
  const [totals, points, [known]] = await Promise.all([
    askClickHouse<SeriesCounts & { part: 'now' | 'before' | 'other' }>(store, {
      deed: 'sum up a series',
      query: `
        SELECT multiIf(At >= {from:Int64} AND Until <= {to:Int64}, 'now', ${isNormal('At', 'Until')}, 'before', 'other') AS part, ${sums}
        FROM ${windows} WHERE part != 'other' GROUP BY part`,
      params,
    }),
    askClickHouse<SeriesCounts & { atMs: number }>(store, {
      deed: 'read a series',
      query: `
        SELECT intDiv(At, {stepS:Int64}) * {stepS:Int64} * 1000 AS atMs, ${sums}
        FROM ${windows} WHERE At >= {displayFrom:Int64} GROUP BY atMs ORDER BY atMs`,
      params,
    }),
    // Only a rate needs to know how much time it is of.
    signal === 'silence'
      ? askClickHouse<{ seconds: number }>(store, {
          deed: 'count windows with calls',
          query: `SELECT sum(alive) AS seconds FROM (${alive('chain_health_metrics_10s', 10, '>=')} UNION ALL ${alive('chain_health_metrics', 60, '<')})`,
          params,
        })
      : [],
  ])
  const total = (wanted: string): SeriesCounts =>
    totals.find(({ part }) => part === wanted) ?? { calls: 0, bad: 0, times: {} }
  return { now: total('now'), before: total('before'), windows: points, beforeMs: (known?.seconds ?? 0) * 1_000 }
}
