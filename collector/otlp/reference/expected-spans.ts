// The rows of `otel_traces` that spans should make, written from the specifications. Slow and plain, to be compared with.

import { otherFlowOf, hex, isZero, type RecordRules, type Row, type Times } from './expected-rows.ts'
import type { Span } from './request.ts'
import { countMax, droppedOf, partsMax, type TextRules, textsOf } from './value-text.ts'

const kinds = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer']
const statuses = ['Unset', 'Ok', 'Error']

export const spanRules: RecordRules<Span> = { rejectionOf, columnsOf }

function rejectionOf(span: Span, { fromNs, toNs }: Times): string | undefined {
  if (span.traceId.length !== 16 || isZero(span.traceId)) return 'trace_id'
  if (span.spanId.length !== 8 || isZero(span.spanId)) return 'span_id'
  if (!isZero(span.parentSpanId) && span.parentSpanId.length !== 8) return 'parent_span_id'
  if (span.startNs === 0n) return 'start_time'
  if (span.endNs < span.startNs) return 'end_time'
  if (span.startNs < fromNs || span.endNs > toNs) return 'outside_window'
  if (span.events(partsMax).some(({ timeNs }) => timeNs >= 2n ** 63n)) return 'event_time'
  return undefined
}

function columnsOf(span: Span, _times: Times, rules: TextRules): Row {
  const attributes = textsOf(span, rules)
  const traceId = hex(span.traceId)
  const withPort = (address: string, port = ''): string => address + (port && `:${port}`)
  const events = span.events(partsMax)
  const asSent = span.links(partsMax)
  const links = asSent.filter(
    (link) => link.traceId.length === 16 && !isZero(link.traceId) && link.spanId.length === 8 && !isZero(link.spanId),
  )
  return {
    Timestamp: String(span.startNs),
    TraceId: traceId,
    SpanId: hex(span.spanId),
    ParentSpanId: isZero(span.parentSpanId) ? '' : hex(span.parentSpanId),
    TraceState: rules.ofText(span.traceState) ?? '',
    SpanName: rules.ofText(span.name) ?? '',
    SpanKind: kinds[span.kind] ?? 'Unspecified',
    SpanAttributes: attributes,
    Duration: String(span.endNs - span.startNs),
    StatusCode: statuses[span.status.code] ?? 'Unset',
    StatusMessage: rules.ofText(span.status.message) ?? '',
    'Events.Timestamp': events.map(({ timeNs }) => String(timeNs)),
    'Events.Name': events.map(({ name }) => rules.ofText(name) ?? ''),
    'Events.Attributes': events.map((event) => textsOf(event, rules)),
    EventsDroppedAttributes: events.map(droppedOf),
    'Links.TraceId': links.map((link) => hex(link.traceId)),
    'Links.SpanId': links.map((link) => hex(link.spanId)),
    'Links.TraceState': links.map((link) => rules.ofText(link.traceState) ?? ''),
    'Links.Attributes': links.map((link) => textsOf(link, rules)),
    LinksDroppedAttributes: links.map(droppedOf),
    LinksFlags: links.map(({ flags }) => flags),
    Flags: span.flags,
    DroppedAttributes: droppedOf(span),
    DroppedEvents: Math.min(countMax, span.droppedEvents + span.eventCount - events.length),
    DroppedLinks: Math.min(countMax, span.droppedLinks + span.linkCount - links.length),
    Partial: 0,
    OtherFlowId: otherFlowOf(attributes['flow.id'], traceId),
    FlowName: attributes['flow.name'] ?? '',
    UserId: attributes['user.id'] || attributes['enduser.id'] || '',
    PeerService: attributes['service.peer.name'] || attributes['peer.service'] || '',
    PeerAddress: attributes['server.address']
      ? withPort(attributes['server.address'], attributes['server.port'])
      : attributes['net.peer.name']
        ? withPort(attributes['net.peer.name'], attributes['net.peer.port'])
        : '',
    // Redaction may take the tracestate, but not how many spans this one stands for.
    Weight: weightOf(span.traceState),
  }
}

/** 1 / (1 - threshold): `ot=th:` has up to 14 hex digits of 56 bits, zeros at the end cut. */
function weightOf(traceState: string): number {
  const member = traceState.split(',').find((entry) => /^ot=(?:.*;)?th:[0-9a-f]/s.test(entry))
  const digits = member && /^ot=(?:.*;)?th:([0-9a-f]{1,14})/s.exec(member)?.[1]
  if (!digits) return 1
  return 1 / Math.max(1e-9, 1 - Number(BigInt(`0x${digits.padEnd(14, '0')}`)) / 2 ** 56)
}
