import type { StoredSpan } from '@headwater/store'
import { unixNano } from './otlp.ts'

/** What Jaeger's UI lists of a trace that was found. Times are nanoseconds since 1970, as text. */
export interface TraceSummary {
  traceId: string
  rootServiceName: string
  rootOperationName: string
  minStartTimeUnixNano: string
  maxEndTimeUnixNano: string
  spanCount: number
  errorSpanCount: number
  /** Spans whose parents are not there. */
  orphanSpanCount: number
  services: { name: string; spanCount: number; errorSpanCount: number }[]
}

/** Sums up a trace. Its root is the first span without a parent, or the first one. */
export function summaryOf(traceId: string, spans: readonly StoredSpan[]): TraceSummary {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const root = spans.find(({ parentSpanId }) => parentSpanId === '') ?? spans[0]
  const failed = (own: readonly StoredSpan[]) => own.filter(({ statusCode }) => statusCode === 'Error').length
  let [from, to] = [root === undefined ? 0n : unixNano(root.startTime), 0n]
  for (const { startTime, durationNs } of spans) {
    const start = unixNano(startTime)
    const end = start + BigInt(durationNs)
    if (start < from) from = start
    if (end > to) to = end
  }
  const byService = Map.groupBy(spans, ({ serviceName }) => serviceName)
  return {
    traceId,
    rootServiceName: root?.serviceName ?? '',
    rootOperationName: root?.name ?? '',
    minStartTimeUnixNano: String(from),
    maxEndTimeUnixNano: String(to),
    spanCount: spans.length,
    errorSpanCount: failed(spans),
    orphanSpanCount: spans.filter(({ parentSpanId }) => parentSpanId !== '' && !ids.has(parentSpanId)).length,
    services: Array.from(byService, ([name, own]) => ({
      name,
      spanCount: own.length,
      errorSpanCount: failed(own),
    })),
  }
}
