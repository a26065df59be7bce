// Where time goes by, now and usually: within services, and at peers that send no spans. It tells what is slower by itself from
// what is slower with all others.
import type { Store } from './connect.ts'
import { bindWindows, comparedRows, type Windows } from './windows.ts'

export interface TimeAtPlace {
  /** A service, for its own time, or a peer, for how long its callers waited. */
  place: string
  calls: number
  /** Nanoseconds over all calls. */
  ns: number
  /** The same at the usual mean of each operation. */
  usualNs: number
}

/** The busiest places are enough to tell. */
const placesMax = 2_000

/** The times at the busiest places, over series with at least so many calls before. */
export async function readTimesAtPlaces(
  store: Store,
  { recent, baseline, seriesCallsMin }: { recent: Windows; baseline: Windows; seriesCallsMin: number },
): Promise<TimeAtPlace[]> {
  const timesOf = (kinds: string, column: string, series: string, sendsSpans: 0 | 1): string => `
    SELECT any(Service) AS Place, ${sendsSpans} AS SendsSpans,
      sumIf(Calls, IsNow) AS n, sumIf(Calls, NOT IsNow) AS nBefore,
      sumIf(${column}, IsNow) AS Ns, n * (sumIf(${column}, NOT IsNow) / nBefore) AS UsualNs
    FROM ${comparedRows(kinds)}
    GROUP BY cityHash64(${series})
    HAVING n > 0 AND nBefore >= {seriesCallsMin:Int64}`
  const answer = await store.clickhouse.query({
    query: `
      SELECT toString(Place) AS place, sum(n) AS calls, sum(Ns) AS ns, sum(UsualNs) AS usualNs
      FROM (
        ${timesOf(`Kind NOT IN ('peer', 'publish')`, 'SelfNs', 'Service, Operation', 1)}
        UNION ALL
        ${timesOf(`Kind = 'peer'`, 'DurationNs', 'Service, Caller, CallerOperation', 0)}
      )
      GROUP BY place, SendsSpans
      QUALIFY SendsSpans = max(SendsSpans) OVER (PARTITION BY place)
      ORDER BY calls DESC, place LIMIT ${placesMax}`,
    query_params: { ...bindWindows('recent', recent), ...bindWindows('baseline', baseline), seriesCallsMin },
    format: 'JSONEachRow',
  })
  return await answer.json<TimeAtPlace>()
}
