import { useQuery } from '@tanstack/react-query'
import { Link, useSearchParams } from 'wouter'
import { dataOf, GET } from '../api/client.ts'
import { useLive } from '../api/live.ts'
import { runPath, searchPath, servicePath } from '../links.ts'
import { Empty, ErrorNote, Waiting } from '../parts/notes.tsx'
import { Raw } from '../parts/raw.tsx'
import { State } from '../parts/state.tsx'
import { RangePicker, useRange } from '../parts/time-range.tsx'
import { Time } from '../parts/time.tsx'
import { TrafficCharts, useTraffic } from '../parts/traffic.tsx'
import { VersionTable } from '../parts/versions.tsx'
import { count, ms, share } from '../tell.ts'
import { useTitle } from '../use-title.ts'
import { useFlows } from './use-flows.ts'

export default function Flow() {
  const [search] = useSearchParams()
  const name = search.get('name') ?? ''
  const [range, choose] = useRange()
  const window = { since: range.since, ...(range.until !== undefined && { until: range.until }) }
  const flow = useFlows({ name, ...window })
  const traffic = useTraffic({ flow: name }, range)
  const { snapshot } = useLive()
  useTitle(name)
  if (name === '') {
    return (
      <section className="page narrow">
        <Empty title="No flow is named here">
          <p>
            <Link href="/flows">Choose one</Link>
          </p>
        </Empty>
      </section>
    )
  }
  const told = flow.data?.items[0]
  const marks = (snapshot?.incidents ?? []).map(({ since }) => ({
    atS: Date.parse(since) / 1_000,
    colour: '--bad' as const,
  }))
  return (
    <article className="page">
      <header className="page-head">
        <div className="grow">
          <p className="above muted">flow</p>
          <h1>
            <Raw text={name} most={160} />
          </h1>
          <p className="links">
            <Link href={searchPath({ flow: name, kind: 'runs', ...window })}>Its runs</Link>
            <Link href={searchPath({ flow: name, kind: 'runs', status: 'error', ...window })}>Failed runs</Link>
            <Link href={searchPath({ flow: name, ...window })}>Its spans</Link>
          </p>
        </div>
        <RangePicker />
      </header>
      {told !== undefined && (
        <dl className="facts">
          {(
            [
              ['Runs', count(told.runs)],
              ['Failed', share(told.failed / Math.max(1, told.runs))],
              ['Users', count(told.users)],
              ['p50', ms(told.p50Ms)],
              ['p95', ms(told.p95Ms)],
              ['p99', ms(told.p99Ms)],
            ] as const
          ).map(([term, value]) => (
            <div key={term}>
              <dt>{term}</dt>
              <dd className="num">{value}</dd>
            </div>
          ))}
        </dl>
      )}
      <TrafficCharts of={{ flow: name }} range={range} marks={marks} onChoose={choose} />
      <div className="columns">
        <div>
          <Runs name={name} window={window} status="error" title="Failed runs" none="None failed in this time." />
        </div>
        <div>
          <section className="card" aria-labelledby="through">
            <h2 id="through">Services on its way</h2>
            <p className="chips">
              {told?.services.map((service) => (
                <Link key={service} href={servicePath(service)} className="chip">
                  <Raw text={service} most={60} />
                </Link>
              ))}
            </p>
          </section>
          {(traffic.data?.versions.length ?? 0) > 0 && (
            <section className="card" aria-labelledby="versions">
              <h2 id="versions">Versions of its entry</h2>
              <VersionTable versions={traffic.data?.versions ?? []} />
            </section>
          )}
          <Runs name={name} window={window} title="Latest runs" none="None in this time." />
        </div>
      </div>
    </article>
  )
}

function Runs({
  name,
  window,
  status,
  title,
  none,
}: {
  name: string
  window: { since: string; until?: string }
  status?: 'error'
  title: string
  none: string
}) {
  const runs = useQuery({
    queryKey: ['runs of a flow', name, window, status],
    queryFn: () =>
      dataOf(
        GET('/api/v1/executions', {
          params: { query: { flow: name, ...window, limit: 10, ...(status !== undefined && { status }) } },
        }),
      ),
    staleTime: 10_000,
  })
  return (
    <section className="card" aria-label={title}>
      <h2>{title}</h2>
      {runs.isPending && <Waiting />}
      {runs.isError && <ErrorNote error={runs.error} />}
      {runs.data?.items.length === 0 && <p className="muted">{none}</p>}
      <ul className="rows">
        {runs.data?.items.map((run) => (
          <li key={run.flowId}>
            <Link href={runPath(run.flowId)} data-row>
              <State state={run.status} />
              <span className="grow">
                <Raw text={run.userId} most={60} empty="no user is known" />
              </span>
              <span className="num">{ms(run.durationMs)}</span>
              <span className="muted">
                <Time at={run.startedAt} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}
