import { type SamplerName, samplerNames } from '../trace/sampler.ts'
import type { SpanLimits } from '../trace/span.ts'
import type { Variables } from './settings.ts'

/** OTEL_TRACES_SAMPLER and its argument. */
export function readSampler({ text, oneOf, warn }: Variables): { name: SamplerName; ratio: number } {
  const name = oneOf('OTEL_TRACES_SAMPLER', samplerNames, 'parentbased_always_on')
  const stated = text('OTEL_TRACES_SAMPLER_ARG')
  const ratio = stated === undefined ? 1 : Number(stated)
  if (ratio >= 0 && ratio <= 1) return { name, ratio }
  warn(`OTEL_TRACES_SAMPLER_ARG: "${stated}" is no number from 0 to 1; 1 is used`)
  return { name, ratio: 1 }
}

/** The limits of OpenTelemetry's specification, with its names and defaults. */
export function readLimits({ count, optionalCount }: Variables): SpanLimits {
  const attributesMax = count('OTEL_ATTRIBUTE_COUNT_LIMIT', 128)
  const valueCharsMax = optionalCount('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT') ?? Number.POSITIVE_INFINITY
  return {
    span: {
      countMax: count('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', attributesMax),
      valueCharsMax: optionalCount('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT') ?? valueCharsMax,
    },
    event: { countMax: count('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', attributesMax), valueCharsMax },
    link: { countMax: count('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', attributesMax), valueCharsMax },
    eventsMax: count('OTEL_SPAN_EVENT_COUNT_LIMIT', 128),
    linksMax: count('OTEL_SPAN_LINK_COUNT_LIMIT', 128),
  }
}
