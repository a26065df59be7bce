import {
  type BaggageEntry,
  type Context,
  type Span,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  createContextKey,
  isSpanContextValid,
  propagation,
  trace,
} from '@opentelemetry/api'
import { isTracingSuppressed } from '@opentelemetry/core'
import { type Trust, isTrustedHost } from '@headwater/vocabulary'
import { counters } from './counters.ts'
import {
  type FlowClaims,
  type PeerTrust,
  admit,
  baggageBytesMax,
  baggageHeader,
  baggageMembersMax,
  bytesOf,
  flowIdHeader,
  isOwnMember,
  readClaims,
  writeClaims,
} from './flow-claims.ts'
import { flowIdOf, flowNameOf, hopOf, newHop, withHop } from './hop.ts'

/** Where a carrier goes: to a host over HTTP, or into a queue. */
const queueKey = createContextKey('headwater.queue')
/** Instrumentations hand the propagator a bare header object; this tells it for which host. Node ignores symbols in headers. */
const hostKey = Symbol('headwater.host')
const hostsBySpan = new WeakMap<Span, string>()
const peersByHeaders = new WeakMap<object, PeerTrust>()

/** Notes who sent `headers`, before they are extracted. */
export function notePeer(headers: object, trust: PeerTrust): void {
  peersByHeaders.set(headers, trust)
}

/** A copy of `headers` that knows for which host it is meant. */
export function headersFor<T extends object>(host: string, headers: T): T {
  return Object.assign({}, headers, { [hostKey]: host })
}

/** Notes to which host the request of a client span goes, before its headers are injected. */
export function noteHost(span: Span, host: string): void {
  hostsBySpan.set(span, host)
}

/** `context` in which what is injected goes into a queue, and what is extracted came out of one. */
export function throughQueue(context: Context): Context {
  return context.setValue(queueKey, true)
}

/** `context` again outside of the queue: requests that are sent in it go to hosts. */
export function leaveQueue(context: Context): Context {
  return context.deleteValue(queueKey)
}

/** Carries flow identity beside whatever `inner` carries, by the rules of trust. */
export function flowPropagator(options: {
  inner: TextMapPropagator
  trust: Trust
  sharedKey: string | undefined
  serviceName: string
  carriesBaggage: boolean
}): TextMapPropagator {
  const { inner, trust, sharedKey, serviceName, carriesBaggage } = options

  function inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const others = (propagation.getBaggage(context)?.getAllEntries() ?? []).filter(([name]) => !isOwnMember(name))
    const host = takeHost(context, carrier)
    const isQueue = context.getValue(queueKey) === true
    const isTold = isQueue || (host !== undefined && isTrustedHost(trust, host))
    const id = isTold && !isTracingSuppressed(context) ? flowIdOf(context) : undefined
    const hop = hopOf(context)
    const own =
      id === undefined
        ? new Map<string, string>()
        : writeClaims({ id, name: hop && flowNameOf(hop), service: serviceName, sharedKey })
    if (id !== undefined && !isQueue) setter.set(carrier, flowIdHeader, id)
    inner.inject(propagation.setBaggage(context, baggageOf(others, own)), carrier, setter)
  }

  function extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const extracted = inner.extract(context, carrier, getter)
    const remote = trace.getSpanContext(extracted)
    const hasRemote = remote !== undefined && isSpanContextValid(remote)
    const isQueue = context.getValue(queueKey) === true
    const peer: PeerTrust = isQueue ? 'trusted' : (peersByHeaders.get(carrier as object) ?? 'unknown')
    const read = readClaims(
      carriesBaggage ? joined(getter.get(carrier, baggageHeader)) : undefined,
      joined(getter.get(carrier, flowIdHeader)),
    )
    const admission = admit(read, peer, sharedKey)
    if (read.state === 'malformed') counters.flowsMalformed += 1

    const kept = withoutOwnMembers(extracted)
    if (admission.verdict === 'new run') {
      if (read.state !== 'none' || hasRemote) {
        counters[admission.reason === 'unproven' ? 'flowsUnproven' : 'flowsUntrusted'] += 1
      }
      return withHop(trace.deleteSpan(kept), newHop({ links: hasRemote ? [{ context: remote }] : [] }))
    }
    const { id, name, service } = admission.verdict === 'continue' ? admission.claims : nothingClaimed
    const flowId = id ?? (hasRemote ? remote.traceId : undefined)
    return withHop(kept, newHop({ id: flowId, name, peer: service, isOrigin: flowId === undefined }))
  }

  return { inject, extract, fields: () => [...inner.fields(), flowIdHeader] }
}

const nothingClaimed: FlowClaims = { id: undefined, name: undefined, service: undefined, signature: undefined }

function takeHost(context: Context, carrier: unknown): string | undefined {
  const headers = carrier as { [hostKey]?: string }
  const host = headers[hostKey]
  if (host !== undefined) delete headers[hostKey]
  const span = trace.getSpan(context)
  return host ?? (span && hostsBySpan.get(span))
}

/** The user's members go first: where ours find no room, they stay behind. */
function baggageOf(others: [string, BaggageEntry][], own: Map<string, string>) {
  const hasRoom =
    others.length + own.size <= baggageMembersMax && bytesOfEntries(others) + 1 + bytesOf(own) <= baggageBytesMax
  if (!hasRoom && own.size > 0) counters.baggageFull += 1
  const members = hasRoom ? [...own].map(([name, value]): [string, BaggageEntry] => [name, { value }]) : []
  return propagation.createBaggage(Object.fromEntries([...others, ...members]))
}

/** At most so many bytes; a lone surrogate, which has no escape and would throw, becomes U+FFFD. */
function bytesOfEntries(entries: [string, BaggageEntry][]): number {
  return bytesOf(
    entries.map(([name, { value, metadata }]) => [
      encodeURIComponent(name.toWellFormed()),
      `${value.toWellFormed()}${metadata ? `;${metadata.toString().toWellFormed()}` : ''}`,
    ]),
  )
}

/** Ours live in the hop; left in the baggage they would travel on to hosts that we do not trust. */
function withoutOwnMembers(context: Context): Context {
  const baggage = propagation.getBaggage(context)
  if (!baggage) return context
  const own = baggage.getAllEntries().flatMap(([name]) => (isOwnMember(name) ? [name] : []))
  return own.length === 0 ? context : propagation.setBaggage(context, baggage.removeEntries(...own))
}

function joined(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}
