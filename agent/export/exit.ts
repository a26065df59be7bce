/** Spans that are not sent yet. */
export interface Unsent {
  hasUnsent(): boolean
  /** Resolves when nothing waits any more. Until then each batch is offered once only: there is no time to wait. */
  drain(): Promise<void>
}

/** Longest time that the end of the process waits for the last spans. */
const flushAtMostMs = 2_000
const signals = ['SIGTERM', 'SIGINT'] as const
type Signal = (typeof signals)[number]

/**
 * Sends what is left when the process ends, and lets it end as it would have: with the exit code or by the signal that it
 * got. `leaveBehind` runs before a signal ends it, as Node tells nobody of that.
 */
export function flushOnExit(unsent: Unsent, leaveBehind: () => void = () => undefined): void {
  let isGivenUp = false

  // Node emits this again after work that was done in it, so a flush that fails must not be tried for ever.
  process.on('beforeExit', () => {
    if (isGivenUp || !unsent.hasUnsent()) return
    void bounded(unsent.drain(), () => {
      isGivenUp = unsent.hasUnsent()
    })
  })

  for (const signal of signals) {
    const wasHandled = watchOthers(signal, onSignal)
    process.prependOnceListener(signal, onSignal)
    function onSignal(): void {
      const isDefault = process.listenerCount(signal) === 0 && !wasHandled()
      void bounded(unsent.drain(), () => {
        // Without a handler of the service's own the signal would have ended it; ours alone must not keep it.
        if (!isDefault || process.listenerCount(signal) > 0) return
        leaveBehind()
        process.kill(process.pid, signal)
      })
    }
  }
}

/** Whether another listener of `signal` is just being run, which for one that listens once means that it is gone by now. */
function watchOthers(signal: Signal, ours: () => void): () => boolean {
  let isJustGone = false
  process.on('removeListener', (event, listener) => {
    if (event !== signal || listener === ours) return
    isJustGone = true
    setImmediate(() => (isJustGone = false)).unref()
  })
  return () => isJustGone
}

/** Goes on when `work` is done, or has had its time; the timer holds the process, which nothing of the sender's does. */
async function bounded(work: Promise<void>, goOn: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, flushAtMostMs)
  await Promise.race([work, promise])
  clearTimeout(timer)
  goOn()
}
