// What the captures of queues share. Sending makes a PRODUCER span below the current one; handling makes a CONSUMER span in a
// trace of its own, linked to the sender's, in which the flow goes on.

import { types } from 'node:util'
import { type Attributes, type Context, type Span, SpanKind, context, trace } from '@opentelemetry/api'
import { type Carrier, type Queue, asHandled, contextOf, describeOperation } from '../flow/messages.ts'
import { traceparentHeader, writeTraceparent } from '../propagation/trace-context.ts'
import { isTracingSuppressed } from '../trace/suppression.ts'
import type { Capturing } from './capturing.ts'
import { guarded } from './channel.ts'
import { setFailure } from '../flow/exception.ts'

/** A span that has begun, and the context for what it is about. */
export interface Work {
  span: Span
  active: Context
}

/** Messages that are about to be sent. */
export interface Sending extends Work {
  /** What each of them is to carry. */
  carried: Readonly<Record<string, string>>
}

/** Begins to send, unless an error of our own or suppressed tracing forbids it: then the library works as without us. */
export function beginToSend({ tracer, propagator }: Capturing, queue: Queue, more: Attributes): Sending | undefined {
  return attempt(queue.system, () => {
    const parent = context.active()
    if (isTracingSuppressed(parent)) return undefined
    const { name, attributes } = describeOperation('send', queue)
    const options = { kind: SpanKind.PRODUCER, attributes: { ...attributes, ...more } }
    const span = tracer().startSpan(name, options, parent)
    const active = trace.setSpan(parent, span)
    const carried: Record<string, string> = {}
    propagator.send(active, 'queue', (header, value) => (carried[header] = value))
    return { span, active, carried }
  })
}

/** Begins to handle a message; an array of carriers is a batch, or a run that begins of itself and is linked to them. */
export function beginToHandle(
  { tracer }: Capturing,
  { queue, carrier, attributes: more }: { queue: Queue; carrier: Carrier | readonly Carrier[]; attributes: Attributes },
): Work | undefined {
  return attempt(queue.system, () => {
    const { name, attributes } = describeOperation('process', queue)
    const parent = contextOf(carrier)
    const options = { kind: SpanKind.CONSUMER, attributes: { ...attributes, ...more } }
    const span = tracer().startSpan(name, options, parent)
    return { span, active: asHandled(trace.setSpan(parent, span), carrier) }
  })
}

/**
 * Sends, and ends the span with the promise of it. The caller gets a promise that follows it: by the library's own, a rejection
 * that nobody handles would count as handled, by us.
 */
export async function sent<T>({ span, active }: Work, send: () => Promise<T>, note?: (result: T) => void): Promise<T> {
  try {
    const result = await context.with(active, send)
    guarded('a message', () => note?.(result))
    endWork(span)
    return result
  } catch (error) {
    endWork(span, { error })
    throw error
  }
}

/**
 * Handles for a library that awaits what the handler returns: a promise is watched and returned itself, so that nothing
 * takes longer than without us.
 */
export function handled<T>({ span, active }: Work, handle: () => T, isFailure = (_error: unknown) => true): T {
  const fail = (error: unknown) => endWork(span, isFailure(error) ? { error } : undefined)
  try {
    const result = context.with(active, () => asPromise(handle()))
    if (types.isPromise(result)) result.then(() => endWork(span), fail)
    else endWork(span)
    return result
  } catch (error) {
    fail(error)
    throw error
  }
}

/** Query builders do their work again each time that `then` is called; a promise of our own calls it once. */
function asPromise<T>(result: T): T {
  const isObject = (typeof result === 'object' && result !== null) || typeof result === 'function'
  const isThenable = isObject && 'then' in result && typeof result.then === 'function'
  return isThenable && !types.isPromise(result) ? (Promise.resolve(result) as T) : result
}

/** Ends a span; one that failed bears why. */
export function endWork(span: Span, failure?: { error: unknown }): void {
  guarded('a message', () => {
    if (failure) setFailure(span, failure.error)
    span.end()
  })
}

/** Whoever writes the current span into the headers by hand wants no other. */
export function areWrittenByHand(headers: unknown): boolean {
  if (typeof headers !== 'object' || headers === null || !(traceparentHeader in headers)) return false
  const current = trace.getSpanContext(context.active())
  return current !== undefined && headers.traceparent === writeTraceparent(current)
}

/** What `work` makes, or nothing if it fails: an error stays here. */
export function attempt<T>(what: string, work: () => T): T | undefined {
  const made: { value?: T } = {}
  guarded(what, () => {
    made.value = work()
  })
  return made.value
}

/** Where the broker is, as far as it is known. */
export function serverAt(host: unknown, port: unknown): Attributes {
  return {
    ...(typeof host === 'string' ? { 'server.address': host } : {}),
    ...(typeof port === 'number' ? { 'server.port': port } : {}),
  }
}
