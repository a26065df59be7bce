// A webhook whose silence tells that Headwater is down. So it says nothing while people would not be told of incidents: no
// analyzer leads, or the analysis has fallen behind.
import { randomUUID } from 'node:crypto'
import { readAnalysisHealth, type Store } from '@headwater/store'
import type { Heartbeat } from './configuration.ts'
import { signatureHeaders } from './formats/signature.ts'
import { post } from './http/post.ts'
import type { AlertMetrics } from './metrics.ts'
import { reasonOf } from './outcome.ts'

/** An analysis that has not come further for so long does not work. */
const behindMsMax = 5 * 60_000

/** Why Headwater would not tell of an incident now; `undefined` while it would. */
export async function illness(store: Store, nowMs: number): Promise<string | undefined> {
  const { isLed, watermarkMs } = await readAnalysisHealth(store)
  if (!isLed) return 'no analyzer leads'
  // Before the first span there is nothing to settle.
  if (watermarkMs === null || nowMs - watermarkMs <= behindMsMax) return undefined
  return `the analysis is ${Math.round((nowMs - watermarkMs) / 1_000)} s behind`
}

/** Gives a function that sends one heartbeat, or withholds it. */
export function createHeartbeat(
  { url, secrets, private: mayBePrivate }: Heartbeat,
  {
    store,
    metrics,
    log,
    signal,
  }: { store: Store; metrics: AlertMetrics; log: (line: string) => void; signal: AbortSignal },
): (nowMs: number) => Promise<void> {
  let withheld = 0
  return async (nowMs) => {
    const ill = await illness(store, nowMs)
    if (ill !== undefined) {
      withheld += 1
      metrics.add('headwater_alerts_heartbeats_total', 1, { outcome: 'withheld' })
      // At a start the analyzer may be later than we are, and who is ill for long says so once.
      if (withheld === 2) log(`alerts: no heartbeat, since ${ill}`)
      return
    }
    withheld = 0
    const body = JSON.stringify({ type: 'headwater.heartbeat', timestamp: new Date(nowMs).toISOString(), data: {} })
    const signature = signatureHeaders(body, { id: `msg_${randomUUID()}`, atMs: nowMs, secrets: secrets ?? [] })
    const reply = await post({
      url,
      body,
      headers: { 'content-type': 'application/json', ...signature },
      reach: mayBePrivate ? 'anywhere' : 'public',
      signal,
    })
    const isTaken = reply.kind === 'answered' && reply.status >= 200 && reply.status < 300
    metrics.add('headwater_alerts_heartbeats_total', 1, { outcome: isTaken ? 'sent' : 'failed' })
    if (!isTaken && !signal.aborted) log(`alerts: the heartbeat was not taken: ${reasonOf(reply)}`)
  }
}
