import { type Context, SpanKind, TraceFlags } from '@opentelemetry/api'
import { type Hop, flowNameOf, hopOf, hopOfSpan, joinHop, newHop } from './hop.ts'
import type { ReadableSpan, Span, SpanProcessor } from './sdk.ts'
import type { SpanQueue } from './span-queue.ts'

/** Gives every span its flow, and passes it to `queue` when it ends. */
export function flowSpanProcessor(queue: SpanQueue | undefined): SpanProcessor {
  function onEnd(span: ReadableSpan): void {
    const isSampled = (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0
    if (isSampled && !isRouterSpan(span)) queue?.add(span)
  }

  const drain = () => queue?.drain() ?? Promise.resolve()
  return { onStart: enterFlow, onEnding: settleName, onEnd, forceFlush: drain, shutdown: drain }
}

function enterFlow(span: Span, parent: Context): void {
  const hop = hopOf(parent) ?? newHop()
  joinHop(span, hop)
  hop.id ??= span.spanContext().traceId
  if (hop.entry === undefined) {
    hop.entry = span
    // A request's name is its route, which is not known yet; a bare outgoing call is no name for a kind of work.
    const hasName = span.kind !== SpanKind.SERVER && span.kind !== SpanKind.CLIENT
    if (hop.isOrigin && hasName) hop.name ??= span.name
    span.addLinks(hop.links)
  }
  const isEntry = span.kind === SpanKind.SERVER || span.kind === SpanKind.CONSUMER
  if (isEntry && hop.peer !== undefined) span.setAttribute('service.peer.name', hop.peer)
  if (hop.user !== undefined) span.setAttribute('user.id', hop.user)
  span.setAttribute('flow.id', hop.id)
  nameFlow(span, hop)
}

/** The server span has its final name now, and so has the run that began with it. */
function settleName(span: Span): void {
  const hop = hopOfSpan(span)
  if (!hop) return
  if (hop.isOrigin && hop.entry === span && span.kind !== SpanKind.CLIENT) hop.name ??= span.name
  nameFlow(span, hop)
}

function nameFlow(span: Span, hop: Hop): void {
  const name = flowNameOf(hop)
  if (name !== undefined) span.setAttribute('flow.name', name)
}

/**
 * Express's instrumentation loses routes when it is told to ignore routers, so it makes spans for them, empty and without
 * children; they say nothing that the server span does not.
 */
function isRouterSpan(span: ReadableSpan): boolean {
  return (
    span.instrumentationScope.name === '@opentelemetry/instrumentation-express' &&
    span.attributes['express.type'] === 'router'
  )
}
