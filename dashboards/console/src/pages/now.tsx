import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Link, useLocation, useSearchParams } from 'wouter'
import { dataOf, GET, type Schemas } from '../api/client.ts'
import { type Snapshot, useLive } from '../api/live.ts'
import { flowPath, incidentPath, servicePath } from '../links.ts'
import { isOpenable } from '../map/groups.ts'
import { type Way, wayOn } from '../map/layout.ts'
import { ServiceMap } from '../map/service-map.tsx'
import { ErrorNote, Waiting } from '../parts/notes.tsx'
import { Raw } from '../parts/raw.tsx'
import { State } from '../parts/state.tsx'
import { Since } from '../parts/time.tsx'
import { ms, plural, rate, share } from '../tell.ts'
import { useAddressed } from '../use-addressed.ts'
import { useTitle } from '../use-title.ts'
import { FirstSpan } from './start.tsx'
import { useFlows } from './use-flows.ts'

export default function Now() {
  useTitle('Now')
  const { snapshot, state } = useLive()
  const [search, setSearch] = useSearchParams()
  const [, go] = useLocation()
  const [find, setFind] = useAddressed('find')
  const focus = search.get('focus') ?? undefined
  const group = search.get('group') ?? undefined
  const hops = Number(search.get('hops') ?? '1') === 2 ? 2 : 1
  const incidentId = search.get('incident') ?? undefined
  const incident = useIncident(incidentId)
  const way = useMemo(() => (incident.data === undefined ? undefined : wayOf(incident.data)), [incident.data])
  const isTable = search.get('as') === 'table'
  const change = (name: string, value: string | null) =>
    setSearch((now) => {
      const next = new URLSearchParams(now)
      if (value === null) next.delete(name)
      else next.set(name, value)
      return next
    })

  if (snapshot === undefined) {
    return (
      <section className="page">
        {state === 'away' ? (
          <ErrorNote error={new Error('Nothing of what goes on can be read. It is tried again by itself.')} />
        ) : (
          <Waiting what="Reading what goes on" />
        )}
      </section>
    )
  }
  const isEmpty = snapshot.nodes.length === 0
  return (
    <div className="now">
      <div className="map-side">
        {isEmpty ? (
          <FirstSpan />
        ) : (
          <>
            <div className="tools">
              <h1>Now</h1>
              <input
                type="search"
                aria-label="Find a service on the map"
                placeholder="Find on the map"
                value={find}
                onChange={(event) => setFind(event.target.value)}
                onKeyDown={(event) => {
                  const wanted = find.trim().toLowerCase()
                  const found = snapshot.nodes.find(({ service }) => service.toLowerCase().includes(wanted))
                  if (event.key === 'Enter' && wanted !== '' && found !== undefined) {
                    setSearch({ focus: found.id, ...(isTable && { as: 'table' }) })
                    setFind('')
                  }
                }}
              />
              {focus !== undefined && (
                <>
                  <span>
                    around <strong>{<Raw text={focus} most={40} />}</strong>
                  </span>
                  <button
                    type="button"
                    aria-pressed={hops === 2}
                    onClick={() => change('hops', hops === 2 ? null : '2')}
                  >
                    two calls wide
                  </button>
                  <Link href={servicePath(focus)} className="button">
                    Its page
                  </Link>
                  <button type="button" onClick={() => setSearch({})}>
                    Show all
                  </button>
                </>
              )}
              {incidentId !== undefined && (
                <>
                  <WayTold incident={incident} way={way} snapshot={snapshot} />
                  <button type="button" onClick={() => setSearch({})}>
                    Show all
                  </button>
                </>
              )}
              {focus === undefined && group !== undefined && (
                <>
                  <span>
                    within <strong>{<Raw text={group} most={40} />}</strong>
                  </span>
                  <button type="button" onClick={() => setSearch({})}>
                    Show all
                  </button>
                </>
              )}
              <span className="grow" />
              <button type="button" aria-pressed={isTable} onClick={() => change('as', isTable ? null : 'table')}>
                As a table
              </button>
            </div>
            {isTable ? (
              <NodeTable nodes={snapshot.nodes} />
            ) : (
              <div className="map">
                <ServiceMap
                  snapshot={snapshot}
                  focus={focus}
                  hops={hops}
                  way={way}
                  group={focus === undefined ? group : undefined}
                  find={find}
                  onOpen={(node) => {
                    if (node.group !== undefined) {
                      if (isOpenable(node)) change('group', node.group.name)
                    } else if (focus !== undefined && (node.id === focus || node.service === focus)) {
                      if (node.kind === 'service') go(servicePath(node.id))
                    } else if (incidentId !== undefined) setSearch({ focus: node.id })
                    else change('focus', node.id)
                  }}
                />
              </div>
            )}
          </>
        )}
      </div>
      <aside aria-label="Incidents and flows">
        <Open incidents={snapshot.incidents} />
        {!isEmpty && <TopFlows />}
      </aside>
    </div>
  )
}

/** The incident whose way the address asks for. */
function useIncident(id: string | undefined) {
  return useQuery({
    queryKey: ['incident', id],
    queryFn: () => dataOf(GET('/api/v1/incidents/{id}', { params: { path: { id: id ?? '' } } })),
    enabled: id !== undefined,
    refetchInterval: 15_000,
  })
}

/** The way of the first cause; undefined where none is told. */
function wayOf({ causes: [cause], impact }: Schemas['Incident']): Way | undefined {
  if (cause === undefined) return undefined
  return { path: cause.path.toReversed().map(({ service }) => service), peer: cause.peer, hit: impact.services }
}

/** What is drawn of the incident, in words, and why where nothing is. */
function WayTold({
  incident: { data, isError },
  way,
  snapshot,
}: {
  incident: ReturnType<typeof useIncident>
  way: Way | undefined
  snapshot: Snapshot
}) {
  if (data === undefined) return <span>{isError ? 'The incident cannot be read' : 'Reading the incident…'}</span>
  const link = <Link href={incidentPath(data.id)}>the incident</Link>
  if (way === undefined) return <span>No cause is told of {link}</span>
  if (wayOn(snapshot, way).nodes.size === 0) return <span>No service on the way of {link} was called of late</span>
  const names = [...way.path, ...(way.peer === undefined ? [] : [way.peer])]
  return (
    <span>
      <Raw text={names.join(' → ')} most={120} />, the way of {link}
    </span>
  )
}

function Open({ incidents }: { incidents: Snapshot['incidents'] }) {
  return (
    <>
      <h2>{incidents.length === 0 ? 'No incident is open' : plural(incidents.length, 'open incident')}</h2>
      {incidents.length === 0 ? (
        <p className="muted">
          <Link href="/incidents">Earlier ones</Link>
        </p>
      ) : (
        <ul className="rows">
          {incidents.map((incident) => (
            <li key={incident.id}>
              <Link href={incidentPath(incident.id)} data-row>
                <span>
                  <State state="open" word="" />
                </span>
                <span className="grow">
                  <strong>
                    <Raw text={incident.title} most={140} />
                  </strong>
                  <span className="muted below">
                    for <Since from={incident.since} /> · {plural(incident.flows, 'flow')} ·{' '}
                    {plural(incident.usersAffected, 'user')}
                  </span>
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

const flowsShown = 12

function TopFlows() {
  const flows = useFlows({})
  const items = flows.data?.items ?? []
  if (items.length === 0) return null
  return (
    <div className="minor">
      <h2>Flows, last hour</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Flow</th>
            <th scope="col" className="right">
              p95
            </th>
            <th scope="col" className="right">
              Failed
            </th>
          </tr>
        </thead>
        <tbody>
          {items.slice(0, flowsShown).map((flow) => (
            <tr key={flow.name}>
              <td>
                <Link href={flowPath(flow.name)} data-row>
                  <Raw text={flow.name} most={40} />
                </Link>
              </td>
              <td className="num right nowrap">{ms(flow.p95Ms)}</td>
              <td className={`num right nowrap${flow.failed > 0 ? ' bad-text' : ' muted'}`}>
                {share(flow.failed / Math.max(1, flow.runs))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {items.length > flowsShown && (
        <p>
          <Link href="/flows">All {items.length} flows</Link>
        </p>
      )}
    </div>
  )
}

/** The map for who cannot see it, or would rather read. */
function NodeTable({ nodes }: { nodes: Snapshot['nodes'] }) {
  const order = { cause: 0, failing: 1, hit: 2, ok: 3, quiet: 4 }
  const sorted = nodes.toSorted((a, b) => order[a.state] - order[b.state] || b.calls - a.calls)
  return (
    <div className="table">
      <table>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Service</th>
            <th scope="col">Kind</th>
            <th scope="col" className="right">
              Calls
            </th>
            <th scope="col" className="right">
              Failed
            </th>
            <th scope="col" className="right">
              p95
            </th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((node) => (
            <tr key={node.id}>
              <td>
                <State state={node.state} />
              </td>
              <td>
                {node.kind === 'service' ? (
                  <Link href={servicePath(node.id)} data-row>
                    <Raw text={node.id} most={80} />
                  </Link>
                ) : (
                  <Raw text={node.service} most={80} />
                )}
              </td>
              <td className="muted">{node.kind}</td>
              <td className="num right">{rate(node.perSecond)}</td>
              <td className="num right">{node.calls === 0 ? '–' : share(node.errors / node.calls)}</td>
              <td className="num right">{ms(node.p95Ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
