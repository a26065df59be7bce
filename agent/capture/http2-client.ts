// The channels of HTTP/2's client tell of a request when its headers are fixed, so that they cannot carry anything on: sessions
// are patched, as soon as the service asks for the module.

import { createRequire, registerHooks, syncBuiltinESMExports } from 'node:module'
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import { promisify } from 'node:util'
import { type Attributes, type Context, type Span, SpanKind, context, trace } from '@opentelemetry/api'
import { setFailure } from '../flow/exception.ts'
import { isTracingSuppressed } from '../trace/suppression.ts'
import type { Capturing } from './capturing.ts'
import { guarded, hear } from './channel.ts'
import { nameOfMethod, pathOf, readAuthority, setMethod, setStatus } from './http-conventions.ts'

type Headers = OutgoingHttpHeaders | readonly string[]
type Request = (this: ClientHttp2Session, headers?: Headers, ...rest: unknown[]) => ClientHttp2Stream
type Connect = (authority: string | URL, ...rest: unknown[]) => ClientHttp2Session

/** A client span for every request of `node:http2`, which carries trace and flow on; but none of gRPC. */
export function captureHttp2Client(capturing: Capturing): void {
  let isPatched = false
  registerHooks({
    resolve(specifier, hookContext, nextResolve) {
      const resolved = nextResolve(specifier, hookContext)
      if (resolved.url !== 'node:http2' || isPatched) return resolved
      isPatched = true
      guarded('http2', () => patchConnect(capturing))
      return resolved
    },
  })
}

function patchConnect(capturing: Capturing): void {
  const http2 = createRequire(import.meta.url)('node:http2') as { connect: Connect }
  const { connect } = http2
  const origins = new WeakMap<ClientHttp2Session, string>()
  let isPatched = false
  http2.connect = function headwaterConnect(authority, ...rest) {
    const session = connect(authority, ...rest)
    guarded('http2', () => {
      origins.set(session, new URL(authority).origin)
      if (!isPatched) patchRequest(Object.getPrototypeOf(session) as { request: Request }, origins, capturing)
      isPatched = true
    })
    return session
  }
  Object.defineProperty(http2.connect, promisify.custom, {
    configurable: true,
    value: (authority: string | URL, options?: object) =>
      new Promise<ClientHttp2Session>((resolve, reject) => {
        const session = http2.connect(authority, options, () => {
          session.removeListener('error', reject)
          resolve(session)
        })
        session.once('error', reject)
      }),
  })
  syncBuiltinESMExports()
}

const spans = new WeakMap<ClientHttp2Stream, Span>()

function patchRequest(
  prototype: { request: Request },
  origins: WeakMap<ClientHttp2Session, string>,
  { tracer, propagator }: Capturing,
): void {
  const { request } = prototype
  prototype.request = function headwaterRequest(headers = {}, ...rest) {
    const parent = context.active()
    let sent = headers
    let span: Span | undefined
    guarded('http2', () => {
      if (isTracingSuppressed(parent) || isGrpc(headers)) return
      span = startSpan(origins.get(this) ?? '', headers, parent)
      sent = withCarried(span, headers, parent, origins.get(this) ?? '')
    })
    const stream = request.call(this, sent, ...rest)
    if (span !== undefined) spans.set(stream, span)
    return stream
  }

  function startSpan(origin: string, headers: Headers, parent: Context): Span {
    const method = headerOf(headers, ':method') ?? 'GET'
    const { host, port } = targetOf(origin, headers)
    const attributes: Attributes = { 'server.address': host, 'server.port': port, 'network.protocol.version': '2' }
    setMethod(attributes, method)
    attributes['url.full'] = `${origin}${pathOf(headerOf(headers, ':path') ?? '/')}`
    return tracer().startSpan(nameOfMethod(method), { kind: SpanKind.CLIENT, attributes }, parent)
  }

  function withCarried(span: Span, headers: Headers, parent: Context, origin: string): Headers {
    const carried: [name: string, value: string][] = []
    const { host } = targetOf(origin, headers)
    propagator.send(trace.setSpan(parent, span), { host }, (name, value) => carried.push([name, value]))
    return isList(headers) ? [...headers, ...carried.flat()] : { ...headers, ...Object.fromEntries(carried) }
  }

  hear<{ stream: ClientHttp2Stream; headers: Record<string, unknown> }>(
    'http2.client.stream.finish',
    ({ stream, headers }) => {
      const span = spans.get(stream)
      if (span) setStatus(span, Number(headers[':status']), 400)
    },
  )
  hear<{ stream: ClientHttp2Stream; error: unknown }>('http2.client.stream.error', ({ stream, error }) => {
    const span = spans.get(stream)
    if (span) setFailure(span, error)
  })
  hear<{ stream: ClientHttp2Stream }>('http2.client.stream.close', ({ stream }) => spans.get(stream)?.end())
}

/** The request's own authority goes before that of its connection. */
function targetOf(origin: string, headers: Headers): { host: string; port: number | undefined } {
  const scheme = origin.slice(0, origin.indexOf(':'))
  const { host, port } = readAuthority(headerOf(headers, ':authority') ?? origin.replace(/^\w+:\/\//, ''), scheme)
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port }
}

function isGrpc(headers: Headers): boolean {
  return headerOf(headers, 'content-type')?.startsWith('application/grpc') ?? false
}

function headerOf(headers: Headers, name: string): string | undefined {
  if (!isList(headers)) return headers[name] === undefined ? undefined : String(headers[name])
  const at = headers.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name)
  return at === -1 ? undefined : headers[at + 1]
}

function isList(headers: Headers): headers is readonly string[] {
  return Array.isArray(headers)
}
