import {
  type Attributes,
  type Baggage,
  type Context,
  SpanKind,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  createContextKey,
  isSpanContextValid,
  propagation,
  trace,
} from '@opentelemetry/api'
import { type Trust, isTrustedHost } from '@headwater/vocabulary'
import { counters } from '../counters.ts'
import { flowIdOf, flowNameOf, hopOf, newHop, withHop } from '../flow/hop.ts'
import { emptyContext } from '../trace/linked-context.ts'
import { RecordedSpan } from '../trace/span.ts'
import { isTracingSuppressed } from '../trace/suppression.ts'
import { baggageBytesMax, baggageHeader, baggageMembersMax, readBaggage, writeMember } from './baggage.ts'
import {
  type FlowClaims,
  type PeerTrust,
  type ReadClaims,
  admit,
  flowIdHeader,
  isOwnMember,
  readClaims,
  writeClaims,
} from './flow-claims.ts'
import { readTraceContext, traceparentHeader, tracestateHeader, writeTraceparent } from './trace-context.ts'

/** Where a carrier goes: to a host over HTTP, or into a queue. */
const queueKey = createContextKey('headwater.queue')
const peersByHeaders = new WeakMap<object, PeerTrust>()

/** Notes who sent `headers`, for instrumentations that hand over nothing else. */
export function notePeer(headers: object, trust: PeerTrust): void {
  peersByHeaders.set(headers, trust)
}

/** `context` in which what is injected goes into a queue, and what is extracted came out of one. */
export function throughQueue(context: Context): Context {
  return context.setValue(queueKey, true)
}

/** `context` again outside of the queue: requests that are sent in it go to hosts. */
export function leaveQueue(context: Context): Context {
  return context.deleteValue(queueKey)
}

/** The headers that matter, as they came. */
export interface CarriedHeaders {
  traceparent: string | undefined
  tracestate: string | undefined
  baggage: string | undefined
  flowId: string | undefined
}

/** Carries traces, baggage and flow identity, by the rules of trust. */
export interface FlowPropagator extends TextMapPropagator {
  /** The context in which a request from such a peer is served. */
  receive: (headers: CarriedHeaders, peer: PeerTrust, base?: Context) => Context
  /** Sets the headers of a request to `host`, or of a message for a queue. */
  send: (context: Context, target: { host: string } | 'queue', set: (name: string, value: string) => void) => void
}

export interface PropagatorOptions {
  trust: Trust
  sharedKey: string | undefined
  serviceName: string
  carriesTraceContext: boolean
  carriesBaggage: boolean
}

export function flowPropagator(options: PropagatorOptions): FlowPropagator {
  const { trust, sharedKey, serviceName, carriesTraceContext, carriesBaggage } = options

  function receive(headers: CarriedHeaders, peer: PeerTrust, base: Context = emptyContext): Context {
    const remote = carriesTraceContext ? readTraceContext(headers.traceparent, headers.tracestate) : undefined
    const stated = carriesBaggage ? headers.baggage : undefined
    const read: ReadClaims =
      stated === undefined && headers.flowId === undefined ? nothingStated : readClaims(stated, headers.flowId)
    if (read.state === 'malformed') counters.flowsMalformed += 1

    const admission = admit(read, peer, sharedKey)
    // A stranger's baggage would travel on to services that take it for ours.
    const isBelieved = peer !== 'untrusted' || admission.verdict === 'continue'
    const baggage = stated === undefined || !isBelieved ? undefined : withoutOwnMembers(readBaggage(stated))
    const kept = baggage === undefined ? base : propagation.setBaggage(base, baggage)
    if (admission.verdict === 'new run') {
      if (read.state !== 'none' || remote !== undefined) {
        counters[admission.reason === 'unproven' ? 'flowsUnproven' : 'flowsUntrusted'] += 1
      }
      return withHop(trace.deleteSpan(kept), newHop({ links: remote === undefined ? [] : [{ context: remote }] }))
    }
    const { id, name, service } = admission.verdict === 'continue' ? admission.claims : nothingClaimed
    const flowId = id ?? remote?.traceId
    const hop = newHop({ id: flowId, name, peer: service, isOrigin: flowId === undefined })
    return withHop(remote === undefined ? kept : trace.setSpanContext(kept, remote), hop)
  }

  function send(
    context: Context,
    target: { host: string } | 'queue' | 'unknown',
    set: (name: string, value: string) => void,
  ): void {
    if (isTracingSuppressed(context)) return
    const span = trace.getSpan(context)
    const spanContext = span?.spanContext()
    const isValid = spanContext !== undefined && (span instanceof RecordedSpan || isSpanContextValid(spanContext))
    if (carriesTraceContext && isValid) {
      set(traceparentHeader, writeTraceparent(spanContext))
      const state = spanContext.traceState?.serialize()
      if (state) set(tracestateHeader, state)
    }
    const isToldThere = target === 'queue' || (target !== 'unknown' && isTold(target.host))
    const id = isToldThere ? flowIdOf(context) : undefined
    if (id !== undefined && target !== 'queue') set(flowIdHeader, id)
    if (!carriesBaggage) return
    const hop = hopOf(context)
    const own =
      id === undefined ? '' : writeClaims({ id, name: hop && flowNameOf(hop), service: serviceName, sharedKey })
    // What the user has put there may name customers, and is no more for strangers than ours.
    const isForThem = isToldThere || target === 'unknown'
    const baggage = headerOf(isForThem ? propagation.getBaggage(context) : undefined, own)
    if (baggage !== '') set(baggageHeader, baggage)
  }

  /** A service calls few hosts, and each of them often. */
  const verdicts = new Map<string, boolean>()
  function isTold(host: string): boolean {
    const known = verdicts.get(host)
    if (known !== undefined) return known
    const verdict = isTrustedHost(trust, host)
    if (verdicts.size >= verdictsMax) verdicts.clear()
    verdicts.set(host, verdict)
    return verdict
  }

  function inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    send(context, targetOf(context), (name, value) => setter.set(carrier, name, value))
  }

  function extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const isQueue = context.getValue(queueKey) === true
    const peer = isQueue ? 'trusted' : (peersByHeaders.get(carrier as object) ?? 'unknown')
    const get = (name: string) => joined(getter.get(carrier, name))
    const headers = {
      traceparent: get(traceparentHeader),
      tracestate: get(tracestateHeader),
      baggage: get(baggageHeader),
      flowId: get(flowIdHeader),
    }
    return receive(headers, peer, context)
  }

  const fields = [
    ...(carriesTraceContext ? [traceparentHeader, tracestateHeader] : []),
    ...(carriesBaggage ? [baggageHeader] : []),
    flowIdHeader,
  ]
  return { receive, send, inject, extract, fields: () => fields }
}

const verdictsMax = 1_024
const nothingStated: ReadClaims = { state: 'none' }
const nothingClaimed: FlowClaims = { id: undefined, name: undefined, service: undefined, signature: undefined }

/** Where an instrumentation is about to send, which hands over a carrier only: the span that it has made for it tells. */
function targetOf(context: Context): { host: string } | 'queue' | 'unknown' {
  const span = trace.getSpan(context) as { kind?: SpanKind; attributes?: Attributes } | undefined
  if (context.getValue(queueKey) === true || span?.kind === SpanKind.PRODUCER) return 'queue'
  const host =
    span?.kind === SpanKind.CLIENT
      ? (span.attributes?.['server.address'] ?? span.attributes?.['net.peer.name'])
      : undefined
  return typeof host === 'string' ? { host } : 'unknown'
}

/** The user's members go first: where ours find no room, they stay behind. */
function headerOf(baggage: Baggage | undefined, own: string): string {
  if (baggage === undefined) return own
  let header = ''
  let members = 0
  for (const [name, entry] of baggage.getAllEntries()) {
    if (isOwnMember(name)) continue
    const member = writeMember(name, entry)
    if (member === '') continue
    const longer = members === 0 ? member : `${header},${member}`
    if (members === baggageMembersMax || longer.length > baggageBytesMax) {
      counters.baggageFull += 1
      break
    }
    header = longer
    members += 1
  }
  if (own === '' || header === '') return header + own
  const ownMembers = own.split(',').length
  if (members + ownMembers <= baggageMembersMax && header.length + 1 + own.length <= baggageBytesMax) {
    return `${header},${own}`
  }
  counters.baggageFull += 1
  return header
}

/** Ours live in the hop; left in the baggage they would travel on to hosts that we do not trust. */
function withoutOwnMembers(baggage: Baggage | undefined): Baggage | undefined {
  const own = baggage?.getAllEntries().flatMap(([name]) => (isOwnMember(name) ? [name] : [])) ?? []
  const rest = own.length === 0 ? baggage : baggage?.removeEntries(...own)
  return rest?.getAllEntries().length === 0 ? undefined : rest
}

function joined(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}
