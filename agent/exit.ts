import type { SpanQueue } from './span-queue.ts'

/** Longest time that the end of the process waits for the last spans. */
const flushAtMostMs = 2_000

/**
 * Sends what is left when the process ends, and lets it end as it would have: with the exit code or by the signal that it
 * got. A service that exits by `process.exit()` on its own loses the spans of its last seconds.
 */
export function flushOnExit(queue: SpanQueue): void {
  let isGivenUp = false

  // Node emits this again after work that was done in it, so a flush that fails must not be tried for ever.
  process.on('beforeExit', () => {
    if (isGivenUp || !queue.hasUnsent()) return
    void bounded(queue.drain(), () => {
      isGivenUp = queue.hasUnsent()
    })
  })

  process.once('SIGTERM', () => {
    const isDefault = process.listenerCount('SIGTERM') === 0
    void bounded(queue.drain(), () => {
      // Without a handler of the service's own the signal would have ended it; ours alone must not keep it.
      if (isDefault && process.listenerCount('SIGTERM') === 0) process.kill(process.pid, 'SIGTERM')
    })
  })
}

/** Goes on when `work` is done, or has had its time; the timer holds the process, which nothing of the exporter's does. */
async function bounded(work: Promise<void>, goOn: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, flushAtMostMs)
  await Promise.race([work, promise])
  clearTimeout(timer)
  goOn()
}
