import { exception } from './exception.ts'

/** Lets a bounded number of queries run, a bounded number wait for a bounded time, and refuses the rest. */
export interface Gate {
  /** Resolves when a place is free; the caller gives it back by calling what it got. */
  enter(signal: AbortSignal): Promise<() => void>
  counts(): { running: number; waiting: number; refused: number }
}

interface Waiter {
  start(): void
}

/** Opens a gate. Beyond the bounds the refusal is ClickHouse's own, which clients know to try again. */
export function createGate(bounds: { runningMax: number; waitingMax: number; waitMaxMs: number }): Gate {
  const waiters = new Set<Waiter>()
  let running = 0
  let refused = 0

  const tooMany = () => {
    refused += 1
    return exception(
      'TOO_MANY_SIMULTANEOUS_QUERIES',
      `Too many simultaneous queries: ${running} run, ${waiters.size} wait. Maximum: ${bounds.runningMax} and ${bounds.waitingMax}.`,
    )
  }
  const leave = () => {
    running -= 1
    const next = waiters.values().next().value
    if (next !== undefined) {
      waiters.delete(next)
      next.start()
    }
  }
  const place = () => {
    running += 1
    let given = true
    return () => {
      if (given) leave()
      given = false
    }
  }

  return {
    counts: () => ({ running, waiting: waiters.size, refused }),
    enter(signal) {
      if (signal.aborted) return Promise.reject(exception('QUERY_WAS_CANCELLED', 'Query was cancelled'))
      if (running < bounds.runningMax) return Promise.resolve(place())
      if (waiters.size >= bounds.waitingMax) return Promise.reject(tooMany())
      return new Promise((resolve, reject) => {
        const settle = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', giveUp)
          waiters.delete(waiter)
        }
        const giveUp = () => {
          settle()
          reject(exception('QUERY_WAS_CANCELLED', 'Query was cancelled'))
        }
        const timer = setTimeout(() => {
          settle()
          reject(tooMany())
        }, bounds.waitMaxMs)
        const waiter: Waiter = {
          start() {
            settle()
            resolve(place())
          },
        }
        signal.addEventListener('abort', giveUp, { once: true })
        waiters.add(waiter)
      })
    },
  }
}
