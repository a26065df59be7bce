// The loop around the rounds.
import { setTimeout as sleep } from 'node:timers/promises'
import type { AlertMetrics } from './metrics.ts'
import { createResponder, type ResponderOptions } from './responder.ts'

export interface Alerts {
  metrics: AlertMetrics
  /** Lets what is on its way end, for two seconds, and lets go of the lease. */
  stop(): Promise<void>
}

export interface AlertsOptions extends ResponderOptions {
  /** Pause between rounds. */
  everyMs?: number
}

/** Starts to alert. It never throws: what fails is logged, counted, and repeated in the next round. */
export function startAlerts({ everyMs = 2_000, log = () => undefined, ...options }: AlertsOptions): Alerts {
  const responder = createResponder({ ...options, log })
  const stopping = new AbortController()
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await responder.round()
      } catch (error) {
        responder.metrics.add('headwater_alerts_failures_total')
        log(`alerts: ${describe(error)}`)
      }
      await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
    await responder.stop()
  }
  const done = loop()
  return {
    metrics: responder.metrics,
    async stop() {
      stopping.abort()
      await done
    },
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
