// How many runs of each flow came, and how their entries took: from the mergeable states, so that it costs little over any time.
import type { Store } from './connect.ts'
import { bindWindows, comparedRows, type Windows } from './windows.ts'

/** The runs of a flow that began at a service, in the windows in which their entries ended. */
export interface RunCounts {
  flow: string
  service: string
  /** By a window's begin, in seconds; windows without a run are absent. */
  before: Record<string, number>
  recent: Record<string, number>
  /** What their entries took in the mean. */
  beforeMeanNs: number
  recentMeanNs: number
}

/** The most pairs of flow and service that are told: those with most runs. */
const pairsMax = 1_000

/** The runs of each flow by where they began, in two times, and how many pairs were too many. */
export async function readRunCounts(
  store: Store,
  { recent, before }: { recent: Windows; before: Windows },
): Promise<{ counts: RunCounts[]; leftOut: number }> {
  const byWindow = (condition: string): string =>
    `sumMapIf(map(toString(toUnixTimestamp(Window)), toUInt64(Calls)), ${condition})`
  const meanNs = (condition: string): string =>
    `if(sumIf(Calls, ${condition}) = 0, 0, sumIf(DurationNs, ${condition}) / sumIf(Calls, ${condition}))`
  const answer = await store.clickhouse.query({
    query: `
      SELECT FlowName AS flow, Service AS service, ${byWindow('NOT IsNow')} AS before, ${byWindow('IsNow')} AS recent,
        ${meanNs('NOT IsNow')} AS beforeMeanNs, ${meanNs('IsNow')} AS recentMeanNs
      FROM ${comparedRows("Kind = 'entry' AND FlowName != ''")}
      GROUP BY flow, service ORDER BY sum(Calls) DESC, flow, service LIMIT ${pairsMax}`,
    query_params: { ...bindWindows('recent', recent), ...bindWindows('baseline', before) },
    format: 'JSON',
  })
  const { data, rows_before_limit_at_least: all = data.length } = await answer.json<RunCounts>()
  return { counts: data, leftOut: all - data.length }
}
