// W3C Trace Context: https://www.w3.org/TR/trace-context/

import { type SpanContext, type TraceState, createTraceState, isValidSpanId, isValidTraceId } from '@opentelemetry/api'

export const traceparentHeader = 'traceparent'
export const tracestateHeader = 'tracestate'

/** Later versions may append fields; version 00 has none. */
const form = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
/** A longer header is nobody's. */
const traceparentCharsMax = 256
/** What must be passed on, and what the API's own class holds. */
const tracestateCharsMax = 512
const tracestateMembersMax = 32
/** The first to go where there is no room for all. */
const longMemberChars = 128

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

const memberKey = /^(?:[a-z][_0-9a-z\-*/]{0,255}|[a-z0-9][_0-9a-z\-*/]{0,240}@[a-z][_0-9a-z\-*/]{0,13})$/
const memberValue = /^(?!.*[,=])[ -~]{0,255}[!-~]$/

/** The members of `text`; none if one of them is malformed or comes twice: whoever wrote that wrote something else. */
function readTraceState(text: string): TraceState | undefined {
  // A header of any length must not cost any time.
  if (text.length > tracestateCharsMax * 16) return undefined
  const members = new Map<string, string>()
  for (const part of text.split(',')) {
    const member = part.trim()
    if (member === '') continue
    const equals = member.indexOf('=')
    const key = member.slice(0, Math.max(equals, 0))
    const isMember = memberKey.test(key) && memberValue.test(member.slice(equals + 1))
    if (!isMember || members.has(key) || members.size === tracestateMembersMax) return undefined
    members.set(key, member)
  }
  return members.size === 0 ? undefined : createTraceState(fitting([...members.values()]).join(','))
}

/** As many of `members` as have room. */
function fitting(members: string[]): string[] {
  let chars = members.reduce((sum, member) => sum + member.length + 1, -1)
  const isLong = (member: string) => member.length > longMemberChars
  while (chars > tracestateCharsMax) {
    const last = members.findLastIndex(isLong)
    const [gone = ''] = members.splice(last === -1 ? members.length - 1 : last, 1)
    chars -= gone.length + 1
  }
  return members
}

/** The `traceparent` that tells of `span`. */
export function writeTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags < 16 ? '0' : ''}${traceFlags.toString(16)}`
}
