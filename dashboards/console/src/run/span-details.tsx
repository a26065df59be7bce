import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { dataOf, GET, type Schemas } from '../api/client.ts'
import { runPath, searchPath, servicePath } from '../links.ts'
import { ErrorNote, Waiting } from '../parts/notes.tsx'
import { Raw, RawBlock } from '../parts/raw.tsx'
import { State } from '../parts/state.tsx'
import { Time } from '../parts/time.tsx'
import { ms } from '../tell.ts'
import { type Row, type Span } from './tree.ts'

type LogRecord = Schemas['LogRecord']
type WholeSpan = Schemas['Span']

/** Whoever walks through a run by the keys looks this long at a span before more of it is asked for. */
const glanceMs = 120

/** The span with all that was sent with it: a run's outline has not. For a component that shows one span only. */
function useWholeSpan({ traceId, spanId }: Span, isRunning: boolean) {
  const [isLookedAt, setIsLookedAt] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setIsLookedAt(true), glanceMs)
    return () => clearTimeout(timer)
  }, [])
  return useQuery({
    queryKey: ['span', traceId, spanId],
    queryFn: ({ signal }) =>
      dataOf(GET('/api/v1/traces/{traceId}/spans/{spanId}', { params: { path: { traceId, spanId } }, signal })),
    enabled: isLookedAt,
    staleTime: 30_000,
    refetchInterval: isRunning ? 3_000 : false,
  })
}

export function SpanDetails({
  row,
  logs,
  usualMs,
  isRunning,
  close,
}: {
  row: Row
  logs: readonly LogRecord[]
  usualMs: number | undefined
  /** Whether more may come of its run, as an exception of this span. */
  isRunning: boolean
  close: () => void
}) {
  const { span } = row
  const whole = useWholeSpan(span, isRunning)
  const own = logs.filter(({ spanId, traceId }) => spanId === span.spanId && traceId === span.traceId)
  return (
    <aside className="details" aria-label="The chosen span">
      <header>
        <div className="row">
          <State state={row.failed ? 'error' : 'ok'} />
          <span className="muted">{span.kind.toLowerCase()}</span>
          <span className="grow" />
          <button type="button" className="quiet" aria-label="Close" onClick={close}>
            ✕
          </button>
        </div>
        <h2>
          <Raw text={span.name} most={300} />
        </h2>
        <p>
          <Link href={servicePath(span.serviceName)}>
            <Raw text={span.serviceName} most={100} />
          </Link>
        </p>
        <dl className="facts">
          <div>
            <dt>Took</dt>
            <dd className="num">{ms(span.durationNs / 1e6)}</dd>
          </div>
          {usualMs !== undefined && (
            <div>
              <dt>Usual</dt>
              <dd className="num">{ms(usualMs)}</dd>
            </div>
          )}
          <div>
            <dt>Began after</dt>
            <dd className="num">{ms(row.startMs)}</dd>
          </div>
          {row.waitedMs > 0 && (
            <div>
              <dt>In the queue</dt>
              <dd className="num">{ms(row.waitedMs)}</dd>
            </div>
          )}
        </dl>
      </header>
      {whole.data === undefined ? (
        whole.isError ? (
          <ErrorNote error={whole.error} retry={() => void whole.refetch()} />
        ) : (
          <Waiting what="Reading the span" />
        )
      ) : (
        <WhatFailed span={whole.data.span} isCut={whole.data.truncated} />
      )}
      {own.length > 0 && (
        <section>
          <h3>Logs</h3>
          <Logs logs={own} />
        </section>
      )}
      {whole.data !== undefined && <WhatWasSent span={whole.data.span} />}
    </aside>
  )
}

function WhatFailed({ span, isCut }: { span: WholeSpan; isCut: boolean }) {
  const exceptions = span.events.filter(({ name }) => name === 'exception')
  return (
    <>
      {span.statusMessage !== '' && (
        <section>
          <h3>Status</h3>
          <RawBlock text={span.statusMessage} />
        </section>
      )}
      {exceptions.map((event, i) => (
        <section key={`${event.timestamp} ${i}`}>
          <h3 className="bad-text">
            <Raw text={event.attributes['exception.type']} most={200} empty="Exception" />
          </h3>
          <RawBlock text={event.attributes['exception.message'] ?? ''} />
          {event.attributes['exception.stacktrace'] !== undefined && (
            <details open>
              <summary>Stack</summary>
              <RawBlock text={event.attributes['exception.stacktrace']} />
            </details>
          )}
        </section>
      ))}
      {isCut && <p className="muted">More exceptions were logged with it than are shown.</p>}
    </>
  )
}

function WhatWasSent({ span }: { span: WholeSpan }) {
  const events = span.events.filter(({ name }) => name !== 'exception')
  return (
    <>
      {events.length > 0 && (
        <section>
          <h3>Events</h3>
          {events.slice(0, 100).map((event, i) => (
            <details key={`${event.timestamp} ${i}`}>
              <summary>
                <span className="grow">
                  <Raw text={event.name} most={120} />
                </span>
                <Time at={event.timestamp} />
              </summary>
              <Attributes of={event.attributes} />
            </details>
          ))}
        </section>
      )}
      <section>
        <h3>Attributes</h3>
        <Attributes of={span.spanAttributes} isSearched />
      </section>
      {span.links.length > 0 && (
        <section>
          <h3>Links</h3>
          <ul>
            {span.links.slice(0, 100).map((link) => (
              <li key={`${link.traceId} ${link.spanId}`}>
                <Link href={runPath(link.traceId)} className="mono">
                  {link.traceId}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
      <details>
        <summary>Resource and IDs</summary>
        <Attributes of={{ ...idsOf(span), ...span.resourceAttributes }} />
      </details>
    </>
  )
}

function idsOf({ traceId, spanId, parentSpanId, flowId, scopeName, scopeVersion }: WholeSpan): Record<string, string> {
  return {
    trace: traceId,
    span: spanId,
    parent: parentSpanId,
    flow: flowId,
    scope: `${scopeName} ${scopeVersion}`.trim(),
  }
}

/** Attributes that are shown at most; a span may have very many. */
const attributesMax = 200

function Attributes({ of, isSearched = false }: { of: Record<string, string>; isSearched?: boolean }) {
  const all = Object.entries(of).filter(([, value]) => value !== '')
  if (all.length === 0) return <p className="muted">none</p>
  return (
    <dl className="attributes">
      {all
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, attributesMax)
        .map(([name, value]) => (
          <div key={name}>
            <dt>
              <Raw text={name} most={120} />
            </dt>
            <dd>
              <Raw text={value} most={600} />
              {isSearched && value.length <= 300 && (
                <Link
                  href={searchPath({ attribute: `${name}=${value}` })}
                  className="seek"
                  aria-label={`Search for this ${name}`}
                >
                  ⌕
                </Link>
              )}
            </dd>
          </div>
        ))}
      {all.length > attributesMax && <p className="muted">and {all.length - attributesMax} more</p>}
    </dl>
  )
}

export function Logs({ logs, onSpan }: { logs: readonly LogRecord[]; onSpan?: (record: LogRecord) => void }) {
  return (
    <ol className="logs">
      {logs.map((record, i) => (
        <li key={`${record.timestamp} ${i}`} className={/^(ERROR|FATAL)/i.test(record.severity) ? 'bad' : ''}>
          <Time at={record.timestamp} />
          <b>{record.severity === '' ? '·' : <Raw text={record.severity} most={10} />}</b>
          <span className="muted">
            <Raw text={record.serviceName} most={30} />
          </span>
          <span className="grow">
            <Raw text={record.body} most={1_000} />
            {onSpan !== undefined && record.spanId !== '' && (
              <button type="button" className="link" onClick={() => onSpan(record)}>
                its span
              </button>
            )}
          </span>
        </li>
      ))}
    </ol>
  )
}
