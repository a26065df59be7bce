import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Link, useSearchParams } from 'wouter'
import { dataOf, GET, type Schemas } from '../api/client.ts'
import { flowPath, incidentPath, searchPath, servicePath } from '../links.ts'
import { Copy } from '../parts/copy.tsx'
import { ErrorNote, Waiting } from '../parts/notes.tsx'
import { Raw } from '../parts/raw.tsx'
import { State } from '../parts/state.tsx'
import { Time } from '../parts/time.tsx'
import { nameOf, WhySlow } from '../run/slow.tsx'
import { Logs, SpanDetails } from '../run/span-details.tsx'
import { keyOf, type Span, waterfallOf } from '../run/tree.ts'
import { type Shown, WaterfallView } from '../run/waterfall.tsx'
import { ms, plural } from '../tell.ts'
import { useTitle } from '../use-title.ts'

export default function Run({ id }: { id: string }) {
  const params = { path: { flowId: id } }
  const run = useQuery({
    queryKey: ['run', id],
    queryFn: () => dataOf(GET('/api/v1/executions/{flowId}/outline', { params })),
    // A run that is not settled yet grows.
    refetchInterval: ({ state }) => (state.data?.status === 'running' ? 3_000 : false),
    staleTime: 30_000,
  })
  const isThere = run.data !== undefined
  const explained = useQuery({
    queryKey: ['explain', id],
    queryFn: () => dataOf(GET('/api/v1/executions/{flowId}/explain', { params })),
    enabled: isThere,
    staleTime: 30_000,
  })
  useTitle(run.data === undefined ? 'Run' : run.data.flowName)
  if (run.data === undefined) {
    return (
      <section className="page">
        {run.isError ? (
          <>
            <ErrorNote error={run.error} retry={() => void run.refetch()} />
            <p>
              Spans need some seconds to arrive and to settle. <Link href="/search">Search for others</Link>
            </p>
          </>
        ) : (
          <Waiting what="Reading the run" />
        )}
      </section>
    )
  }
  return <Told run={run.data} explanation={explained.data} />
}

type RunData = Schemas['Execution'] & { traces: { traceId: string; spans: Span[] }[]; truncated: boolean }

function Told({ run, explanation }: { run: RunData; explanation: Schemas['Explanation'] | undefined }) {
  const [search, setSearch] = useSearchParams()
  const params = { path: { flowId: run.flowId } }
  const usual = useQuery({
    queryKey: ['usual', run.flowId],
    queryFn: () => dataOf(GET('/api/v1/executions/{flowId}/usual', { params })),
    staleTime: 300_000,
  })
  const logs = useQuery({
    queryKey: ['logs', run.flowId],
    queryFn: () => dataOf(GET('/api/v1/executions/{flowId}/logs', { params })),
    staleTime: 30_000,
  })
  const waterfall = useMemo(() => waterfallOf(run.traces), [run.traces])
  const origin = explanation?.origin ?? null
  const selected = search.get('span') ?? undefined
  const selectedRow = waterfall.rows.find(({ span }) => keyOf(span) === selected || span.spanId === selected)
  const select = (key: string | undefined) =>
    setSearch(
      (now) => {
        const next = new URLSearchParams(now)
        if (key === undefined) next.delete('span')
        else next.set('span', key)
        return next
      },
      { replace: true },
    )
  const shown = useMemo(() => shownOf(search), [search])
  const show = ({ only, folded }: Shown) =>
    setSearch(
      (now) => {
        const next = new URLSearchParams(now)
        next.delete('only')
        next.delete('fold')
        if (only !== 'all') next.set('only', only)
        for (const key of [...folded].slice(-foldedMost)) next.append('fold', key)
        return next
      },
      { replace: true },
    )
  const status = explanation?.status ?? run.status
  const records = logs.data?.items ?? []
  const usualOf = new Map(usual.data?.items.map((each) => [nameOf(each.service, each.operation), each.p50Ms]))
  return (
    <article className="page run">
      <header>
        <p className="above">
          <State state={status} />
          <span>
            began <Time at={run.startedAt} />
          </span>
          <span className="num">{ms(run.durationMs)}</span>
          {run.userId !== null && (
            <span>
              user{' '}
              <Link href={searchPath({ user: run.userId, kind: 'runs' })}>
                <Raw text={run.userId} most={60} />
              </Link>
            </span>
          )}
          <span className="muted">
            {plural(run.services.length, 'service')}, {plural(run.traceIds.length, 'trace')}
          </span>
          <span data-copied>
            <code>{run.flowId}</code> <Copy text={run.flowId} label="Copy flow ID" />
          </span>
        </p>
        <h1>
          <Link href={flowPath(run.flowName)} className="plain">
            <Raw text={run.flowName} most={200} />
          </Link>
        </h1>
      </header>
      {run.truncated && (
        <p className="note">
          This run has more spans than are shown: the first {waterfall.rows.length.toLocaleString('en')} are here.
        </p>
      )}
      <div className="why columns">
        <section className="card" aria-labelledby="why">
          <h2 id="why">
            {origin === null ? 'What happened' : status === 'slow' ? 'What slowed first' : 'What failed first'}
          </h2>
          {explanation === undefined ? (
            <Waiting what="Explaining" />
          ) : (
            <Why explanation={explanation} select={select} />
          )}
        </section>
        <section className="card" aria-labelledby="slow">
          <h2 id="slow">Against what is usual</h2>
          {usual.data === undefined ? (
            <Waiting />
          ) : (
            <WhySlow rows={waterfall.rows} usual={usual.data.items} onSelect={({ span }) => select(keyOf(span))} />
          )}
        </section>
      </div>
      <div className={selectedRow === undefined ? 'spans' : 'spans with-details'}>
        {waterfall.rows.length === 0 ? (
          <p className="note">The spans of this run are no longer kept; what was counted of it still is.</p>
        ) : (
          <WaterfallView
            waterfall={waterfall}
            firstFailure={origin === null ? undefined : keyOf(origin)}
            selected={selectedRow && keyOf(selectedRow.span)}
            onSelect={select}
            shown={shown}
            onShow={show}
          />
        )}
        {selectedRow !== undefined && (
          <SpanDetails
            key={keyOf(selectedRow.span)}
            row={selectedRow}
            logs={records}
            usualMs={usualOf.get(nameOf(selectedRow.span.serviceName, selectedRow.span.name))}
            isRunning={run.status === 'running'}
            close={() => select(undefined)}
          />
        )}
      </div>
      {records.length > 0 && (
        <section className="card" aria-labelledby="logs">
          <h2 id="logs">
            Logs <span className="muted num">{records.length}</span>
          </h2>
          <Logs logs={records.slice(0, 200)} onSpan={(record) => select(keyOf(record))} />
          {records.length > 200 && <p className="muted">The first 200 are shown here; those of a span beside it.</p>}
        </section>
      )}
    </article>
  )
}

/** An address has room for so many folded spans; the first ones open again when there are more. */
const foldedMost = 60

function shownOf(search: URLSearchParams): Shown {
  const only = search.get('only')
  return {
    only: only === 'errors' || only === 'critical' ? only : 'all',
    folded: new Set(search.getAll('fold').slice(0, foldedMost)),
  }
}

function Why({ explanation, select }: { explanation: Schemas['Explanation']; select: (key: string) => void }) {
  const { origin, path, reasons, alsoHit, incidentId } = explanation
  return (
    <>
      {origin !== null && (
        <p className="big">
          <Link href={servicePath(origin.service)}>
            <Raw text={origin.service} most={60} />
          </Link>{' '}
          <Raw text={origin.operation} most={100} />
          {origin.peer !== undefined && (
            <>
              {' '}
              calling <Raw text={origin.peer} most={60} />
            </>
          )}{' '}
          <button type="button" className="link" onClick={() => select(keyOf(origin))}>
            show its span
          </button>
        </p>
      )}
      {origin?.message !== undefined && (
        <p>
          <code>
            <Raw text={origin.message} most={400} />
          </code>
        </p>
      )}
      <ul className="reasons">
        {reasons.map((reason) => (
          <li key={reason}>
            <Raw text={reason} most={600} />
          </li>
        ))}
      </ul>
      {path.length > 1 && (
        <p className="muted">
          {path
            .toReversed()
            .map(({ service }) => service)
            .join(' → ')}
        </p>
      )}
      {(alsoHit.flows.length > 0 || alsoHit.users > 0) && (
        <p>
          The same hits {plural(alsoHit.users, 'other user')}
          {alsoHit.flows.length > 0 && ` and ${plural(alsoHit.flows.length, 'other flow')}`}.
        </p>
      )}
      {incidentId !== null && (
        <p>
          <Link href={incidentPath(incidentId)}>▲ The incident that it belongs to</Link>
        </p>
      )}
    </>
  )
}
