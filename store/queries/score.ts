import { shareInterval } from '@headwater/vocabulary'
import { sql } from 'kysely'
import type { Store } from '../connect.ts'
import { askPostgres } from './ask.ts'
import type { Window } from './window.ts'

/** How many first causes were judged right, with the interval that holds the true share with a confidence of 95 %. */
export interface Score {
  judged: number
  right: number
  /** Null where none was judged. */
  share: number | null
  low: number
  high: number
}

/** The score of causes that were told with a confidence from `from` up to `to`. */
export interface ScoreBand extends Score {
  from: number
  to: number
}

/** Where bands of confidence begin; the last one ends at 1. */
const bandsFrom = [0, 0.25, 0.5, 0.75, 0.9]

/** The verdicts on incidents that were opened in the window, by how sure their first cause was. */
export async function readScore(
  { postgres }: Store,
  { since, until }: Window,
): Promise<Score & { bands: ScoreBand[] }> {
  const { rows } = await askPostgres('read verdicts', () =>
    sql<{ band: number; judged: number; right: number }>`
      SELECT width_bucket((verdict->'judged'->>'confidence')::double precision, ${sql.lit(`{${bandsFrom.join(',')}}`)}::double precision[]) AS band,
        count(*)::int AS judged, (count(*) FILTER (WHERE verdict->>'cause' = 'right'))::int AS right
      FROM incidents
      WHERE verdict IS NOT NULL AND opened_at >= ${since} AND opened_at < ${until}
      GROUP BY band`.execute(postgres),
  )
  const bands = bandsFrom.map((from, index) => {
    const { judged = 0, right = 0 } = rows.find(({ band }) => band === index + 1) ?? {}
    return { from, to: bandsFrom[index + 1] ?? 1, ...scoreOf(judged, right) }
  })
  const sum = (of: (band: ScoreBand) => number): number => bands.reduce((total, band) => total + of(band), 0)
  return {
    ...scoreOf(
      sum(({ judged }) => judged),
      sum(({ right }) => right),
    ),
    bands,
  }
}

function scoreOf(judged: number, right: number): Score {
  return { judged, right, share: judged === 0 ? null : right / judged, ...shareInterval(right, judged) }
}
