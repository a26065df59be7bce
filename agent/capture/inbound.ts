// What requests of HTTP/1 and HTTP/2 have in common when they come in.

import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { type Attributes, type Context, type Span, SpanKind, trace } from '@opentelemetry/api'
import { type Trust, isTrustedPeer } from '@headwater/vocabulary'
import { recordServerException } from '../flow/exception.ts'
import { type RoutedRequest, flowIdOf, hopOf, noteMessage } from '../flow/hop.ts'
import { type PeerTrust, flowIdHeader } from '../propagation/flow-claims.ts'
import { baggageHeader } from '../propagation/baggage.ts'
import type { CarriedHeaders } from '../propagation/flow-propagator.ts'
import { traceparentHeader, tracestateHeader } from '../propagation/trace-context.ts'
import type { Capturing } from './capturing.ts'
import { nameOfMethod, pathOf, readAuthority, setMethod, setStatus } from './http-conventions.ts'

/** A request as it comes in. */
export interface Inbound {
  method: string
  /** Path and query. */
  target: string
  scheme: string
  authority: string | undefined
  version: string
  headers: IncomingHttpHeaders
  /** What Node hands to the service's handler, where that is known by now. */
  message?: object
  socket: Pick<Socket, 'remoteAddress' | 'remotePort'> | undefined
}

/** A request that is being served. */
export interface Served {
  /** Everything that is done for the request is done in this context. */
  active: Context
  flowId: string | undefined
  /** Ends the span; a client that goes away before it gets an answer has seen no status. */
  end: (status: number | undefined) => void
}

/** Begins the span of a request, by the rules of trust. */
export function receiver({ tracer, propagator, trust, extractMore }: Capturing): (inbound: Inbound) => Served {
  const trustOf = peerTrust(trust)

  return (inbound) => {
    const { method, headers } = inbound
    const peer = trustOf(inbound)
    const received = propagator.receive(carriedHeaders(headers), peer, extractMore?.(headers))
    const hop = hopOf(received)
    const routed: RoutedRequest = {
      method,
      route: undefined,
      isRouted: false,
      hasMessage: inbound.message !== undefined,
    }
    if (inbound.message !== undefined) noteMessage(inbound.message, routed)
    if (hop) hop.request = routed
    const attributes = attributesOf(inbound, peer === 'trusted')
    const span = tracer().startSpan(nameOfMethod(method), { kind: SpanKind.SERVER, attributes }, received)
    const active = trace.setSpan(received, span)
    return { active, flowId: flowIdOf(active), end: (status) => endSpan(span, status, routed) }
  }
}

/** What a request tells about its trace and its flow. */
export function carriedHeaders(headers: IncomingHttpHeaders): CarriedHeaders {
  return {
    traceparent: single(headers[traceparentHeader]),
    tracestate: single(headers[tracestateHeader]),
    baggage: single(headers[baggageHeader]),
    flowId: single(headers[flowIdHeader]),
  }
}

/** The same few peers come again and again. */
const verdictsMax = 1_024

/** Whether a peer is trusted, by its address and the proxies that it names. */
export function peerTrust(trust: Trust): (inbound: Pick<Inbound, 'headers' | 'socket'>) => PeerTrust {
  const verdicts = new Map<string | undefined, PeerTrust>()

  return ({ headers, socket }) => {
    const { forwarded, 'x-forwarded-for': xForwardedFor } = headers
    const address = socket?.remoteAddress
    if (forwarded !== undefined || xForwardedFor !== undefined) {
      const forwarding = { forwarded, xForwardedFor: single(xForwardedFor) }
      return isTrustedPeer(trust, address, forwarding) ? 'trusted' : 'untrusted'
    }
    const known = verdicts.get(address)
    if (known !== undefined) return known
    const verdict = isTrustedPeer(trust, address) ? 'trusted' : 'untrusted'
    if (verdicts.size >= verdictsMax) verdicts.clear()
    verdicts.set(address, verdict)
    return verdict
  }
}

function attributesOf(inbound: Inbound, isPeerKnown: boolean): Attributes {
  const { scheme, authority, socket, headers } = inbound
  const attributes: Attributes = {}
  setMethod(attributes, inbound.method)
  attributes['url.scheme'] = scheme
  attributes['url.path'] = pathOf(inbound.target)
  if (authority !== undefined) {
    const { host, port } = readAuthority(authority, scheme)
    attributes['server.address'] = host
    attributes['server.port'] = port
  }
  // Whoever is not of this network is a person, and an address that of a person.
  if (isPeerKnown) {
    attributes['network.peer.address'] = socket?.remoteAddress
    attributes['network.peer.port'] = socket?.remotePort
  }
  attributes['network.protocol.version'] = inbound.version
  attributes['user_agent.original'] = headers['user-agent']
  return attributes
}

function endSpan(span: Span, status: number | undefined, { method, route }: RoutedRequest): void {
  if (!span.isRecording()) return
  if (route !== undefined) {
    span.setAttribute('http.route', route)
    span.updateName(`${nameOfMethod(method)} ${route}`)
  }
  if (status !== undefined) {
    setStatus(span, status, 500)
    if (status >= 500) recordServerException(span)
  }
  span.end()
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}
