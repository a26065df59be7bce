import { type Sampler, SamplingDecision, isSpanContextValid, trace } from '@opentelemetry/api'
import { hopOf } from '../flow/hop.ts'
import type { AgentSettings } from '../settings/settings.ts'
import { makeSampler } from '../trace/sampler.ts'

/** OTEL_TRACES_SAMPLER for OpenTelemetry's SDK, whose own ratios go by the trace's ID: ours go by the flow's. */
export function flowSampler({ sampler: { name, ratio } }: AgentSettings): Sampler {
  const decide = makeSampler(name, ratio)
  return {
    shouldSample(context, traceId) {
      const stated = trace.getSpanContext(context)
      const parent = stated !== undefined && isSpanContextValid(stated) ? stated : undefined
      const { isSampled, traceState } = decide(parent, { traceId, flowId: hopOf(context)?.id ?? traceId })
      return {
        decision: isSampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
        ...(traceState === undefined ? {} : { traceState }),
      }
    },
    toString: () => `FlowSampler{${name}, ${ratio}}`,
  }
}
