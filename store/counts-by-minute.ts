// How many calls of some series there were, minute by minute, and how many of them were bad: for times of days, of which only that is
// asked. Histograms are counted where they are.
import { TupleParam } from '@clickhouse/client'
import type { Store } from './connect.ts'
import { bindWindows, statesIn, type Windows } from './windows.ts'

/** A series, and which of its calls are bad. */
export type CountedSeries =
  /** Calls of an operation, whoever makes them. */
  | {
      of: 'operation'
      service: string
      operation: string
      bad: 'errors' | 'origin-errors' | 'duration' | 'self'
      slow?: Slow
    }
  /** Calls of one operation to a service; those without an answer have a duration, and may have failed. */
  | {
      of: 'edge'
      service: string
      caller: string
      callerOperation: string
      bad: 'unanswered' | 'duration'
      slow?: Slow
    }
  /** All calls into a service. */
  | { of: 'service'; service: string }
  /** Calls that a service makes to others with spans; the messages that it sends count as bad. */
  | { of: 'sent'; service: string }

/** Above which buckets of the histograms a call is slow, and very slow. */
export interface Slow {
  bucket: number
  veryBucket: number
}

export interface MinuteCount {
  minuteMs: number
  calls: number
  bad: number
  /** For times: calls that were very slow. */
  very: number
}

/** For each kind of series, what tells it apart and which rows it has. */
const kinds = {
  operation: { keys: ['Service', 'Operation'], rows: `Kind NOT IN ('peer', 'publish')` },
  edge: { keys: ['Service', 'Caller', 'CallerOperation'], rows: `Kind != 'publish'` },
  service: { keys: ['Service'], rows: `Kind NOT IN ('peer', 'publish')` },
  sent: { keys: ['Caller'], rows: `Kind != 'peer'` },
} as const

/** The minutes of each series in which it had calls, oldest first, in the order in which they are asked for. */
export async function readCountsByMinute(
  store: Store,
  { windows, series }: { windows: Windows; series: readonly CountedSeries[] },
): Promise<MinuteCount[][]> {
  const counted: MinuteCount[][] = series.map(() => [])
  if (series.length === 0 || windows.minutes.length === 0) return counted
  const asked = Map.groupBy(series.entries(), ([, { of }]) => of)
  const answer = await store.clickhouse.query({
    query: `
      SELECT at, groupArray(minuteS) AS minutes, groupArray(n) AS calls, groupArray(bad) AS badCalls, groupArray(very) AS veryCalls
      FROM (${[...asked.keys()].map(countsOf).join(' UNION ALL ')})
      GROUP BY at`,
    query_params: {
      ...bindWindows('windows', windows),
      ...Object.fromEntries([...asked].map(([of, all]) => [of, all.map(([at, one]) => toTuple(at, one))])),
      ...Object.fromEntries(
        [...asked].map(([of, all]) => [`${of}_services`, [...new Set(all.map(([, { service }]) => service))]]),
      ),
    },
    format: 'JSONEachRow',
  })
  for (const { at, minutes, calls, badCalls, veryCalls } of await answer.json<CountsRow>()) {
    counted[at] = minutes
      .map((minuteS, index) => ({
        minuteMs: minuteS * 1_000,
        calls: calls[index] ?? 0,
        bad: badCalls[index] ?? 0,
        very: veryCalls[index] ?? 0,
      }))
      .toSorted((a, b) => a.minuteMs - b.minuteMs)
  }
  return counted
}

interface CountsRow {
  at: number
  minutes: number[]
  calls: number[]
  badCalls: number[]
  veryCalls: number[]
}

function countsOf(of: CountedSeries['of']): string {
  const { keys, rows } = kinds[of]
  const isWanted = `${keys[0]} IN {${of}_services:Array(String)}`
  return `
    SELECT asked.at AS at, toUnixTimestamp(Window) AS minuteS, sum(Calls) AS n,
      sum(${badOf(of, 'asked.bucket')}) AS bad, sum(${badOf(of, 'asked.veryBucket')}) AS very
    FROM ${statesIn('windows', `${rows} AND ${isWanted}`)} AS states
    INNER JOIN (
      SELECT s.1 AS at, s.2 AS measure, s.3 AS bucket, s.4 AS veryBucket, [s.5, s.6, s.7] AS names
      FROM (SELECT arrayJoin({${of}:Array(Tuple(UInt32, String, UInt16, UInt16, String, String, String))}) AS s)
    ) AS asked ON ${keys.map((key, index) => `states.${key} = asked.names[${index + 1}]`).join(' AND ')}
    GROUP BY at, minuteS`
}

function badOf(of: CountedSeries['of'], bucket: string): string {
  const above = (histogram: string): string =>
    `arraySum((k, v) -> if(k > ${bucket}, v, 0), mapKeys(${histogram}), mapValues(${histogram}))`
  switch (of) {
    case 'operation':
      return `multiIf(asked.measure = 'errors', Errors, asked.measure = 'origin-errors', OriginErrors,
        asked.measure = 'duration', ${above('Duration')}, ${above('Self')})`
    case 'edge':
      return `if(Kind = 'peer', if(asked.measure = 'unanswered', ClientErrors, ${above('Duration')}), 0)`
    case 'service':
      return '0'
    case 'sent':
      return `if(Kind = 'publish', Calls, 0)`
  }
}

function toTuple(at: number, series: CountedSeries): TupleParam {
  const slow = 'slow' in series ? series.slow : undefined
  const measure = 'bad' in series ? series.bad : ''
  return new TupleParam([at, measure, slow?.bucket ?? 0, slow?.veryBucket ?? 0, ...namesOf(series)])
}

/** In the order of the keys. */
function namesOf(series: CountedSeries): [string, string, string] {
  switch (series.of) {
    case 'operation':
      return [series.service, series.operation, '']
    case 'edge':
      return [series.service, series.caller, series.callerOperation]
    case 'service':
    case 'sent':
      return [series.service, '', '']
  }
}
