/** Spans that are not sent yet. */
export interface Unsent {
  hasUnsent(): boolean
  /** Resolves when nothing waits any more. Until then each batch is offered once only: there is no time to wait. */
  drain(): Promise<void>
}

/** Longest time that the end of the process waits for the last spans. */
const flushAtMostMs = 2_000

/**
 * Sends what is left when the process ends, and lets it end as it would have: with the exit code or by the signal that it
 * got.
 */
export function flushOnExit(unsent: Unsent): void {
  let isGivenUp = false

  // Node emits this again after work that was done in it, so a flush that fails must not be tried for ever.
  process.on('beforeExit', () => {
    if (isGivenUp || !unsent.hasUnsent()) return
    void bounded(unsent.drain(), () => {
      isGivenUp = unsent.hasUnsent()
    })
  })

  process.once('SIGTERM', () => {
    const isDefault = process.listenerCount('SIGTERM') === 0
    void bounded(unsent.drain(), () => {
      // Without a handler of the service's own the signal would have ended it; ours alone must not keep it.
      if (isDefault && process.listenerCount('SIGTERM') === 0) process.kill(process.pid, 'SIGTERM')
    })
  })
}

/** Goes on when `work` is done, or has had its time; the timer holds the process, which nothing of the sender's does. */
async function bounded(work: Promise<void>, goOn: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, flushAtMostMs)
  await Promise.race([work, promise])
  clearTimeout(timer)
  goOn()
}
