import { type Context, type Link, type Span, createContextKey, isSpanContextValid, trace } from '@opentelemetry/api'
import type { FlowId } from '@headwater/vocabulary'
import { mark } from './mark.ts'

/** A flow run's stay in this process, from the span that let it in. Everything done in its context shares this object. */
export interface Hop {
  /** Unknown until the first span of a run that begins here: its trace ID is the flow's ID. */
  id: FlowId | undefined
  name: string | undefined
  /** The run began here, so that the route of the entry span names it. */
  isOrigin: boolean
  /** `service.name` of the service that called. */
  peer: string | undefined
  user: string | undefined
  /** Spans that caused this hop without being its parent. */
  links: readonly Link[]
  /** The SERVER or CONSUMER span, or the root span of a run that nobody else asked for. */
  entry: Span | undefined
  /** The HTTP request that came in. */
  request: RoutedRequest | undefined
  /** The first exception that a handler threw; recorded if the response turns out to be a server error. */
  exception: { error: unknown; at: Date } | undefined
}

/** A request, and its route as soon as a framework has found one. */
export interface RoutedRequest {
  method: string
  route: string | undefined
  /** It came in as a message that Node has made: over HTTP/1. */
  readonly hasMessage: boolean
  /** No further routing changes the route: a handler has it. */
  isRouted: boolean
}

const requestsByMessage = mark<RoutedRequest>()

/** Notes the message as which a request has come in. */
export function noteMessage(message: object, request: RoutedRequest): void {
  requestsByMessage.set(message, request)
}

/** Whether `message` is that of `request`, where that is known: not one that the application has made for itself. */
export function isMessageOf(request: RoutedRequest, message: unknown): boolean {
  if (!request.hasMessage) return true
  return typeof message === 'object' && message !== null && requestsByMessage.get(message) === request
}

/** A hop about which nothing is known: a run that begins here. */
export function newHop({ id, name, isOrigin = true, peer, links = noLinks }: Partial<KnownOfHop> = {}): Hop {
  return {
    id,
    name,
    isOrigin,
    peer,
    links,
    user: undefined,
    entry: undefined,
    request: undefined,
    exception: undefined,
  }
}

/** What can be known when a run comes in. */
type KnownOfHop = Pick<Hop, 'id' | 'name' | 'isOrigin' | 'peer' | 'links'>
const noLinks: readonly Link[] = []

const hopKey = createContextKey('headwater.hop')
/** Runs that begin with a bare span have no hop in their context, only that span. */
export const spanHop: unique symbol = Symbol('headwater.hop')

type SpanOfHop = Span & { [spanHop]?: Hop | undefined }

/** `context` with everything done in it belonging to `hop`. */
export function withHop(context: Context, hop: Hop): Context {
  return context.setValue(hopKey, hop)
}

/** The hop to which work in `context` belongs. */
export function hopOf(context: Context): Hop | undefined {
  const hop = context.getValue(hopKey)
  if (hop !== undefined) return hop as Hop
  const span = trace.getSpan(context)
  return span && hopOfSpan(span)
}

/** The hop to which `span` belongs. */
export function hopOfSpan(span: Span): Hop | undefined {
  return (span as SpanOfHop)[spanHop]
}

/** Remembers to which hop `span` belongs. */
export function joinHop(span: Span, hop: Hop): void {
  ;(span as SpanOfHop)[spanHop] = hop
}

/** The flow's ID in `context`: the hop's, else the trace ID of the span there, as for every service without an agent. */
export function flowIdOf(context: Context): FlowId | undefined {
  const hop = hopOf(context)
  if (hop?.id !== undefined) return hop.id
  const spanContext = trace.getSpanContext(context)
  if (!spanContext || !isSpanContextValid(spanContext)) return undefined
  if (hop) hop.id = spanContext.traceId
  return spanContext.traceId
}

/** The flow's name, if it is known by now. The route is known only when routing has happened, not in a middleware before. */
export function flowNameOf({ name, isOrigin, request }: Hop): string | undefined {
  if (name !== undefined || !isOrigin || request?.route === undefined || !request.isRouted) return name
  return `${request.method} ${request.route}`
}
