// What follows from an attempt. Whether a receiver that did not answer has taken the message nobody knows, so it is sent again
// under the same ID.
import type { Reply } from './http/post.ts'

/** What becomes of a message after an attempt. */
export type Outcome =
  | { kind: 'delivered' }
  | { kind: 'again'; atMs: number }
  /** It will not be sent any more, unless somebody asks for it. */
  | { kind: 'dead'; reason: string }
  /** The receiver wants no more of any message. */
  | { kind: 'gone'; reason: string }

/** Pauses after the first attempts; the last one is repeated. */
const pausesMs = [5_000, 15_000, 60_000, 300_000, 600_000, 900_000]
/** A receiver that says "in a year" would make us forget the message. */
const retryAfterMsMax = 3_600_000
/** The receiver has understood this very message, and refuses it: it would refuse it again. */
const refusals = new Set([400, 413, 414, 415, 422])

/** `tries` counts this attempt too; `chance` is between 0 and 1. */
export function outcomeOf(
  reply: Reply,
  {
    tries,
    waitingSinceMs,
    nowMs,
    giveUpAfterMs,
    chance,
  }: { tries: number; waitingSinceMs: number; nowMs: number; giveUpAfterMs: number; chance: number },
): Outcome {
  const reason = reasonOf(reply)
  if (reply.kind === 'answered') {
    if (reply.status >= 200 && reply.status < 300) return { kind: 'delivered' }
    if (reply.status === 410) return { kind: 'gone', reason }
    if (refusals.has(reply.status)) return { kind: 'dead', reason }
  }
  if (reply.kind === 'refused') return { kind: 'dead', reason }
  const usualMs = pausesMs[Math.min(tries, pausesMs.length) - 1] ?? 0
  // Up to a tenth more, so that messages that failed together do not come back together.
  const pauseMs = usualMs * (1 + chance / 10)
  const askedMs = reply.kind === 'answered' ? retryAfterMs(reply.retryAfter, nowMs) : 0
  const atMs = Math.round(nowMs + Math.max(pauseMs, askedMs))
  if (atMs - waitingSinceMs > giveUpAfterMs)
    return { kind: 'dead', reason: `${reason}; given up after ${tries} attempts` }
  return { kind: 'again', atMs }
}

/** What an attempt came to, for the log. */
export function reasonOf(reply: Reply): string {
  if (reply.kind !== 'answered') return reply.reason
  return reply.says === '' ? `it answered ${reply.status}` : `it answered ${reply.status}: ${reply.says}`
}

/** Seconds or a date (RFC 9110, 10.2.3) as milliseconds from now, within bounds; 0 for what is neither. */
export function retryAfterMs(header: string | undefined, nowMs: number): number {
  const text = header?.trim() ?? ''
  const ms = /^\d{1,10}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), retryAfterMsMax) : 0
}
