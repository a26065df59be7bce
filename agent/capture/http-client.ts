import type { ClientRequest, IncomingMessage } from 'node:http'
import { type Attributes, type Span, SpanKind, context, trace } from '@opentelemetry/api'
import { setFailure } from '../flow/exception.ts'
import { flowIdHeader } from '../propagation/flow-claims.ts'
import { isTracingSuppressed } from '../trace/suppression.ts'
import type { Capturing } from './capturing.ts'
import { guarded, hear } from './channel.ts'
import { mark } from '../flow/mark.ts'
import { nameOfMethod, pathOf, readAuthority, setConnection, setMethod, setStatus } from './http-conventions.ts'

/** Spans of requests that are under way. */
const spans = mark<Span>()

/** A client span for every request of `node:http` and `node:https`, which carries trace and flow on. */
export function captureHttpClient({ tracer, propagator }: Capturing): void {
  hear<{ request: ClientRequest }>('http.client.request.created', ({ request }) => {
    const parent = context.active()
    // A request that cannot be made any more closes without having been sent.
    if (isTracingSuppressed(parent) || request.destroyed) return
    const span = tracer().startSpan(
      nameOfMethod(request.method),
      { kind: SpanKind.CLIENT, attributes: attributesOf(request) },
      parent,
    )
    spans.set(request, span)
    propagator.send(trace.setSpan(parent, span), { host: hostOf(request) }, (name, value) =>
      setHeader(request, name, value),
    )
    request.once('close', () => guarded('the end of a request', () => span.end()))
  })

  hear<{ request: ClientRequest; response: IncomingMessage }>(
    'http.client.response.finish',
    ({ request, response }) => {
      const span = spans.get(request)
      if (!span) return
      setStatus(span, response.statusCode ?? 0, 400)
      setConnection(span, response.socket, response.httpVersion)
    },
  )

  hear<{ request: ClientRequest; error: Error }>('http.client.request.error', ({ request, error }) => {
    const span = spans.get(request)
    if (span) setFailure(span, error)
  })
}

function attributesOf(request: ClientRequest): Attributes {
  const scheme = request.protocol.replace(/:$/, '')
  const authority = authorityOf(request)
  const { host, port } = readAuthority(authority ?? hostOf(request), scheme)
  const attributes: Attributes = {}
  setMethod(attributes, request.method)
  const path = pathOf(request.path)
  // To a proxy the whole URL is sent as the path.
  attributes['url.full'] = /^https?:/i.test(path) ? withoutUser(path) : `${scheme}://${authority ?? host}${path}`
  attributes['server.address'] = hostOf(request)
  attributes['server.port'] = port
  return attributes
}

function hostOf({ host }: ClientRequest): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}

/** The Host header as it will be sent. Node keeps no other record of the port. */
function authorityOf(request: ClientRequest): string | undefined {
  const header = request.getHeader('host')
  if (header !== undefined) return String(header)
  return /\r\nhost: *([^\r]+)/i.exec(headText(request) ?? '')?.[1]
}

/** Headers given as a list are written at once, to a text that waits for its connection. */
interface WrittenHead {
  _header?: string | null
}

function headText(request: ClientRequest): string | undefined {
  return (request as ClientRequest & WrittenHead)._header ?? undefined
}

/** A flow ID that the service sends itself is its own matter; the rest is ours to say, and is said once. */
function setHeader(request: ClientRequest, name: string, value: string): void {
  const head = headText(request)
  if (head === undefined) {
    if (name !== flowIdHeader || !request.hasHeader(name)) request.setHeader(name, value)
    return
  }
  if (!head.endsWith('\r\n\r\n')) return
  const lines = new RegExp(`\\r\\n${name}:[^\\r\\n]*`, 'gi')
  if (name === flowIdHeader && lines.test(head)) return
  const rest = head.replaceAll(lines, '')
  ;(request as ClientRequest & WrittenHead)._header = `${rest.slice(0, -2)}${name}: ${value}\r\n\r\n`
}

/** Without user and password. One with a slash in its password has another host than it seems, and is not told at all. */
function withoutUser(text: string): string | undefined {
  const url = URL.parse(text)
  return url === null || url.pathname.includes('@') ? undefined : `${url.origin}${url.pathname}`
}
