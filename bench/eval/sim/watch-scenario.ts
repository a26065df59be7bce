// One scenario in the product, as if it happened: its spans through the collector, then the analyzer's own steps, ten seconds each.

import { randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import { LastingEffects, parameters, step } from '@headwater/analyzer'
import { readIncidentsDuring, releaseLease, type Store, takeLease } from '@headwater/store'
import { receiveScenario } from './receive-scenario.ts'
import { countedTimesOf, type Prediction } from './simulator.ts'

/** As in a running analyzer, without steps within a window: all of it is known here. */
const { stepMs, lagMs } = parameters
/** What is said of an incident changes while it lasts; later steps belong to what comes after the scenario. */
const afterMs = 30_000

/** What the product said of a scenario. What it received is kept in the given folder for the next time. */
export async function watchScenario(simulator: string, folder: string, kept: string): Promise<Prediction[]> {
  await using received = await receiveScenario(simulator, { folder, kept, afterMs })
  const { store, fromMs, toMs, shiftNs } = received
  const lease = await takeLease(store.postgres, { holder: randomUUID(), ttlMs: 3_600_000 })
  if (lease === undefined) throw new Error('Another analyzer leads')
  const lasting = new LastingEffects(store)
  for (let atMs = fromMs; atMs <= toMs + afterMs; atMs += stepMs)
    await step(store, lease, atMs, { nowMs: atMs + lagMs, lasting })
  await releaseLease(store.postgres, lease)
  const incidents = await readIncidentsDuring(store, {
    since: new Date(fromMs),
    until: new Date(toMs + afterMs + lagMs),
  })
  const counted = await Promise.all(
    (await countedTimesOf(folder)).map(async (time) => ({ time, runs: await countRuns(store, time, shiftNs) })),
  )
  return incidents.map(({ openedAt, causes, impact }) => {
    const openedNs = BigInt(Date.parse(openedAt)) * 1_000_000n - shiftNs
    const runs = counted.find(({ time }) => openedNs >= time.fromNs && openedNs < time.toNs)?.runs
    return {
      scenario: basename(folder),
      openedAt: String(openedNs),
      causes: causes.map(({ service, operation, attribute, peer }) => ({
        // What the simulator calls a service that sends no spans, we call a peer, after the system that it is.
        service: peer?.replace(/^[a-z]+:(?=[a-z])/, '') ?? service,
        operation,
        ...(attribute === undefined ? {} : { attribute: attribute.name, value: attribute.value }),
      })),
      impact: {
        services: impact.services,
        flows: impact.flows.map((flow) => ({
          name: flow.name,
          share: flow.runsAffected / runsOf(flow, runs?.get(flow.name)),
        })),
        users: { affected: impact.users.affected },
      },
    }
  })
}

/**
 * The runs of a flow in the time over which the simulator counts: ours are of the time in which they are hit, the simulator's of that
 * and of two minutes after it. Those that are told to be missing are in no span.
 */
function runsOf(
  { runs, missing }: { runs: number; missing?: { runs: number; cameLater: number } },
  began: number | undefined,
): number {
  return began === undefined ? runs : began + Math.max(0, (missing?.runs ?? 0) - (missing?.cameLater ?? 0))
}

/** How many runs of each flow began in a time of the simulator's. */
async function countRuns(
  { clickhouse }: Store,
  time: { fromNs: bigint; toNs: bigint },
  shiftNs: bigint,
): Promise<Map<string, number>> {
  const answer = await clickhouse.query({
    query: `
      SELECT name, round(sum(weight)) AS runs
      FROM (
        SELECT argMin(FlowName, StartedAt) AS name, max(Weight) AS weight
        FROM chain_execution_traces
        GROUP BY FlowId
        HAVING min(StartedAt) >= fromUnixTimestamp64Nano({from:Int64}) AND min(StartedAt) < fromUnixTimestamp64Nano({to:Int64})
      )
      GROUP BY name`,
    query_params: { from: time.fromNs + shiftNs, to: time.toNs + shiftNs },
    format: 'JSONEachRow',
  })
  const rows = await answer.json<{ name: string; runs: number }>()
  return new Map(rows.map(({ name, runs }) => [name, runs]))
}
