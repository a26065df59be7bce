import { type FlowRun, readRuns, type RunFilter, type Store } from '@headwater/store'
import { type AlertExample, flowWithBadRuns, type Incident } from '@headwater/vocabulary'
import { plainLine } from './plain-text.ts'

const runsMax = 20

/**
 * A run that shows the incident: the newest that failed in the flow that is hit most, best through the cause; else the slowest of
 * the newest ones. `null` when there is none, or when ClickHouse does not say so in time: people are alerted all the same.
 */
export async function exampleRun(
  store: Store,
  { since, causes, impact }: Incident,
  { nowMs, waitMs, publicUrl }: { nowMs: number; waitMs: number; publicUrl: string },
): Promise<AlertExample | null> {
  const flow = flowWithBadRuns(impact)
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
    return run && alertExample(run.flowId, run.flowName, publicUrl)
  } catch {
    return null
  } finally {
    clearTimeout(timer)
  }
}

/** A run as alerts tell it. */
export function alertExample(flowId: string, flow: string, publicUrl: string): AlertExample {
  const id = plainLine(flowId, { charsMax: 64 })
  return {
    flowId: id,
    flow: plainLine(flow, { charsMax: 120 }),
    link: `${publicUrl}/runs/${encodeURIComponent(id)}`,
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
