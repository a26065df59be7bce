// What kills the process is told at its next start: by then the spans that it was in are over, and cannot be sent any more.

import { type Span, SpanStatusCode, context, trace } from '@opentelemetry/api'
import { counters } from '../counters.ts'
import { hopOf } from '../flow/hop.ts'
import { type Spool, spoolBytesMax } from './spool.ts'
import { type SpanGroup, type SpanRing, endOfSpan } from './span-ring.ts'

export interface LastWordsOptions {
  ring: SpanRing
  toBody: (groups: SpanGroup[]) => Buffer
  spool: Spool
  say: (line: string) => void
}

/**
 * Ends the spans at hand with the error that nobody caught, and leaves behind what is not sent yet, at most 64 KiB, the newest
 * first. Only watches: whether the process dies is decided as without it.
 */
export function leaveLastWords(options: LastWordsOptions): void {
  const { ring, toBody, spool, say } = options

  process.on('uncaughtExceptionMonitor', (error: unknown, origin) => {
    try {
      // Somebody handles it, and the process and its spans go on.
      const isHandled = process.listenerCount('uncaughtException') > 0
      recordFatal(error, origin, isHandled)
      if (!isHandled) leaveBehind()
    } catch {
      counters.capturesFailed += 1
    }
  })

  process.on('exit', () => {
    try {
      leaveBehind()
    } catch {
      counters.capturesFailed += 1
    }
  })

  function leaveBehind(): void {
    const groups = ring.take({ spansMax: Number.POSITIVE_INFINITY, bytesEnough: Number.POSITIVE_INFINITY })
    const spans = spansIn(groups)
    if (spans === 0) return
    const kept = newestOf(groups, spoolBytesMax - headBytes(toBody))
    const isLeft = spool.leave(toBody(kept), spansIn(kept))
    const lost = isLeft ? spans - spansIn(kept) : spans
    counters.spansLost += lost
    if (lost > 0) say(`the process ends with ${lost} spans that were not sent`)
  }
}

function recordFatal(error: unknown, origin: string, isHandled: boolean): void {
  const active = context.active()
  const at = new Date()
  const [span, entry] = [trace.getSpan(active), hopOf(active)?.entry]
  const open = [...new Set([span, entry])].filter((each): each is Span => each?.isRecording() === true)
  if (open.length === 0 && !isHandled) open.push(trace.getTracer('@headwater/agent').startSpan(origin))
  const { type, message } = describe(error)
  for (const each of open) {
    each.recordException(error instanceof Error ? error : message, at)
    if (isHandled) continue
    each.setAttribute('error.type', type)
    each.setStatus({ code: SpanStatusCode.ERROR, message })
    each.end()
  }
}

function describe(error: unknown): { type: string; message: string } {
  return error instanceof Error
    ? { type: error.name, message: error.message }
    : { type: typeof error, message: String(error) }
}

function spansIn(groups: readonly SpanGroup[]): number {
  return groups.reduce((sum, { spans }) => sum + spans, 0)
}

function headBytes(toBody: (groups: SpanGroup[]) => Buffer): number {
  return toBody([]).length + scopeBytes
}

/** What the heads of a group's messages take at most, with a scope's usual names. */
const scopeBytes = 256

/** The newest groups that fit together into `bytesMax`; of the first that does not, its newest spans. */
function newestOf(groups: readonly SpanGroup[], bytesMax: number): SpanGroup[] {
  const kept: SpanGroup[] = []
  let room = bytesMax
  for (const group of groups.toReversed()) {
    const fitting = group.bytes.length <= room ? group : newestSpansOf(group, room)
    if (fitting.spans > 0) kept.unshift(fitting)
    room -= fitting.bytes.length + scopeBytes
    if (fitting !== group) break
  }
  return kept
}

function newestSpansOf({ scope, bytes, spans }: SpanGroup, room: number): SpanGroup {
  let [at, left] = [0, spans]
  while (left > 0 && bytes.length - at > room) {
    at = endOfSpan(bytes, at)
    left -= 1
  }
  return { scope, bytes: bytes.subarray(at), spans: left }
}
