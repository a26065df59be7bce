// W3C Trace Context: https://www.w3.org/TR/trace-context/

import { type SpanContext, type TraceState, createTraceState, isValidSpanId, isValidTraceId } from '@opentelemetry/api'

export const traceparentHeader = 'traceparent'
export const tracestateHeader = 'tracestate'

/** Later versions may append fields; version 00 has none. */
const form = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
/** A longer header is nobody's. */
const traceparentCharsMax = 256
/** The API reads 512 characters; of a longer one whole members are left out at the end, as the standard wants. */
const tracestateCharsMax = 512

/** The remote span that the headers state, or nothing: a malformed `traceparent` states none, and nor does its `tracestate`. */
export function readTraceContext(traceparent: string | undefined, tracestate: string | undefined) {
  if (traceparent === undefined || traceparent.length > traceparentCharsMax) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = form.exec(traceparent.trim()) ?? []
  if (version === undefined || (version === '00' && more !== undefined)) return undefined
  if (!isValidTraceId(traceId) || !isValidSpanId(spanId)) return undefined
  const read: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & knownFlags, isRemote: true }
  const state = tracestate === undefined ? undefined : readTraceState(tracestate)
  return state === undefined ? read : { ...read, traceState: state }
}

/** Sampled, and that the trace's ID is random. */
const knownFlags = 0b11

function readTraceState(text: string): TraceState | undefined {
  // A header of any length must not cost any time.
  if (text.length > tracestateCharsMax * 16) return undefined
  let kept = text
  while (kept.length > tracestateCharsMax) kept = kept.slice(0, Math.max(kept.lastIndexOf(','), 0))
  const state = createTraceState(kept)
  return state.serialize() === '' ? undefined : state
}

/** The `traceparent` that tells of `span`. */
export function writeTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags < 16 ? '0' : ''}${traceFlags.toString(16)}`
}
