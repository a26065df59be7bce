// Requests leave when they are due, whether or not earlier ones were answered, as senders do not wait for one another. A latency
// counts from when the request was due: what a slow receiver keeps from being sent is late as well.

import { note, type Sender, type Sent } from './sender.ts'

export interface OpenLoop {
  requestsPerSecond: number
  forMs: number
  /** Requests under way; what is due beyond is counted and not sent. */
  underWayMax: number
}

export interface OpenLoopReport extends Sent {
  notSent: number
  tookMs: number
  /** Of the requests that were taken, in milliseconds. */
  latency: { p50: number; p99: number; max: number }
}

const tickMs = 1

/** Sends as many requests a second as asked for; done when all are answered. */
export async function sendOpenLoop(sender: Sender, options: OpenLoop): Promise<OpenLoopReport> {
  const { requestsPerSecond, forMs, underWayMax } = options
  const total = Math.floor((requestsPerSecond * forMs) / 1_000)
  const latencies = new Float64Array(total)
  const sent: Sent = { outcomes: {}, spansTaken: 0 }
  const underWay = new Set<Promise<void>>()
  let taken = 0
  let notSent = 0
  let due = 0
  const startMs = performance.now()

  const send = async (dueMs: number): Promise<void> => {
    const answered = await sender.sendNext()
    note(sent, answered)
    if (answered.outcome !== 200) return
    latencies[taken] = performance.now() - dueMs
    taken += 1
  }
  while (due < total) {
    const dueMs = startMs + (due * 1_000) / requestsPerSecond
    if (dueMs > performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, tickMs))
      continue
    }
    due += 1
    if (underWay.size >= underWayMax) {
      notSent += 1
      continue
    }
    const sending: Promise<void> = send(dueMs).finally(() => underWay.delete(sending))
    underWay.add(sending)
    // Answers are read between two requests, also while many are due at once.
    if (due % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(underWay)
  const sorted = latencies.subarray(0, taken).toSorted()
  const at = (share: number): number => sorted[Math.min(taken - 1, Math.floor(taken * share))] ?? Number.NaN
  return { ...sent, notSent, tookMs: performance.now() - startMs, latency: { p50: at(0.5), p99: at(0.99), max: at(1) } }
}
