import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Attributes, type Span, SpanKind, context, trace } from '@opentelemetry/api'
import { isTracingSuppressed } from '../trace/suppression.ts'
import type { Capturing } from './capturing.ts'
import { hear } from './channel.ts'
import { nameOfMethod, pathOf, setConnection, setFailure, setMethod, setStatus } from './http-conventions.ts'

/** A request of undici, on which the global `fetch` stands as well. */
interface UndiciRequest {
  origin: string | URL
  method: string
  path: string
  addHeader(name: string, value: string): void
}

const spans = new WeakMap<UndiciRequest, Span>()

/** A client span for every request of `fetch` and undici, which carries trace and flow on. */
export function captureFetch({ tracer, propagator }: Capturing): void {
  hear<{ request: UndiciRequest }>('undici:request:create', ({ request }) => {
    const parent = context.active()
    if (isTracingSuppressed(parent)) return
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
      request.addHeader(header, value),
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
