// Our tracing as a service's code meets it, and its spans as a collector gets them.

import { type Tracer, context } from '@opentelemetry/api'
import { onTestFinished } from 'vitest'
import { encodeSpan } from './export/encode-span.ts'
import { requestBodies } from './export/request-body.ts'
import type { SpanGroup } from './export/span-ring.ts'
import { readSettings } from './settings/settings.ts'
import { readProtobuf } from './test-otlp.ts'
import type { ReceivedSpan } from './testing.ts'
import { AsyncContextManager } from './trace/context-manager.ts'
import { makeSampler } from './trace/sampler.ts'
import { FlowTracerProvider } from './trace/tracer.ts'

export interface TestTracing {
  provider: FlowTracerProvider
  tracer: Tracer
  /** The spans that have ended, in that order. */
  sent: () => ReceivedSpan[]
}

/** Tracing by the OTEL_* variables of `env`, with contexts, until the test is over. */
export function startTracing(env: Record<string, string> = {}): TestTracing {
  const { sampler, limits } = readSettings(env)
  const groups: SpanGroup[] = []
  const provider = new FlowTracerProvider({
    sampler: makeSampler(sampler.name, sampler.ratio),
    limits,
    ended: (span) => groups.push({ scope: span.instrumentationScope, bytes: Buffer.from(encodeSpan(span)), spans: 1 }),
  })
  context.setGlobalContextManager(new AsyncContextManager())
  onTestFinished(() => context.disable())
  const toBody = requestBodies({ 'service.name': 'test' })
  return {
    provider,
    tracer: provider.getTracer('test'),
    sent: () => (groups.length === 0 ? [] : readProtobuf(toBody(groups))),
  }
}
