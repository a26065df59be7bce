import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Attributes, type Context, type Span, SpanKind, context, trace } from '@opentelemetry/api'
import { isTrustedPeer } from '@headwater/vocabulary'
import { recordServerException } from '../flow/exception.ts'
import { type RoutedRequest, flowIdOf, hopOf } from '../flow/hop.ts'
import { flowIdHeader } from '../propagation/flow-claims.ts'
import { notePeer } from '../propagation/flow-propagator.ts'
import type { Capturing } from './capturing.ts'
import { guarded, hear } from './channel.ts'
import { nameOfMethod, pathOf, readAuthority, setMethod, setStatus } from './http-conventions.ts'

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
}

/** A server span for every request to `node:http` and `node:https`. */
export function captureHttpServer({ tracer, propagator, trust }: Capturing): void {
  hear<Exchange>('http.server.request.start', ({ request, response }) => {
    const { headers } = request
    const peer = isTrusted(request) ? 'trusted' : 'untrusted'
    // For whoever extracts the same headers once more.
    notePeer(headers, peer)
    const carried = {
      traceparent: single(headers['traceparent']),
      tracestate: single(headers['tracestate']),
      baggage: single(headers['baggage']),
      flowId: single(headers[flowIdHeader]),
    }
    const received = propagator.receive(carried, peer)
    const hop = hopOf(received)
    const routed: RoutedRequest = { method: request.method ?? 'GET', route: undefined, isRouted: false }
    if (hop) hop.request = routed

    const name = nameOfMethod(routed.method)
    const attributes = attributesOf(request, peer === 'trusted')
    const span = tracer().startSpan(name, { kind: SpanKind.SERVER, attributes }, received)
    const active = trace.setSpan(received, span)
    const id = flowIdOf(active)
    if (id !== undefined) response.setHeader(flowIdHeader, id)
    follow(request, active)
    follow(response, active, () => endSpan(span, response, routed))
    context.attach(active)
  })

  function isTrusted({ socket, headers }: IncomingMessage): boolean {
    const { forwarded, 'x-forwarded-for': xForwardedFor } = headers
    const isDirect = forwarded === undefined && xForwardedFor === undefined
    if (isDirect) return isTrustedAddress(socket.remoteAddress)
    return isTrustedPeer(trust, socket.remoteAddress, { forwarded, xForwardedFor: single(xForwardedFor) })
  }

  /** The same few peers come again and again. */
  const verdicts = new Map<string | undefined, boolean>()
  function isTrustedAddress(address: string | undefined): boolean {
    const known = verdicts.get(address)
    if (known !== undefined) return known
    const verdict = isTrustedPeer(trust, address)
    if (verdicts.size >= verdictsMax) verdicts.clear()
    verdicts.set(address, verdict)
    return verdict
  }
}

const verdictsMax = 1_024

function attributesOf(request: IncomingMessage, isPeerKnown: boolean): Attributes {
  const { socket, headers } = request
  const scheme = 'encrypted' in socket ? 'https' : 'http'
  const attributes: Attributes = {}
  setMethod(attributes, request.method ?? 'GET')
  attributes['url.scheme'] = scheme
  attributes['url.path'] = pathOf(request.url ?? '/')
  if (headers.host !== undefined) {
    const { host, port } = readAuthority(headers.host, scheme)
    attributes['server.address'] = host
    attributes['server.port'] = port
  }
  // Whoever is not of this network is a person, and an address that of a person.
  if (isPeerKnown) {
    attributes['network.peer.address'] = socket.remoteAddress
    attributes['network.peer.port'] = socket.remotePort
  }
  attributes['network.protocol.version'] = request.httpVersion
  attributes['user_agent.original'] = headers['user-agent']
  return attributes
}

/**
 * Runs all listeners of `emitter` in `active`: what Node itself carries on ends with the headers, so that a body that comes
 * later would come without it.
 */
function follow(emitter: IncomingMessage | ServerResponse, active: Context, closed?: () => void): void {
  const emit = emitter.emit
  emitter.emit = function followed(this: typeof emitter, ...event: [string | symbol, ...unknown[]]): boolean {
    const isHeard = context.with(active, emit, this, ...event)
    if (event[0] === 'close' && closed !== undefined) guarded('the end of a request', closed)
    return isHeard
  } as typeof emit
}

function endSpan(span: Span, response: ServerResponse, { method, route }: RoutedRequest): void {
  if (!span.isRecording()) return
  if (route !== undefined) {
    span.setAttribute('http.route', route)
    span.updateName(`${nameOfMethod(method)} ${route}`)
  }
  // A client that goes away has not seen any status.
  if (response.headersSent) setStatus(span, response.statusCode, 500)
  if (response.headersSent && response.statusCode >= 500) recordServerException(span)
  span.end()
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}
