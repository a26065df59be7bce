import { type Span, context } from '@opentelemetry/api'
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
  const { error, at } = exception
  span.recordException(error instanceof Error ? error : String(error), at)
}
