import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { dataOf, GET } from '../api/client.ts'
import { useLive } from '../api/live.ts'
import { Snippet } from '../parts/copy.tsx'
import { State } from '../parts/state.tsx'
import { count } from '../tell.ts'

const otlp = `${location.protocol}//${location.hostname}:4318`

const inNode = `npm install @headwater/agent
export OTEL_SERVICE_NAME=shop
export OTEL_EXPORTER_OTLP_ENDPOINT=${otlp}
node --import @headwater/agent/register app.js`

const inAny = `export OTEL_SERVICE_NAME=shop
export OTEL_EXPORTER_OTLP_ENDPOINT=${otlp}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`

const byHand = `curl ${otlp}/v1/traces -H 'content-type: application/json' -d '{"resourceSpans":[{
  "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
  "scopeSpans":[{"spans":[{"traceId":"'$(openssl rand -hex 16)'","spanId":"'$(openssl rand -hex 8)'",
    "name":"GET /hello","kind":2,"startTimeUnixNano":"'$(date +%s)000000000'","endTimeUnixNano":"'$(date +%s)050000000'"}]}]}]}'`

/** How the first span gets here. Shown wherever there is nothing yet; it notices by itself when something comes. */
export function FirstSpan() {
  const { snapshot } = useLive()
  const services = snapshot?.nodes.filter(({ kind }) => kind === 'service').length ?? 0
  const ledger = useQuery({
    queryKey: ['ledger'],
    queryFn: () => dataOf(GET('/api/v1/ledger')),
    refetchInterval: 2_000,
  })
  const stored = (ledger.data?.items ?? [])
    .filter(({ signal }) => signal === 'traces')
    .reduce((sum, row) => sum + row.stored, 0)
  return (
    <div className="first">
      <h1>Send the first span</h1>
      <p>Services that send OpenTelemetry appear here by themselves, some seconds after their first request.</p>
      <p role="status" className="check">
        {services > 0 ? (
          <>
            <State state="ok" word="it works" /> {services} services are seen. <Link href="/">Look at them</Link>
          </>
        ) : stored > 0 ? (
          <>
            <State state="running" word="spans arrive" /> {count(stored)} spans are stored; the map follows when their
            traces have been quiet for some seconds.
          </>
        ) : (
          <>
            <State state="quiet" word="waiting" /> Nothing has come to this Headwater yet.
          </>
        )}
      </p>
      <h2>A Node service</h2>
      <Snippet text={inNode} />
      <h2>Anything with an OpenTelemetry SDK</h2>
      <Snippet text={inAny} />
      <h2>By hand</h2>
      <Snippet text={byHand} />
      <p className="muted">
        Nothing comes? <code>npx headwater doctor</code> says what runs, what arrives and what to mend;{' '}
        <code>npx headwater doctor -- node app.js</code> looks into a service.
      </p>
    </div>
  )
}

export function Start() {
  return (
    <section className="page narrow">
      <FirstSpan />
    </section>
  )
}
