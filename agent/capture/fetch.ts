import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Attributes, type Span, SpanKind, context, trace } from '@opentelemetry/api'
import { setFailure } from '../flow/exception.ts'
import { flowIdHeader } from '../propagation/flow-claims.ts'
import { isTracingSuppressed } from '../trace/suppression.ts'
import type { Capturing } from './capturing.ts'
import { hear } from './channel.ts'
import { mark } from '../flow/mark.ts'
import { nameOfMethod, pathOf, setConnection, setMethod, setStatus } from './http-conventions.ts'

/** A request of undici, on which the global `fetch` stands as well. */
interface UndiciRequest {
  origin: string | URL
  method: string
  path: string
  addHeader(name: string, value: string): void
  /** Names and values by turns; lines of text in older versions. */
  headers?: unknown
  upgrade?: unknown
}

const spans = mark<Span>()

/** A client span for every request of `fetch` and undici, which carries trace and flow on. */
export function captureFetch({ tracer, propagator }: Capturing): void {
  hear<{ request: UndiciRequest }>('undici:request:create', ({ request }) => {
    const parent = context.active()
    // A WebSocket is no request that ends.
    if (isTracingSuppressed(parent) || Boolean(request.upgrade)) return
    const origin = originOf(String(request.origin))
    const attributes: Attributes = {}
    setMethod(attributes, request.method)
    attributes['url.full'] = `${origin.text}${pathOf(request.path)}`
    attributes['server.address'] = origin.host
    attributes['server.port'] = origin.port
    const name = nameOfMethod(request.method)
    const span = tracer().startSpan(name, { kind: SpanKind.CLIENT, attributes }, parent)
    spans.set(request, span)
    propagator.send(trace.setSpan(parent, span), { host: origin.host }, (header, value) =>
      setHeader(request, header, value),
    )
  })

  hear<{ request: UndiciRequest; socket: Socket | TLSSocket }>('undici:client:sendHeaders', ({ request, socket }) => {
    const span = spans.get(request)
    if (span) setConnection(span, socket, 'alpnProtocol' in socket && socket.alpnProtocol === 'h2' ? '2' : '1.1')
  })

  hear<{ request: UndiciRequest; response: { statusCode: number } }>(
    'undici:request:headers',
    ({ request, response }) => {
      const span = spans.get(request)
      if (span) setStatus(span, response.statusCode, 400)
    },
  )

  hear<{ request: UndiciRequest }>('undici:request:trailers', ({ request }) => spans.get(request)?.end())

  hear<{ request: UndiciRequest; error: unknown }>('undici:request:error', ({ request, error }) => {
    const span = spans.get(request)
    if (!span?.isRecording()) return
    setFailure(span, error)
    span.end()
  })
}

/** A flow ID that the service sends itself is its own matter; the rest is ours to say, and is said once. */
function setHeader(request: UndiciRequest, name: string, value: string): void {
  const { headers } = request
  if (Array.isArray(headers)) {
    for (let at = headers.length - 2; at >= 0; at -= 2) {
      if (String(headers[at]).toLowerCase() !== name) continue
      if (name === flowIdHeader) return
      headers.splice(at, 2)
    }
    // As `addHeader` does with what it has checked; ours can be written as they are.
    headers.push(name, value)
    return
  }
  if (typeof headers === 'string' && headers !== '') {
    const lines = new RegExp(`^${name}:[^\\r\\n]*\\r\\n`, 'gim')
    if (name === flowIdHeader && lines.test(headers)) return
    request.headers = headers.replaceAll(lines, '')
  }
  request.addHeader(name, value)
}

interface Origin {
  text: string
  host: string
  port: number
}

/** A service calls few others. */
const origins = new Map<string, Origin>()
const originsMax = 256

function originOf(text: string): Origin {
  const known = origins.get(text)
  if (known) return known
  const url = new URL(text)
  const origin = {
    text: url.origin,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
  }
  if (origins.size >= originsMax) origins.clear()
  origins.set(text, origin)
  return origin
}
