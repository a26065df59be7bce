// Requests leave when they are due, whether or not earlier ones were answered, as senders do not wait for one another.

export interface OpenLoop {
  requestsPerSecond: number
  forMs: number
  /** Requests under way; what is due beyond is counted and not sent. */
  underWayMax: number
}

export interface OpenLoopReport {
  notSent: number
  tookMs: number
}

const tickMs = 1

/** Calls `send` for as many requests a second as asked for, with the moment at which each was due; done when all are answered. */
export async function runOpenLoop(
  send: (dueMs: number) => Promise<void>,
  { requestsPerSecond, forMs, underWayMax }: OpenLoop,
): Promise<OpenLoopReport> {
  const total = Math.floor((requestsPerSecond * forMs) / 1_000)
  const underWay = new Set<Promise<void>>()
  let notSent = 0
  let due = 0
  const startMs = performance.now()
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
  return { notSent, tookMs: performance.now() - startMs }
}
