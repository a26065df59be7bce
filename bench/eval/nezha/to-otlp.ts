import { createHash } from 'node:crypto'
import type { SentLog, SentSpan, Telemetry } from '../through-product.ts'
import { type SetLog, type SetSpan, serviceOf } from './read.ts'

/**
 * Spans and logs as their services would have sent them, moved by `shiftMs`. No name tells the product anything. The set has no kinds:
 * a span below another service's is a server's, one above another service's a client's. It has no status either.
 */
export function toTelemetry(
  { spans, logs }: { spans: readonly SetSpan[]; logs: readonly SetLog[] },
  { shiftMs, stretch }: { shiftMs: number; stretch: string },
): Telemetry {
  const shiftNs = BigInt(shiftMs) * 1_000_000n
  const known = new Map(spans.map((span) => [`${span.traceId}/${span.spanId}`, span]))
  const parentOf = (span: SetSpan): SetSpan | undefined => known.get(`${span.traceId}/${span.parentId}`)
  const callers = new Set<SetSpan>()
  for (const span of spans) {
    const parent = parentOf(span)
    if (parent !== undefined && serviceOf(parent.pod) !== serviceOf(span.pod)) callers.add(parent)
  }
  const kindOf = (span: SetSpan): SentSpan['kind'] => {
    const parent = parentOf(span)
    if (parent === undefined || serviceOf(parent.pod) !== serviceOf(span.pod)) return 'server'
    return callers.has(span) ? 'client' : 'internal'
  }
  return {
    spans: spans.map((span) => ({
      traceId: idOf(`${stretch}/${span.traceId}`, 32),
      spanId: span.spanId,
      parentSpanId: span.parentId,
      service: serviceId(span.pod),
      instance: idOf(span.pod, 8),
      name: `o${idOf(span.operation, 8)}`,
      kind: kindOf(span),
      startNs: span.startNs + shiftNs,
      durationNs: span.endNs > span.startNs ? span.endNs - span.startNs : 0n,
    })),
    logs: logs.map((log): SentLog => ({
      traceId: idOf(`${stretch}/${log.traceId}`, 32),
      spanId: log.spanId,
      service: serviceId(log.pod),
      timeNs: log.timeNs + shiftNs,
      severity: log.severity,
      scope: `c${idOf(log.logger, 8)}`,
      line: log.line,
      body: `line ${log.line} of c${idOf(log.logger, 8)}`,
    })),
  }
}

/** What the product knows the service of a pod by. */
export function serviceId(pod: string): string {
  return `s${idOf(serviceOf(pod), 6)}`
}

function idOf(name: string, digits: number): string {
  return createHash('sha256').update(name).digest('hex').slice(0, digits)
}
