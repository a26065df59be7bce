import type { Schemas } from '../api/client.ts'
import { Link } from 'wouter'
import { runPath, searchPath, servicePath } from '../links.ts'
import { Raw, RawBlock } from '../parts/raw.tsx'
import { State } from '../parts/state.tsx'
import { Time } from '../parts/time.tsx'
import { ms } from '../tell.ts'
import { type Row, type Span } from './tree.ts'

type LogRecord = Schemas['LogRecord']

export function SpanDetails({
  row,
  logs,
  usualMs,
  close,
}: {
  row: Row
  logs: readonly LogRecord[]
  usualMs: number | undefined
  close: () => void
}) {
  const { span } = row
  const exceptions = span.events.filter(({ name }) => name === 'exception')
  const events = span.events.filter(({ name }) => name !== 'exception')
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
      {own.length > 0 && (
        <section>
          <h3>Logs</h3>
          <Logs logs={own} />
        </section>
      )}
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
    </aside>
  )
}

function idsOf({ traceId, spanId, parentSpanId, flowId, scopeName, scopeVersion }: Span): Record<string, string> {
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
