// What kills the process is told at its next start: by then the spans that it was in are over, and cannot be sent any more.

import { type Span, context, trace } from '@opentelemetry/api'
import { counters } from '../counters.ts'
import { recordable, setFailure } from '../flow/exception.ts'
import { hopOf } from '../flow/hop.ts'
import type { Encoding } from './post.ts'
import type { Batch } from './span-sender.ts'
import { type Spool, spoolBytesMax } from './spool.ts'
import { type SpanGroup, type SpanRing, endOfSpan } from './span-ring.ts'

export interface LastWordsOptions {
  take: SpanRing['take']
  toBody: (groups: SpanGroup[]) => Buffer
  takeUnderWay: () => Batch | undefined
  spool: Spool
  say: (line: string) => void
}

/**
 * Ends the spans at hand with the error that nobody caught, and leaves behind what is not sent yet, at most 64 KiB, the newest
 * first. Only watches: whether the process dies is decided as without it. Returns what leaves the rest behind, for an end that Node
 * tells nobody of.
 */
export function leaveLastWords(options: LastWordsOptions): () => void {
  const { take, toBody, takeUnderWay, spool, say } = options

  process.on('uncaughtExceptionMonitor', (error: unknown, origin) => {
    try {
      // Somebody handles it, and the process and its spans go on.
      const isHandled = process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()
      recordFatal(error, origin, isHandled)
      if (!isHandled) leaveBehind()
    } catch {
      counters.capturesFailed += 1
    }
  })

  const guardedLeave = (): void => {
    try {
      leaveBehind()
    } catch {
      counters.capturesFailed += 1
    }
  }
  process.on('exit', guardedLeave)

  function leaveBehind(): void {
    let room = spoolBytesMax
    let [left, lost] = [0, 0]
    const leave = (part: { body: Buffer; encoding: Encoding; spans: number }): void => {
      const isLeft = part.body.length <= room && spool.leave(part)
      if (isLeft) {
        room -= part.body.length
        left += part.spans
      } else lost += part.spans
    }
    // What is on its way may have arrived: a request that comes twice counts once.
    const underWay = takeUnderWay()
    if (underWay !== undefined && underWay.settle === undefined) leave(underWay)
    const groups = take({ spansMax: Number.POSITIVE_INFINITY, bytesEnough: Number.POSITIVE_INFINITY })
    const kept = newestOf(groups, room - headBytes(toBody))
    lost += spansIn(groups) - spansIn(kept)
    if (kept.length > 0) leave({ body: toBody(kept), encoding: 'identity', spans: spansIn(kept) })
    counters.spansLeft += left
    counters.spansLost += lost
    if (lost > 0)
      say(`the process ends, and ${lost} ${lost === 1 ? 'span is' : 'spans are'} lost that nobody has taken`)
  }
  return guardedLeave
}

function recordFatal(error: unknown, origin: string, isHandled: boolean): void {
  const active = context.active()
  const at = new Date()
  const [span, entry] = [trace.getSpan(active), hopOf(active)?.entry]
  const open = [...new Set([span, entry])].filter((each): each is Span => each?.isRecording() === true)
  if (open.length === 0 && !isHandled) open.push(trace.getTracer('@headwater/agent').startSpan(origin))
  for (const each of open) {
    if (isHandled) {
      each.recordException(recordable(error), at)
      continue
    }
    setFailure(each, error, at)
    each.end()
  }
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
