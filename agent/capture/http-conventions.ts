// What OpenTelemetry's semantic conventions 1.44 say of HTTP, as far as servers and clients share it.

import type { Socket } from 'node:net'
import { type Attributes, type Span, SpanStatusCode } from '@opentelemetry/api'

const knownMethods = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'])

/** Callers can invent methods; the set of span names must not grow with them. */
export function isKnownMethod(method: string): boolean {
  return knownMethods.has(method)
}

/** `http.request.method`, and how it was spelt if nobody knows it. */
export function setMethod(attributes: Attributes, method: string): void {
  const isKnown = isKnownMethod(method)
  attributes['http.request.method'] = isKnown ? method : '_OTHER'
  if (!isKnown) attributes['http.request.method_original'] = method.slice(0, 64)
}

/** What stands before the route in a span's name. */
export function nameOfMethod(method: string): string {
  return isKnownMethod(method) ? method : 'HTTP'
}

/** An answer of `status` is an error from `errorsFrom` on: 500 for who served, 400 for who asked. */
export function setStatus(span: Span, status: number, errorsFrom: 400 | 500): void {
  span.setAttribute('http.response.status_code', status)
  if (status < errorsFrom) return
  span.setAttribute('error.type', String(status))
  span.setStatus({ code: SpanStatusCode.ERROR })
}

/** What a request was sent over: its address, port and protocol. */
export function setConnection(span: Span, socket: Pick<Socket, 'remoteAddress' | 'remotePort'>, version: string): void {
  span.setAttribute('network.protocol.version', version)
  const { remoteAddress } = socket
  if (remoteAddress === undefined) return
  span.setAttribute('network.peer.address', remoteAddress)
  span.setAttribute('network.peer.port', socket.remotePort)
}

/** Query strings carry tokens and names; what failed is told by the path. */
export function pathOf(target: string): string {
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  const fragment = path.indexOf('#')
  return fragment === -1 ? path : path.slice(0, fragment)
}

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443 }

/** Host and port as an authority states them, `[::1]:8080` or `shop`. */
export function readAuthority(authority: string, scheme: string): { host: string; port: number | undefined } {
  let [port, unit, at] = [0, 1, authority.length - 1]
  // From the end: digits, then a colon. This is done for every request.
  for (; at >= 0; at -= 1) {
    const digit = authority.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) break
    port += digit * unit
    unit *= 10
  }
  const hasPort = unit > 1 && unit <= 100_000 && authority[at] === ':'
  return hasPort ? { host: authority.slice(0, at), port } : { host: authority, port: defaultPorts[scheme] }
}
