// The stock batch processor drops a batch when the collector is away, says nothing, and its timers hold the process for up
// to half a minute. Here a batch is offered again for a while, the operator reads it once a minute, and only exit.ts ever
// holds the process, for two seconds.

import { context } from '@opentelemetry/api'
import { type ExportResult, ExportResultCode, suppressTracing } from '@opentelemetry/core'
import { counters } from '../counters.ts'
import { minuteReport } from '../export/minute-report.ts'
import { bytesOf } from './span-bytes.ts'
import type { ReadableSpan, SpanExporter } from './types.ts'
import type { BatchSettings } from '../settings/settings.ts'

/** How long a batch waits before each further offer, as far as OTEL_BSP_EXPORT_TIMEOUT allows. */
const offerAgainAfterMs = [1_000, 2_000, 4_000, 8_000]
/** OpenTelemetry's default. */
const defaultQueueSpansMax = 2_048
/** However large spans are, those that wait or are under way hold no more. */
const queueBytesMax = 4 * 1_024 * 1_024

/** Ended spans on their way to the collector. */
export interface SpanQueue {
  /** Takes a span, or drops and counts it if `queueSpansMax` others wait, or 4 MiB of them are held. */
  add(span: ReadableSpan): void
  hasUnsent(): boolean
  /** Resolves when nothing waits any more. Until then each batch is offered once only: there is no time to wait. */
  drain(): Promise<void>
  /** Takes all spans of which nobody knows yet that they have arrived, for when the process ends before they have. */
  takeAll(): ReadableSpan[]
}

/** Sends batches one after another; `say` writes a line for the operator. */
export function spanQueue(
  exporter: SpanExporter,
  options: { batch: BatchSettings; say: (line: string) => void; nowMs: () => number },
): SpanQueue {
  const { batchSpansMax, queueSpansMax = defaultQueueSpansMax, flushAfterMs, exportTimeoutMs } = options.batch
  const report = minuteReport(options.say, options.nowMs)
  let waiting: ReadableSpan[] = []
  let sending: ReadableSpan[] | undefined
  const bytes = new Map<ReadableSpan, number>()
  let heldBytes = 0
  let flushTimer: NodeJS.Timeout | undefined
  let offerAgain: (() => void) | undefined
  let isDraining = false
  let drained: (() => void)[] = []

  function add(span: ReadableSpan): void {
    counters.spansEnded += 1
    const its = bytesOf(span)
    if (waiting.length >= queueSpansMax || heldBytes + its > queueBytesMax) {
      counters.spansDropped += 1
      return
    }
    bytes.set(span, its)
    heldBytes += its
    waiting.push(span)
    sendWhenDue()
  }

  function sendWhenDue(): void {
    if (sending) return
    if (waiting.length >= batchSpansMax || (isDraining && waiting.length > 0)) {
      send()
    } else if (waiting.length > 0) {
      flushTimer ??= setTimeout(send, flushAfterMs).unref()
    } else {
      isDraining = false
      for (const resolve of drained) resolve()
      drained = []
    }
  }

  function send(): void {
    clearTimeout(flushTimer)
    flushTimer = undefined
    if (sending || waiting.length === 0) return
    sending = waiting.slice(0, batchSpansMax)
    waiting = waiting.slice(batchSpansMax)
    offer(sending, { offers: 0, sinceMs: options.nowMs() })
  }

  function offer(spans: ReadableSpan[], { offers, sinceMs }: { offers: number; sinceMs: number }): void {
    // Suppressed, or the exporter's requests would make spans that make requests.
    context.with(suppressTracing(context.active()), () => {
      exporter.export(spans, (result) => {
        const waitMs = offerAgainAfterMs[offers]
        const isOver =
          result.code === ExportResultCode.SUCCESS ||
          isDraining ||
          isRefusal(result) ||
          waitMs === undefined ||
          options.nowMs() + waitMs - sinceMs > exportTimeoutMs
        if (isOver) {
          settle(spans, result)
          return
        }
        report.refused(reasonOf(result))
        const timer = setTimeout(again, waitMs).unref()
        offerAgain = again
        function again(): void {
          clearTimeout(timer)
          offerAgain = undefined
          offer(spans, { offers: offers + 1, sinceMs })
        }
      })
    })
  }

  function settle(spans: ReadableSpan[], result: ExportResult): void {
    if (result.code === ExportResultCode.SUCCESS) {
      counters.spansExported += spans.length
      report.taken()
    } else {
      counters.spansLost += spans.length
      report.refused(reasonOf(result))
    }
    sending = undefined
    release(spans)
    sendWhenDue()
  }

  function release(spans: readonly ReadableSpan[]): void {
    for (const span of spans) {
      heldBytes -= bytes.get(span) ?? 0
      bytes.delete(span)
    }
  }

  function drain(): Promise<void> {
    isDraining = true
    const { promise, resolve } = Promise.withResolvers<void>()
    drained.push(resolve)
    offerAgain?.()
    sendWhenDue()
    return promise
  }

  function takeAll(): ReadableSpan[] {
    const all = [...(sending ?? []), ...waiting]
    sending = undefined
    waiting = []
    release(all)
    return all
  }

  return { add, drain, takeAll, hasUnsent: () => sending !== undefined || waiting.length > 0 }
}

/** The collector has seen this batch and does not want it: offering it again would change nothing. */
function isRefusal(result: ExportResult): boolean {
  const code: unknown = result.error && 'code' in result.error ? result.error.code : undefined
  return typeof code === 'number' && code >= 400 && code < 500 && code !== 429
}

function reasonOf({ error }: ExportResult): string {
  const message = error?.message || 'it gave no reason'
  return error && 'code' in error && typeof error.code === 'number' ? `${error.code} ${message}` : message
}
