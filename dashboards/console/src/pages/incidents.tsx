import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useSearchParams } from 'wouter'
import { dataOf, GET, type Schemas } from '../api/client.ts'
import { incidentPath } from '../links.ts'
import { Empty, ErrorNote, Waiting } from '../parts/notes.tsx'
import { Raw } from '../parts/raw.tsx'
import { State } from '../parts/state.tsx'
import { Since, Time } from '../parts/time.tsx'
import { plural, share } from '../tell.ts'
import { useTitle } from '../use-title.ts'

const states = [
  ['', 'All'],
  ['open', 'Open'],
  ['resolved', 'Resolved'],
] as const

export function Incidents() {
  useTitle('Incidents')
  const [search] = useSearchParams()
  const asked = search.get('state')
  const state = asked === 'open' || asked === 'resolved' ? asked : undefined
  const incidents = useInfiniteQuery({
    queryKey: ['incidents', state],
    queryFn: ({ pageParam }) =>
      dataOf(
        GET('/api/v1/incidents', {
          params: { query: { ...(state && { state }), ...(pageParam !== '' && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    refetchInterval: 10_000,
  })
  const items = incidents.data?.pages.flatMap((page) => page.items)
  return (
    <section className="page">
      <header className="row">
        <h1 className="grow">Incidents</h1>
        <Score />
      </header>
      <nav className="tabs" aria-label="Which incidents">
        {states.map(([value, name]) => (
          <Link
            key={value}
            href={value === '' ? '/incidents' : `/incidents?state=${value}`}
            aria-current={(state ?? '') === value ? 'page' : undefined}
          >
            {name}
          </Link>
        ))}
      </nav>
      {incidents.isError && <ErrorNote error={incidents.error} retry={() => void incidents.refetch()} />}
      {incidents.isPending && <Waiting />}
      {items?.length === 0 && (
        <Empty title={state === 'open' ? 'No incident is open' : 'There has been no incident yet'}>
          <p>
            Headwater opens one when errors or latencies depart from what is normal here, which it learns from the last
            hours. To see one, run <code>npm run demo</code>: it breaks a service on purpose.
          </p>
        </Empty>
      )}
      {items !== undefined && items.length > 0 && <List items={items} />}
      {incidents.hasNextPage && (
        <button type="button" onClick={() => void incidents.fetchNextPage()} disabled={incidents.isFetchingNextPage}>
          Older ones
        </button>
      )}
    </section>
  )
}

export function List({ items }: { items: readonly Schemas['Incident'][] }) {
  return (
    <ul className="rows incidents">
      {items.map((incident) => {
        const { causes, impact, acknowledged, state } = incident
        const runs = impact.flows.reduce((sum, { runsAffected }) => sum + runsAffected, 0)
        return (
          <li key={incident.id}>
            <Link href={incidentPath(incident.id)} data-row>
              <State state={state === 'resolved' ? 'resolved' : acknowledged === null ? 'open' : 'acknowledged'} />
              <span className="grow">
                <strong>
                  <Raw text={incident.title} most={160} />
                </strong>
                <span className="muted below">
                  {plural(runs, 'run')} of {plural(impact.flows.length, 'flow')} ·{' '}
                  {plural(impact.users.affected, 'user')} · {plural(impact.services.length, 'service')}
                  {causes[0] !== undefined && ` · confidence ${share(incident.confidence)}`}
                </span>
              </span>
              <span className="muted nowrap right">
                <Time at={incident.since} />
                <span className="below">
                  <Since from={incident.since} to={incident.resolvedAt} />
                </span>
              </span>
            </Link>
          </li>
        )
      })}
    </ul>
  )
}

/** How often people found the first cause right. */
function Score() {
  const score = useQuery({ queryKey: ['score'], queryFn: () => dataOf(GET('/api/v1/score')), staleTime: 60_000 })
  if (score.data === undefined || score.data.judged === 0) return null
  return (
    <span className="muted" title="As said on the pages of incidents">
      causes right: <span className="num">{score.data.right}</span> of <span className="num">{score.data.judged}</span>
    </span>
  )
}
