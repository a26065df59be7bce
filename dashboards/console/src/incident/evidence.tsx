import { useQuery } from '@tanstack/react-query'
import { follow, type Schemas } from '../api/client.ts'
import { Raw } from '../parts/raw.tsx'
import { Spark } from '../parts/spark.tsx'
import { measured } from '../tell.ts'

type Evidence = Schemas['Cause']['evidence'][number]

/** What a cause rests on: a sentence, and its numbers over time where a series is kept of them. */
export function EvidenceItem({ evidence, since }: { evidence: Evidence; since: string }) {
  const { signal, sentence, query, expected, seen, unit } = evidence
  return (
    <li className="evidence">
      <p>
        <Raw text={sentence} most={600} />
      </p>
      {query !== null && isSeries(query) ? (
        <SeriesChart query={query} sinceMs={Date.parse(since)} expected={expected} seen={seen} unit={unit} />
      ) : (
        expected !== undefined &&
        seen !== undefined && <Compare expected={expected} seen={seen} unit={unit} signal={signal} />
      )}
    </li>
  )
}

/** Other evidence points to changes or runs, which are shown elsewhere. */
export function isSeries(query: string): boolean {
  return query.startsWith('/api/v1/series?')
}

type Unit = 'share' | 'ns' | 'calls' | undefined

export function SeriesChart({
  query,
  sinceMs,
  expected,
  seen,
  unit,
}: {
  query: string
  sinceMs: number
  expected: number | null | undefined
  seen: number | null | undefined
  unit: Unit
}) {
  const series = useQuery({
    queryKey: ['series', query],
    queryFn: () => follow<Schemas['Series']>(query),
    staleTime: 60_000,
  })
  const { data } = series
  if (series.isError) return <p className="muted small-text">Its series cannot be read: {series.error.message}</p>
  if (data === undefined) return <div className="spark placeholder" />
  const points = data.windows.map((window) => ({
    atMs: Date.parse(window.at),
    seen: window.seen,
    expected: window.expected,
  }))
  const label = `${data.signal}: seen ${measured(seen, unit)}, expected ${measured(expected, unit)}`
  return (
    <figure>
      <Spark
        points={points}
        fromMs={points[0]?.atMs ?? 0}
        toMs={points.at(-1)?.atMs ?? 1}
        onsetMs={sinceMs}
        label={label}
        told={(value) => measured(value, data.unit)}
      />
      <figcaption>
        <span className="key seen-key" /> seen <b className="num">{measured(seen, unit)}</b>
        <span className="key expected-key" /> expected <b className="num">{measured(expected, unit)}</b>
      </figcaption>
    </figure>
  )
}

/** Two numbers as two bars. */
export function Compare({
  expected,
  seen,
  unit,
  signal,
}: {
  expected: number
  seen: number
  unit: Unit
  signal: Evidence['signal']
}) {
  const most = Math.max(expected, seen) || 1
  return (
    <dl className="compare">
      {(
        [
          ['expected', expected],
          ['seen', seen],
        ] as const
      ).map(([name, value]) => (
        <div key={name} className={name}>
          <dt>{name}</dt>
          <dd>
            <svg aria-hidden="true" className="meter plain" preserveAspectRatio="none">
              <rect width={`${(value / most) * 100}%`} height="100%" className="fill" />
            </svg>
            <b className="num">{measured(value, unit, signal)}</b>
          </dd>
        </div>
      ))}
    </dl>
  )
}
