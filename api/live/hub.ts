// What many look at is read once and written once: a snapshot each second, compressed once, the same bytes to everybody.
// A snapshot says all, so one that a slow listener misses is lost without harm.
import { gzipSync } from 'node:zlib'
import type { MetricDefinition, MetricSet } from '@headwater/vocabulary'

export const liveMetrics = {
  headwater_live_clients: { type: 'gauge', help: 'Consoles that listen' },
  headwater_live_snapshots_total: { type: 'counter', help: 'Snapshots read for those who listen' },
  headwater_live_messages_total: { type: 'counter', help: 'Snapshots sent, one a listener' },
  headwater_live_skipped_total: {
    type: 'counter',
    help: 'Snapshots not sent to a listener that still had others to take',
  },
  headwater_live_dropped_total: {
    type: 'counter',
    help: 'Listeners let go',
    labels: ['reason'],
  },
  headwater_live_refused_total: { type: 'counter', help: 'Listeners beyond the most that are let in' },
  headwater_live_failed_total: { type: 'counter', help: 'Snapshots that could not be read' },
} as const satisfies Record<string, MetricDefinition>

/** One who listens: what of a WebSocket the hub needs. */
export interface Listener {
  send(message: Uint8Array | string): void
  /** Bytes that it has not taken yet. */
  readonly bufferedAmount: number
  /** Lets it go at once. */
  terminate(): void
}

export interface HubLimits {
  everyMs: number
  listenersMax: number
  /** Above this no further snapshot is sent to a listener. */
  waitingBytesMax: number
  /** After so many snapshots that it could not take, one after the other, a listener is let go. */
  skippedMax: number
}

export const usualLimits: HubLimits = {
  everyMs: 1_000,
  listenersMax: 1_000,
  waitingBytesMax: 256 * 1024,
  skippedMax: 30,
}

export interface Hub {
  /** Lets a listener in and sends it what is known; false when there is no room. */
  join(listener: Listener): boolean
  leave(listener: Listener): void
  /** Reads and sends; by itself every `everyMs` while anybody listens. */
  beat(): Promise<void>
  stop(): void
}

/** A hub that sends what `read` gives. `read` is never asked twice at once, and not at all while nobody listens. */
export function createHub({
  read,
  metrics,
  limits = usualLimits,
}: {
  read: () => Promise<object>
  metrics: MetricSet<keyof typeof liveMetrics>
  limits?: HubLimits
}): Hub {
  /** With how many snapshots each has missed, one after the other. */
  const listeners = new Map<Listener, number>()
  let timer: NodeJS.Timeout | undefined
  let latest: Uint8Array | string | undefined
  let isReading = false

  function sendTo(listener: Listener, message: Uint8Array | string): void {
    if (listener.bufferedAmount > limits.waitingBytesMax) {
      const skipped = (listeners.get(listener) ?? 0) + 1
      metrics.add('headwater_live_skipped_total')
      if (skipped > limits.skippedMax) {
        metrics.add('headwater_live_dropped_total', 1, { reason: 'slow' })
        leave(listener)
        listener.terminate()
      } else listeners.set(listener, skipped)
      return
    }
    listeners.set(listener, 0)
    listener.send(message)
    metrics.add('headwater_live_messages_total')
  }

  function leave(listener: Listener): void {
    listeners.delete(listener)
    metrics.set('headwater_live_clients', listeners.size)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
    latest = undefined
  }

  async function beat(): Promise<void> {
    if (isReading) return
    isReading = true
    try {
      const snapshot = await read()
      metrics.add('headwater_live_snapshots_total')
      latest = gzipSync(JSON.stringify(snapshot), { level: 4 })
    } catch {
      metrics.add('headwater_live_failed_total')
      // Those who listen keep what they have, and are told that it is old.
      latest = '{"stale":true}'
    } finally {
      isReading = false
    }
    for (const listener of listeners.keys()) sendTo(listener, latest)
  }

  return {
    join(listener) {
      if (listeners.size >= limits.listenersMax) {
        metrics.add('headwater_live_refused_total')
        return false
      }
      listeners.set(listener, 0)
      metrics.set('headwater_live_clients', listeners.size)
      if (latest !== undefined) sendTo(listener, latest)
      if (timer === undefined) {
        timer = setInterval(() => void beat(), limits.everyMs).unref()
        void beat()
      }
      return true
    },
    leave,
    beat,
    stop() {
      clearInterval(timer)
      timer = undefined
      for (const listener of listeners.keys()) listener.terminate()
      listeners.clear()
    },
  }
}
