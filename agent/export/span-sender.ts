// Ended spans on their way to the collector: encoded at once, sent in batches, one at a time. A collector that is away is
// asked again and again, ever less often; meanwhile the ring keeps what has room. Only exit.ts ever holds the process.

import { counters } from '../counters.ts'
import type { RecordedSpan } from '../trace/span.ts'
import { encodeSpan } from './encode-span.ts'
import { compressors, inflaters } from './compress.ts'
import type { Unsent } from './exit.ts'
import { minuteReport } from './minute-report.ts'
import type { Answer, Encoding, Post } from './post.ts'
import type { SpanGroup, SpanRing } from './span-ring.ts'
import type { Leftover } from './spool.ts'

export interface SenderOptions {
  ring: SpanRing
  toBody: (groups: SpanGroup[]) => Buffer
  post: Post
  /** `undefined`: gzip, or zstd as soon as the endpoint has said that it understands it. */
  compression: 'none' | 'gzip' | 'zstd' | undefined
  batchSpansMax: number
  flushAfterMs: number
  /** Writes a line for the operator. */
  say: (line: string) => void
  nowMs: () => number
  /** From 0 to 1. */
  random: () => number
}

export interface SpanSender extends Unsent {
  /** Takes a sampled span that has ended. Never throws. */
  add(span: RecordedSpan): void
  /** Sends what earlier processes have left behind. */
  sendLeftovers(leftovers: readonly Leftover[]): void
  /** The batch whose fate is not known yet, for when the process ends before it is. */
  takeUnderWay(): Batch | undefined
}

/** A request is made of so many bytes, if there are as many, before they are compressed. */
const requestBytesEnough = 524_288
const firstWaitMs = 1_000
/** Who wants to be asked again at once is not asked in a loop. */
const waitMsMin = 500
const waitMsMax = 30_000

export interface Batch {
  spans: number
  body: Buffer
  encoding: Encoding
  /** It has been taken, or never will be. */
  settle?: () => void
}

export function spanSender(options: SenderOptions): SpanSender {
  const { ring, post, batchSpansMax, flushAfterMs } = options
  const report = minuteReport(options.say, options.nowMs)
  let isSending = false
  let isDue = false
  let isDraining = false
  /** A batch that the endpoint could not take, with what ends its wait. */
  let waiting: { batch: Batch; goOn: () => void } | undefined
  let failures = 0
  let flushTimer: NodeJS.Timeout | undefined
  let drained: (() => void)[] = []
  const leftovers: Leftover[] = []
  let underWay: Batch | undefined
  /** The endpoint may not understand what nobody has told it to. */
  const isCompressionOurs = options.compression === undefined
  const notUnderstood = new Set<Encoding>()
  let understands = ''
  const compress = compressors()

  function add(span: RecordedSpan): void {
    counters.spansEnded += 1
    try {
      counters.spansDropped += ring.add(span.instrumentationScope, encodeSpan(span))
    } catch {
      // Too large even without its long texts, or made of objects that cannot be read.
      counters.spansDropped += 1
      return
    }
    if (isSending) return
    if (ring.spans >= batchSpansMax) {
      if (isDue) return
      isDue = true
      // Not now: whoever ends a span is in the middle of a request.
      setImmediate(sendBatches).unref()
    } else {
      flushTimer ??= setTimeout(sendBatches, flushAfterMs).unref()
    }
  }

  function sendLeftovers(found: readonly Leftover[]): void {
    if (found.length === 0) return
    leftovers.push(...found)
    sendBatches()
  }

  function sendBatches(): void {
    isDue = false
    clearTimeout(flushTimer)
    flushTimer = undefined
    if (!isSending) void sendWhileThereAre()
  }

  async function sendWhileThereAre(): Promise<void> {
    isSending = true
    for (const leftover of leftovers.splice(0)) await deliver({ ...leftover })
    for (;;) {
      const groups = ring.take({ spansMax: batchSpansMax, bytesEnough: requestBytesEnough })
      if (groups.length === 0) break
      const spans = groups.reduce((sum, group) => sum + group.spans, 0)
      try {
        await deliver(await pack(groups, spans))
      } catch (error) {
        underWay = undefined
        counters.spansLost += spans
        report.refused(error instanceof Error ? error.message : String(error))
      }
      if (!isDraining && ring.spans < batchSpansMax) break
    }
    isSending = false
    if (ring.spans > 0) {
      if (isDraining) return void sendWhileThereAre()
      flushTimer ??= setTimeout(sendBatches, flushAfterMs).unref()
      return
    }
    isDraining = false
    for (const resolve of drained) resolve()
    drained = []
  }

  async function pack(groups: SpanGroup[], spans: number): Promise<Batch> {
    const encoding = encodingNow()
    const body = options.toBody(groups)
    ring.giveBack()
    const batch: Batch = { spans, body, encoding: 'identity' }
    underWay = batch
    batch.body = await compress[encoding](body)
    batch.encoding = encoding
    return batch
  }

  function encodingNow(): Encoding {
    if (options.compression !== undefined) return options.compression === 'none' ? 'identity' : options.compression
    if (/(^|[\s,])zstd($|[\s,;])/i.test(understands) && !notUnderstood.has('zstd')) return 'zstd'
    return notUnderstood.has('gzip') ? 'identity' : 'gzip'
  }

  /** Offers a batch until the endpoint takes or refuses it; while draining, once. */
  async function deliver(batch: Batch): Promise<void> {
    for (;;) {
      const answer = await post(batch.body, batch.encoding)
      if (answer.kind === 'taken') {
        failures = 0
        understands = answer.understands
        const rejected = Math.min(answer.rejected, batch.spans)
        if (batch.settle === undefined) {
          counters.spansExported += batch.spans - rejected
          counters.spansLost += rejected
        } else counters.spansRecovered += batch.spans - rejected
        if (rejected > 0) report.refused(answer.reason)
        else report.taken()
        settle(batch)
        return
      }
      const isNotUnderstood = answer.kind === 'refused' && answer.status === 415 && batch.encoding !== 'identity'
      if (isNotUnderstood && isCompressionOurs) {
        notUnderstood.add(batch.encoding)
        const body = await inflaters[batch.encoding](batch.body)
        batch.encoding = encodingNow()
        batch.body = await compress[batch.encoding](body)
        continue
      }
      if (answer.kind === 'refused' || isDraining) {
        // What earlier processes have left behind is in their books, and stays where it is if nobody answers.
        if (batch.settle === undefined) counters.spansLost += batch.spans
        if (answer.kind === 'refused') settle(batch)
        else underWay = undefined
        report.refused(answer.reason)
        return
      }
      report.refused(answer.reason)
      await pause(batch, waitMsAfter(answer))
    }
  }

  function settle(batch: Batch): void {
    underWay = undefined
    batch.settle?.()
  }

  function takeUnderWay(): Batch | undefined {
    const batch = underWay
    underWay = undefined
    return batch
  }

  function waitMsAfter(answer: Answer & { kind: 'busy' }): number {
    const backOffMs = Math.min(firstWaitMs * 2 ** failures, waitMsMax)
    failures += 1
    // Spread, or all that lost the same collector would come back to it at once.
    return answer.waitMs === undefined ? backOffMs * (0.5 + options.random() / 2) : Math.max(answer.waitMs, waitMsMin)
  }

  function pause(batch: Batch, ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(goOn, ms).unref()
    waiting = { batch, goOn }
    function goOn(): void {
      clearTimeout(timer)
      waiting = undefined
      resolve()
    }
    return promise
  }

  function drain(): Promise<void> {
    if (!hasUnsent()) return Promise.resolve()
    isDraining = true
    const { promise, resolve } = Promise.withResolvers<void>()
    drained.push(resolve)
    waiting?.goOn()
    sendBatches()
    return promise
  }

  function hasUnsent(): boolean {
    return isSending || ring.spans > 0
  }

  return { add, sendLeftovers, takeUnderWay, drain, hasUnsent }
}
