import type { Histogram } from '@headwater/vocabulary'
import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'
import { quantileMs } from './histogram.ts'
import type { Window } from './window.ts'

/** What came of one operation, before any of it was shed: exact, where collectors have a budget. */
export interface SpanRate {
  /** Key as vocabulary's formatService writes it; `other` for what was too much to count apart. */
  service: string
  operation: string
  /** As `otel_traces` has it. */
  kind: string
  spans: number
  errors: number
  spansPerSecond: number
  p50Ms: number | null
  p95Ms: number | null
}

/** Operations that are read at most, those with the most spans first. */
export const spanRatesMax = 5_000

const windowS = 10

/** Spans by service, operation and kind over the whole ten seconds that touch a window. */
export async function readSpanCounts(store: Store, { since, until }: Window): Promise<SpanRate[]> {
  const fromS = Math.floor(since.getTime() / 1_000 / windowS) * windowS
  const toS = Math.ceil(until.getTime() / 1_000 / windowS) * windowS
  const rows = await askClickHouse<Omit<SpanRate, 'spansPerSecond' | 'p50Ms' | 'p95Ms'> & { duration: Histogram }>(
    store,
    {
      deed: 'read what came before shedding',
      query: `
      SELECT Service AS service, Operation AS operation, Kind AS kind, sum(Spans) AS spans, sum(Errors) AS errors,
        sumMap(Duration) AS duration
      FROM collector_span_counts
      WHERE Window >= {from:DateTime} AND Window < {to:DateTime}
      GROUP BY service, operation, kind
      ORDER BY spans DESC, service, operation, kind
      LIMIT {rowsMax:UInt32}`,
      params: { from: fromS, to: toS, rowsMax: spanRatesMax },
    },
  )
  return rows.map(({ duration, ...row }) => ({
    ...row,
    spansPerSecond: row.spans / (toS - fromS),
    p50Ms: quantileMs(duration, 0.5),
    p95Ms: quantileMs(duration, 0.95),
  }))
}
