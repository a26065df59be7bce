import { type Exception, type Span, SpanStatusCode, context } from '@opentelemetry/api'
import { hopOf, hopOfSpan } from './hop.ts'

/** Keeps `error` for the request at hand, until its response shows whether the server failed. The first one counts. */
export function noteException(error: unknown): void {
  const hop = hopOf(context.active())
  if (hop) hop.exception ??= { error, at: new Date() }
}

/** The request of `span` has failed: what its handlers threw was why. */
export function recordServerException(span: Span): void {
  const exception = hopOfSpan(span)?.exception
  if (!exception) return
  span.recordException(recordable(exception.error), exception.at)
}

/** What a span says of an error: its code or name, which are few, and its message. */
export function describeError(error: unknown): { type: string; message: string } {
  if (!(error instanceof Error)) return { type: '_OTHER', message: withoutValues(String(error)) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return { type: code ?? error.name, message: withoutValues(error.message) }
}

/** What `span` stands for has failed with `error`. */
export function setFailure(span: Span, error: unknown, at?: Date): void {
  const { type, message } = describeError(error)
  span.setAttribute('error.type', type)
  span.setStatus({ code: SpanStatusCode.ERROR, message })
  span.recordException(recordable(error), at)
}

/** What is recorded of `error`: values of query strings are left out of its message and its stack. */
export function recordable(error: unknown): Exception {
  if (!(error instanceof Error)) return withoutValues(String(error))
  const { name, message, stack } = error
  const code =
    'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : undefined
  return {
    name,
    message: withoutValues(message),
    ...(stack === undefined ? {} : { stack: withoutValues(stack) }),
    ...(code === undefined ? {} : { code }),
  }
}

/** Addresses carry tokens and names behind the question mark. */
function withoutValues(text: string): string {
  return text.includes('=') ? text.replaceAll(/([?&][\w.~%[\]-]{1,64}=)[^&\s'"`<>)]*/g, '$1…') : text
}
