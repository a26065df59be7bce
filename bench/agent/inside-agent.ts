// The agent's parts, to be measured one by one. Its package gives out the whole only, so they are loaded by their place in it,
// and typed here as far as they are used.

import type { Attributes, TracerProvider } from '@opentelemetry/api'

/** A span that has ended. */
export interface RecordedSpan {
  readonly attributes: Attributes
  readonly instrumentationScope: object
}

/** Spans of one scope. */
export interface SpanGroup {
  spans: number
}

interface AttributeLimits {
  countMax: number
  valueCharsMax: number
}

interface Parts {
  'export/encode-span.ts': { encodeSpan: (span: RecordedSpan) => Buffer }
  'export/request-body.ts': {
    requestBodies: (resource: Readonly<Record<string, unknown>>) => (groups: SpanGroup[]) => Buffer
  }
  'export/span-ring.ts': {
    SpanRing: new (bounds: { bytesMax: number; spansMax: number }) => {
      readonly spans: number
      add(scope: object, encoded: Uint8Array): number
      take(bounds: { spansMax: number; bytesEnough: number }): SpanGroup[]
      giveBack(): void
    }
  }
  'trace/sampler.ts': { makeSampler: (name: string, ratio: number) => unknown }
  'trace/tracer.ts': {
    FlowTracerProvider: new (options: {
      sampler: unknown
      limits: {
        span: AttributeLimits
        event: AttributeLimits
        link: AttributeLimits
        eventsMax: number
        linksMax: number
      }
      ended: (span: RecordedSpan) => void
    }) => TracerProvider
  }
}

/** Loads one file of the agent. */
export async function loadPart<F extends keyof Parts>(file: F): Promise<Parts[F]> {
  return (await import(new URL(file, import.meta.resolve('@headwater/agent')).href)) as Parts[F]
}
