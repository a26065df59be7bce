import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { dataOf, GET, type Schemas } from '../api/client.ts'
import { runPath, searchPath } from '../links.ts'
import { Raw } from '../parts/raw.tsx'
import { State } from '../parts/state.tsx'
import { Time } from '../parts/time.tsx'
import { ms } from '../tell.ts'

const shown = 6

/** Runs that show it: of the flow that is hit most, failed ones where it fails, slow ones where it is slow. */
export function Examples({ incident }: { incident: Schemas['Incident'] }) {
  const cause = incident.causes[0]
  // Runs that did not come cannot be looked at.
  const wrong = ({ runsAffected, missing }: Schemas['Incident']['impact']['flows'][number]): number =>
    runsAffected - (missing?.runs ?? 0)
  const flow = incident.impact.flows.filter((each) => wrong(each) > 0).toSorted((a, b) => wrong(b) - wrong(a))[0]?.name
  const isOfErrors = cause === undefined || cause.kind === 'errors' || cause.kind === 'unavailable'
  const filter = {
    since: incident.since,
    ...(incident.resolvedAt !== null && { until: incident.resolvedAt }),
    ...(cause !== undefined && { service: cause.service }),
    ...(isOfErrors && { status: 'error' as const }),
  }
  const runs = useQuery({
    queryKey: ['examples', incident.id, flow, filter],
    queryFn: () =>
      dataOf(
        GET('/api/v1/executions', { params: { query: { ...filter, ...(flow !== undefined && { flow }), limit: 50 } } }),
      ),
    staleTime: 15_000,
  })
  const items = runs.data?.items ?? []
  const chosen = (isOfErrors ? items : items.toSorted((a, b) => b.durationMs - a.durationMs)).slice(0, shown)
  return (
    <section className="card" aria-labelledby="examples">
      <h2 id="examples">Runs that show it</h2>
      {chosen.length === 0 ? (
        <p className="muted">{runs.isPending ? 'Reading…' : 'None is found among the runs since it began.'}</p>
      ) : (
        <ul className="rows">
          {chosen.map((run) => (
            <li key={run.flowId}>
              <Link href={runPath(run.flowId)} data-row>
                <State state={run.status} />
                <span className="grow">
                  <Raw text={run.flowName} most={60} />
                  {run.userId !== null && (
                    <span className="muted">
                      {' '}
                      · <Raw text={run.userId} most={40} />
                    </span>
                  )}
                </span>
                <span className="num">{ms(run.durationMs)}</span>
                <span className="muted num">
                  <Time at={run.startedAt} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      <p>
        <Link href={searchPath({ ...filter, kind: 'runs' })}>Search all of them</Link>
      </p>
    </section>
  )
}
