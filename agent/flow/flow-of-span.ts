import { type Span, SpanKind } from '@opentelemetry/api'
import { RecordedSpan } from '../trace/span.ts'
import { type Hop, flowNameOf, hopOfSpan, joinHop } from './hop.ts'

/** What of a span tells how it belongs to its run. */
interface Described {
  name: string
  kind: SpanKind
}

/** Makes `span`, which has just started, a part of `hop`, whose ID is known by now. */
export function enterFlow(span: Span, { name, kind }: Described, hop: Hop): void {
  joinHop(span, hop)
  if (hop.entry === undefined) {
    hop.entry = span
    // A request's name is its route, which is not known yet; a bare outgoing call is no name for a kind of work.
    if (hop.isOrigin && kind !== SpanKind.SERVER && kind !== SpanKind.CLIENT) hop.name ??= name
    if (hop.links.length > 0) span.addLinks([...hop.links])
  }
  const isEntry = kind === SpanKind.SERVER || kind === SpanKind.CONSUMER
  if (isEntry && hop.peer !== undefined) tell(span, 'service.peer.name', hop.peer)
  if (hop.user !== undefined) tell(span, 'user.id', hop.user)
  tell(span, 'flow.id', hop.id)
  nameFlow(span, hop)
}

/** `span` is about to end: an entry span has its final name now, and so has the run that began with it. */
export function settleFlow(span: Span & Described): void {
  const hop = hopOfSpan(span)
  if (!hop) return
  if (hop.isOrigin && hop.entry === span && span.kind !== SpanKind.CLIENT) hop.name ??= span.name
  nameFlow(span, hop)
}

function nameFlow(span: Span, hop: Hop): void {
  const name = flowNameOf(hop)
  if (name !== undefined) tell(span, 'flow.name', name)
}

/** Limits are for what the service has to say. The SDK knows no exemption. */
function tell(span: Span, key: string, value: string | undefined): void {
  if (span instanceof RecordedSpan) span.setExemptAttribute(key, value)
  else span.setAttribute(key, value)
}
