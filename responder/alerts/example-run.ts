import { type FlowRun, readRuns, type RunFilter, type Store } from '@headwater/store'
import type { Incident } from '@headwater/vocabulary'
import { plainLine } from './plain-text.ts'

const runsMax = 20

/**
 * A run that shows the incident: the newest that failed in the flow that is hit most, best through the cause; else the slowest of
 * the newest ones. `null` when there is none, or when ClickHouse does not say so in time: people are alerted all the same.
 */
export async function exampleRun(
  store: Store,
  { since, causes, impact }: Incident,
  { nowMs, waitMs }: { nowMs: number; waitMs: number },
): Promise<{ flowId: string; flow: string } | null> {
  const flow = impact.flows.toSorted((one, other) => other.runsAffected - one.runsAffected)[0]?.name
  if (flow === undefined) return null
  const within = { flow, since: new Date(since), until: new Date(nowMs) }
  const [cause] = causes
  const filters: RunFilter[] = [
    ...(cause === undefined ? [] : [{ ...within, status: 'error' as const, service: { service: cause.service } }]),
    { ...within, status: 'error' },
    within,
  ]
  const timeout = Promise.withResolvers<null>()
  const timer = setTimeout(() => timeout.resolve(null), waitMs)
  try {
    const run = await Promise.race([firstOf(store, filters), timeout.promise])
    return run && { flowId: plainLine(run.flowId, { charsMax: 64 }), flow: plainLine(run.flowName, { charsMax: 120 }) }
  } catch {
    return null
  } finally {
    clearTimeout(timer)
  }
}

async function firstOf(store: Store, filters: RunFilter[]): Promise<FlowRun | null> {
  for (const filter of filters) {
    const limit = filter.status === undefined ? runsMax : 1
    const { items } = await readRuns(store, { filter, limit })
    const [slowest] = items.toSorted((one, other) => other.durationNs - one.durationNs)
    if (slowest !== undefined) return slowest
  }
  return null
}
