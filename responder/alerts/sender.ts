// What is on its way. A slow receiver holds up nobody but itself: a round starts what is due and does not wait for it.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AlertAttempt,
  type AlertDelivery,
  disableAlertDestination,
  type Lease,
  LeaseLost,
  readDueAlerts,
  recordAlertAttempt,
  type Store,
} from '@headwater/store'
import type { Destination } from './configuration.ts'
import { alertRequest } from './formats/request.ts'
import { post, type Reply } from './http/post.ts'
import type { AlertMetrics } from './metrics.ts'
import { type Outcome, outcomeOf, reasonOf } from './outcome.ts'
import { RateLimit } from './rate.ts'
import type { AlertSettings } from './settings.ts'

/** Requests to one destination at the same time. */
const concurrentMax = 4
/**
 * An outcome is held until it is written down, and its message is not sent again meanwhile; what is held is bounded by
 * {@link concurrentMax}. After so many refusals another one leads for good, and knows better.
 */
const refusalsMax = 120
const recordPauseMs = 500

export interface SenderOptions {
  store: Store
  settings: AlertSettings
  metrics: AlertMetrics
  log: (line: string) => void
  clock: () => number
  /** Between 0 and 1. */
  chance: () => number
  /** The lease as it is now; `undefined` while another one leads. */
  lease: () => Lease | undefined
  /** For one request. */
  timeoutMs?: number
}

export interface Sender {
  /** Starts to send what is due at a destination. */
  start(name: string, destination: Destination, lease: Lease): Promise<void>
  /** Done when nothing is on its way. */
  settled(): Promise<void>
  /** Lets what is on its way end for so long, then gives it up. */
  stop(withinMs: number): Promise<void>
}

export function createSender(options: SenderOptions): Sender {
  const { store, metrics, clock, log } = options
  const onTheirWay = new Map<string, { destination: string; done: Promise<void> }>()
  const limits = new Map<string, RateLimit>()
  const stopping = new AbortController()

  async function deliver(delivery: AlertDelivery, destination: Destination): Promise<void> {
    const nowMs = clock()
    const startedMs = performance.now()
    const reply = await attempt(delivery, destination, { ...options, signal: stopping.signal, nowMs })
    const outcome = outcomeOf(reply, {
      tries: delivery.tries + 1,
      waitingSinceMs: delivery.waitingSinceMs,
      nowMs,
      giveUpAfterMs: destination.give_up_after,
      chance: options.chance(),
    })
    metrics.add('headwater_alerts_attempts_total', 1, { destination: delivery.destination, outcome: outcome.kind })
    const detail = 'reason' in outcome ? outcome.reason : reasonOf(reply)
    const tookMs = performance.now() - startedMs
    if (outcome.kind === 'dead' || outcome.kind === 'gone') {
      log(`alerts: "${delivery.destination}" does not get ${delivery.id}, which is a dead letter now: ${detail}`)
    }
    await record(delivery, outcome, { atMs: nowMs, outcome: outcome.kind, detail, tookMs })
  }

  /** Tries until it is written down: an engine that starts again must not make a message go out twice. */
  async function record(delivery: AlertDelivery, outcome: Outcome, attempted: AlertAttempt): Promise<void> {
    let refusals = 0
    for (let tries = 1; refusals < refusalsMax; tries++) {
      const lease = options.lease()
      try {
        if (lease === undefined) throw new LeaseLost(0, 'responder')
        if (outcome.kind === 'gone') {
          await disableAlertDestination(store, lease, {
            name: delivery.destination,
            reason: outcome.reason,
            nowMs: attempted.atMs,
          })
        }
        const dueMs = outcome.kind === 'again' ? { dueMs: outcome.atMs } : {}
        await recordAlertAttempt(store, lease, delivery, { ...attempted, ...dueMs })
        return
      } catch (error) {
        if (error instanceof LeaseLost) refusals += 1
        metrics.add('headwater_alerts_failures_total')
        if (tries === 1) log(`alerts: cannot write down that ${delivery.id} was sent: ${messageOf(error)}`)
        if (stopping.signal.aborted) return
        await sleep(recordPauseMs)
      }
    }
  }

  return {
    async start(name, destination, lease) {
      const nowMs = clock()
      let limit = limits.get(name)
      if (limit === undefined) limits.set(name, (limit = new RateLimit(destination.rate, nowMs)))
      const busy = [...onTheirWay].filter(([, each]) => each.destination === name).map(([id]) => id)
      const room = Math.min(concurrentMax - busy.length, limit.available(nowMs))
      if (limit.available(nowMs) < 1) metrics.add('headwater_alerts_postponed_total', 1, { destination: name })
      if (room < 1 || stopping.signal.aborted) return
      const due = await readDueAlerts(store, { destination: name, nowMs, limit: room, busy })
      // The lease may have gone while this was read.
      if (options.lease()?.epoch !== lease.epoch) return
      for (const delivery of due) {
        limit.take()
        const done = deliver(delivery, destination)
          .catch((error: unknown) => log(`alerts: ${messageOf(error)}`))
          .finally(() => onTheirWay.delete(delivery.id))
        onTheirWay.set(delivery.id, { destination: name, done })
      }
    },
    async settled() {
      while (onTheirWay.size > 0) await Promise.all([...onTheirWay.values()].map(({ done }) => done))
    },
    async stop(withinMs) {
      const timer = setTimeout(() => stopping.abort(), withinMs)
      await this.settled()
      clearTimeout(timer)
    },
  }
}

async function attempt(
  { destination: name, message }: AlertDelivery,
  destination: Destination,
  {
    settings,
    nowMs,
    signal,
    timeoutMs,
  }: Pick<SenderOptions, 'settings' | 'timeoutMs'> & { nowMs: number; signal: AbortSignal },
): Promise<Reply> {
  const request = alertRequest(message, destination, { name, publicUrl: settings.publicUrl, nowMs })
  const reach = destination.private ? 'anywhere' : 'public'
  return await post({ ...request, reach, signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
