import { type Context, TraceFlags } from '@opentelemetry/api'
import { enterFlow, settleFlow } from '../flow/flow-of-span.ts'
import { hopOf, newHop } from '../flow/hop.ts'
import type { SpanQueue } from './span-queue.ts'
import type { ReadableSpan, Span, SpanProcessor } from './types.ts'

/** Gives every span its flow, and passes it to `queue` when it ends. */
export function flowSpanProcessor(queue?: SpanQueue): SpanProcessor {
  function onStart(span: Span, parent: Context): void {
    const hop = hopOf(parent) ?? newHop()
    hop.id ??= span.spanContext().traceId
    enterFlow(span, span, hop)
  }

  function onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) queue?.add(span)
  }

  const drain = () => queue?.drain() ?? Promise.resolve()
  return { onStart, onEnding: settleFlow, onEnd, forceFlush: drain, shutdown: drain }
}
