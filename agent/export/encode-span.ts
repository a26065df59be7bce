// A span as it stands in an OTLP request (opentelemetry/proto/trace/v1/trace.proto).

import { type HrTime, type SpanContext, SpanStatusCode, type TraceState } from '@opentelemetry/api'
import { cutText } from '../trace/as-text.ts'
import type { RecordedSpan, SpanEvent, SpanLink } from '../trace/span.ts'
import { knownAttributes, writeAttributes, writeKnownAttributes } from './attribute-fields.ts'
import { MessageTooLarge, ProtobufWriter } from './protobuf.ts'

/** What is written of a span that has ended. */
export type EndedSpan = Pick<
  RecordedSpan,
  | 'spanContext'
  | 'parentSpanContext'
  | 'name'
  | 'kind'
  | 'startedAt'
  | 'endedAt'
  | 'status'
  | 'attributeList'
  | 'events'
  | 'links'
  | 'droppedEventsCount'
  | 'droppedLinksCount'
>

/** `ScopeSpans.spans`. */
const spansField = 2
const fields = {
  traceId: 1,
  spanId: 2,
  traceState: 3,
  parentSpanId: 4,
  name: 5,
  kind: 6,
  start: 7,
  end: 8,
  attributes: 9,
  droppedAttributes: 10,
  events: 11,
  droppedEvents: 12,
  links: 13,
  droppedLinks: 14,
  status: 15,
  flags: 16,
} as const
const eventFields = { time: 1, name: 2, attributes: 3, droppedAttributes: 4 } as const
const linkFields = { traceId: 1, spanId: 2, traceState: 3, attributes: 4, droppedAttributes: 5, flags: 6 } as const
const statusFields = { message: 2, code: 3 } as const
/** Whether a context is remote is known, and it is. */
const [knowsIsRemote, isRemote] = [0x100, 0x200]

/** Largest span that is sent. @internal */
export const spanBytesMax = 131_072
/** In a span that would be larger, texts are cut to so many UTF-16 units. */
const cutTextChars = 256

const writer = new ProtobufWriter(spanBytesMax)
const known = knownAttributes()

/**
 * The span as a field of `ScopeSpans`, valid until the next call. A span over 128 KiB is written with its texts cut; one that
 * is too large even so throws `MessageTooLarge`.
 */
export function encodeSpan(span: EndedSpan): Uint8Array {
  try {
    writeSpan(span, Number.POSITIVE_INFINITY)
  } catch (error) {
    if (!(error instanceof MessageTooLarge)) throw error
    writeSpan(span, cutTextChars)
  }
  return writer.written()
}

function writeSpan(span: EndedSpan, charsMax: number): void {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext()
  const state = textOf(traceState)
  const parent = span.parentSpanContext
  writer.start()
  // Last field first.
  writer.fixed32(fields.flags, traceFlags | knowsIsRemote | (parent?.isRemote === true ? isRemote : 0))
  if (span.status.code !== SpanStatusCode.UNSET) writeStatus(span.status.code, span.status.message, charsMax)
  if (span.droppedLinksCount > 0) writer.uint(fields.droppedLinks, span.droppedLinksCount)
  for (let index = span.links.length - 1; index >= 0; index -= 1) writeLink(span.links[index] as SpanLink, charsMax)
  if (span.droppedEventsCount > 0) writer.uint(fields.droppedEvents, span.droppedEventsCount)
  for (let index = span.events.length - 1; index >= 0; index -= 1) writeEvent(span.events[index] as SpanEvent, charsMax)
  if (span.attributeList.dropped > 0) writer.uint(fields.droppedAttributes, span.attributeList.dropped)
  if (charsMax === Number.POSITIVE_INFINITY) {
    writeKnownAttributes(writer, fields.attributes, span.attributeList, charsMax, known)
  } else writeAttributes(writer, fields.attributes, span.attributeList, charsMax)
  writeTime(fields.end, span.endedAt ?? span.startedAt)
  writeTime(fields.start, span.startedAt)
  // The API counts kinds from INTERNAL, OTLP has "unspecified" before it.
  writer.uint(fields.kind, span.kind + 1)
  writer.text(fields.name, cutText(span.name, charsMax))
  if (parent !== undefined) writer.hex(fields.parentSpanId, parent.spanId)
  if (state !== '') writer.text(fields.traceState, state)
  writer.hex(fields.spanId, spanId)
  writer.hex(fields.traceId, traceId)
  writer.message(spansField, 0)
}

function writeStatus(code: number, message: string | undefined, charsMax: number): void {
  const sizeBefore = writer.size
  writer.uint(statusFields.code, code)
  if (message) writer.text(statusFields.message, cutText(message, charsMax))
  writer.message(fields.status, sizeBefore)
}

function writeEvent({ name, time, attributes }: SpanEvent, charsMax: number): void {
  const sizeBefore = writer.size
  if (attributes.dropped > 0) writer.uint(eventFields.droppedAttributes, attributes.dropped)
  writeAttributes(writer, eventFields.attributes, attributes, charsMax)
  writer.text(eventFields.name, cutText(name, charsMax))
  writeTime(eventFields.time, time)
  writer.message(fields.events, sizeBefore)
}

function writeLink({ context, attributes }: SpanLink, charsMax: number): void {
  if (!isWritable(context)) return
  const sizeBefore = writer.size
  const state = textOf(context.traceState)
  const flags = typeof context.traceFlags === 'number' ? context.traceFlags & 0xff : 0
  writer.fixed32(linkFields.flags, flags | knowsIsRemote | (context.isRemote === true ? isRemote : 0))
  if (attributes.dropped > 0) writer.uint(linkFields.droppedAttributes, attributes.dropped)
  writeAttributes(writer, linkFields.attributes, attributes, charsMax)
  if (state !== '') writer.text(linkFields.traceState, state)
  writer.hex(linkFields.spanId, context.spanId.toLowerCase())
  writer.hex(linkFields.traceId, context.traceId.toLowerCase())
  writer.message(fields.links, sizeBefore)
}

/** A link is whatever a caller hands over; anything but hex digits would be written as other ones. */
function isWritable({ traceId, spanId }: SpanContext): boolean {
  const areTexts = typeof traceId === 'string' && typeof spanId === 'string'
  return areTexts && /^[0-9a-f]{32}$/i.test(traceId) && /^[0-9a-f]{16}$/i.test(spanId)
}

/** And so is its tracestate. */
function textOf(traceState: TraceState | undefined): string {
  return typeof traceState?.serialize === 'function' ? traceState.serialize() : ''
}

/** Nanoseconds since 1970, which have more digits than a number: counted in two parts. */
function writeTime(field: number, moment: number | HrTime): void {
  const seconds = typeof moment === 'number' ? Math.floor(moment / 1e3) : moment[0]
  const nanoseconds = typeof moment === 'number' ? Math.round((moment - seconds * 1e3) * 1e6) : moment[1]
  // Division and rounding cost a fraction of the remainder of numbers that are no small integers.
  const highSeconds = Math.floor(seconds / 65_536)
  const low = (seconds - highSeconds * 65_536) * 1e9 + nanoseconds
  const carry = Math.floor(low / 65_536)
  const high = highSeconds * 1e9 + carry
  const highest = Math.floor(high / 65_536)
  // The number is high * 2^16 and what is left of low.
  writer.fixed64(field, highest, (high - highest * 65_536) * 65_536 + (low - carry * 65_536))
}
