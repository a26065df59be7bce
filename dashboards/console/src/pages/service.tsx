import { useQuery } from '@tanstack/react-query'
import { Link, useLocation, useSearchParams } from 'wouter'
import { dataOf, Failure, GET } from '../api/client.ts'
import { useLive } from '../api/live.ts'
import { flowPath, incidentPath, query, searchPath, servicePath } from '../links.ts'
import { Share } from '../parts/meter.tsx'
import { Empty, ErrorNote, Waiting } from '../parts/notes.tsx'
import { Raw } from '../parts/raw.tsx'
import { State } from '../parts/state.tsx'
import { RangePicker, useRange } from '../parts/time-range.tsx'
import { Time } from '../parts/time.tsx'
import { TrafficCharts, useTraffic } from '../parts/traffic.tsx'
import { VersionTable } from '../parts/versions.tsx'
import { count, ms, plural } from '../tell.ts'
import { useTitle } from '../use-title.ts'

export default function Service() {
  const [search] = useSearchParams()
  const [, go] = useLocation()
  const name = search.get('name') ?? ''
  const operation = search.get('operation') ?? ''
  const [range, choose] = useRange()
  const { snapshot } = useLive()
  useTitle(name)
  const of = { service: name, ...(operation !== '' && { operation }) }
  const traffic = useTraffic(of, range)
  const node = snapshot?.nodes.find(({ id, service, kind }) => kind === 'service' && (id === name || service === name))
  const incidents =
    snapshot?.incidents.filter(
      ({ services }) => node !== undefined && services.some((each) => each === node.service || each === node.id),
    ) ?? []
  const window = { since: range.since, ...(range.until !== undefined && { until: range.until }) }
  const changes = useQuery({
    queryKey: ['changes', node?.service ?? name, range.key],
    queryFn: () => dataOf(GET('/api/v1/changes', { params: { query: { service: node?.service ?? name, ...window } } })),
    enabled: name !== '',
  })
  if (name === '') {
    return (
      <section className="page narrow">
        <Empty title="No service is named here">
          <p>
            <Link href="/services">Choose one</Link>
          </p>
        </Empty>
      </section>
    )
  }
  const marks = [
    ...(changes.data?.items ?? []).map(({ at }) => ({ atS: Date.parse(at) / 1_000, colour: '--accent' as const })),
    ...incidents.map(({ since }) => ({ atS: Date.parse(since) / 1_000, colour: '--bad' as const })),
  ]
  return (
    <article className="page">
      <header className="page-head">
        <div className="grow">
          <p className="above">
            <span className="muted">service</span>
            {node !== undefined && <State state={node.state} />}
            {incidents.map(({ id, title }) => (
              <Link key={id} href={incidentPath(id)}>
                ▲ <Raw text={title} most={80} />
              </Link>
            ))}
          </p>
          <h1>
            <Raw text={name} most={120} />
            {operation !== '' && (
              <small>
                {' '}
                <Raw text={operation} most={120} />
              </small>
            )}
          </h1>
          <p className="links">
            {operation !== '' && <Link href={servicePath(name)}>All its operations</Link>}
            <Link href={`/${query({ focus: name })}`}>On the map</Link>
            <Link href={searchPath({ ...of, ...window })}>Its spans</Link>
            <Link href={searchPath({ ...of, status: 'error', ...window })}>Failed spans</Link>
          </p>
        </div>
        <RangePicker />
      </header>
      <TrafficCharts of={of} range={range} marks={marks} onChoose={choose} />
      <div className="columns">
        <div>
          {operation === '' && (
            <Operations name={name} range={window} onOpen={(each) => go(servicePath(name, { operation: each }))} />
          )}
          <Dependencies name={node?.id ?? name} range={window} />
        </div>
        <div>
          <IfItFailed of={of} range={window} />
          <section className="card" aria-labelledby="versions">
            <h2 id="versions">Versions and changes</h2>
            {(traffic.data?.versions.length ?? 0) === 0 && (changes.data?.items.length ?? 0) === 0 && (
              <p className="muted">
                No <code>service.version</code> came with its spans. Report deploys with{' '}
                <code>POST /api/v1/changes</code>, and they become evidence.
              </p>
            )}
            <VersionTable versions={traffic.data?.versions ?? []} />
            <ul>
              {changes.data?.items.map((change) => (
                <li key={change.id}>
                  <Time at={change.at} /> {change.kind} <Raw text={change.version} most={60} />{' '}
                  <span className="muted">
                    <Raw text={change.description} most={200} />
                  </span>
                </li>
              ))}
            </ul>
          </section>
        </div>
      </div>
    </article>
  )
}

interface Window {
  since: string
  until?: string
}

function Operations({ name, range, onOpen }: { name: string; range: Window; onOpen: (operation: string) => void }) {
  const services = useQuery({
    queryKey: ['services', range.since, range.until],
    queryFn: () => dataOf(GET('/api/v1/services', { params: { query: range } })),
    staleTime: 15_000,
  })
  const own = services.data?.items.filter(({ service, namespace, environment }) => {
    const key = `${namespace === '' ? '' : `${namespace}/`}${service}${environment === '' ? '' : `@${environment}`}`
    return service === name || key === name
  })
  const operations = (own ?? []).flatMap((each) => each.operations).toSorted((a, b) => b.calls - a.calls)
  return (
    <section className="card" aria-labelledby="operations">
      <h2 id="operations">Operations</h2>
      {services.isError && <ErrorNote error={services.error} />}
      {services.isPending && <Waiting />}
      {services.isSuccess && operations.length === 0 && <p className="muted">None was called in this time.</p>}
      {operations.length > 0 && (
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Operation</th>
                <th scope="col" className="right">
                  Calls
                </th>
                <th scope="col">Failed</th>
                <th scope="col" className="right wide-only">
                  p50
                </th>
                <th scope="col" className="right">
                  p95
                </th>
              </tr>
            </thead>
            <tbody>
              {operations.slice(0, 40).map((each) => (
                <tr key={each.operation}>
                  <td>
                    <Link
                      href={servicePath(name, { operation: each.operation })}
                      data-row
                      onClick={(event) => {
                        event.preventDefault()
                        onOpen(each.operation)
                      }}
                    >
                      <Raw text={each.operation} most={80} empty="(no name)" />
                    </Link>
                  </td>
                  <td className="num right">{count(each.calls)}</td>
                  <td>
                    <Share value={each.errors / Math.max(1, each.calls)} />
                  </td>
                  <td className="num right nowrap wide-only">{ms(each.p50Ms)}</td>
                  <td className="num right nowrap">{ms(each.p95Ms)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

function Dependencies({ name, range }: { name: string; range: Window }) {
  const graph = useQuery({
    queryKey: ['graph', range.since, range.until],
    queryFn: () => dataOf(GET('/api/v1/graph', { params: { query: range } })),
    staleTime: 15_000,
  })
  const nodes = new Map(graph.data?.nodes.map((node) => [node.id, node]))
  const isOwn = (id: string) => id === name || (nodes.get(id)?.kind === 'service' && nodes.get(id)?.service === name)
  const edges = graph.data?.edges ?? []
  const lists = [
    { title: 'Calls', edges: edges.filter(({ from }) => isOwn(from)), end: 'to' as const },
    { title: 'Is called by', edges: edges.filter(({ to }) => isOwn(to)), end: 'from' as const },
  ]
  return (
    <section className="card" aria-labelledby="dependencies">
      <h2 id="dependencies">Dependencies</h2>
      {graph.isError && <ErrorNote error={graph.error} />}
      {lists.map((list) => (
        <div key={list.title}>
          <h3>{list.title}</h3>
          {list.edges.length === 0 ? (
            <p className="muted">{graph.isPending ? 'Reading…' : 'nobody in this time'}</p>
          ) : (
            <div className="scroll">
              <table>
                <tbody>
                  {list.edges.map((edge) => {
                    const other = nodes.get(edge[list.end])
                    return (
                      <tr key={`${edge.from} ${edge.to} ${edge.kind}`}>
                        <td>
                          {other?.kind === 'service' ? (
                            <Link href={servicePath(other.id)}>
                              <Raw text={other.id} most={60} />
                            </Link>
                          ) : (
                            <Raw text={other?.service ?? edge[list.end]} most={60} />
                          )}
                        </td>
                        <td className="muted">{kinds[edge.kind]}</td>
                        <td className="num right">{plural(edge.calls, 'call')}</td>
                        <td>
                          <Share value={edge.errors / Math.max(1, edge.calls)} />
                        </td>
                        <td className="num right nowrap">{ms(edge.p95Ms)}</td>
                      </tr>
                    )
                  })}
                </tbody>
              </table>
            </div>
          )}
        </div>
      ))}
    </section>
  )
}

const kinds = { sync: 'call', async: 'by message', peer: 'sends no spans', publish: 'queue' } as const

function IfItFailed({ of, range }: { of: { service: string; operation?: string }; range: Window }) {
  const impact = useQuery({
    queryKey: ['impact', of, range.since, range.until],
    queryFn: () => dataOf(GET('/api/v1/impact', { params: { query: { ...of, ...range } } })),
    staleTime: 60_000,
  })
  const none = impact.error instanceof Failure && impact.error.status === 404
  return (
    <section className="card" aria-labelledby="if">
      <h2 id="if">What would be hit if it failed</h2>
      {impact.isPending && <Waiting />}
      {none && <p className="muted">Nothing called it in this time.</p>}
      {impact.isError && !none && <ErrorNote error={impact.error} />}
      {impact.data !== undefined && (
        <>
          <p className="big">
            <span className="num">{count(impact.data.users.through)}</span> of {plural(impact.data.users.seen, 'user')}
            <Share value={impact.data.users.share} tone="plain" />
          </p>
          <table>
            <thead>
              <tr>
                <th scope="col">Flow</th>
                <th scope="col" className="right">
                  Runs through it
                </th>
                <th scope="col">Share</th>
              </tr>
            </thead>
            <tbody>
              {impact.data.flows.slice(0, 12).map((flow) => (
                <tr key={flow.name}>
                  <td>
                    <Link href={flowPath(flow.name)}>
                      <Raw text={flow.name} most={60} />
                    </Link>
                  </td>
                  <td className="num right">{count(flow.runsThrough)}</td>
                  <td>
                    <Share value={flow.share} tone="plain" />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {impact.data.services.length > 0 && (
            <>
              <h3>Services that depend on it</h3>
              <p className="chips">
                {impact.data.services.map((each) => (
                  <Link
                    key={`${each.namespace} ${each.service} ${each.environment}`}
                    className="chip"
                    href={servicePath(each.service)}
                  >
                    <Raw text={each.service} most={40} />
                  </Link>
                ))}
              </p>
            </>
          )}
        </>
      )}
    </section>
  )
}
