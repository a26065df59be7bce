// One scenario in the product, as if it happened: its spans through the collector, then the analyzer's own steps, ten seconds each.

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { step } from '@headwater/analyzer'
import { readCollectorSettings, startCollector } from '@headwater/collector'
import { startEngines } from '@headwater/embedded'
import {
  connectStore,
  migrateClickHouse,
  migratePostgres,
  readIncidentsDuring,
  releaseLease,
  type Store,
  takeLease,
} from '@headwater/store'
import { settleAll } from '../through-product.ts'
import { postScenario, type Prediction, sizeOf } from './simulator.ts'

const stepMs = 10_000
/** As in a running analyzer: a window is judged so long after its end. */
const lagMs = 10_000
/** What is said of an incident changes while it lasts; later steps belong to what comes after the scenario. */
const afterMs = 30_000

/** What the product said of a scenario. */
export async function watchScenario(simulator: string, folder: string): Promise<Prediction[]> {
  await using cleanup = new AsyncDisposableStack()
  const home = await mkdtemp(join(tmpdir(), 'headwater-sim-'))
  cleanup.defer(() => rm(home, { recursive: true, force: true, maxRetries: 5 }))
  const engines = await startEngines({ dataDir: join(home, 'engines') })
  cleanup.defer(() => engines.stop())
  const store = connectStore(engines)
  cleanup.defer(() => store.close())
  await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])

  // A scenario that is posted ends at that moment.
  const toMs = Math.ceil(Date.now() / stepMs) * stepMs
  const fromMs = toMs - (await sizeOf(folder)).minutes * 60_000
  const shiftNs = await receive(store, simulator, { folder, home })
  await settleAll(store)
  await beat(store, { fromMs, toMs: toMs + afterMs })

  const lease = await takeLease(store.postgres, { holder: randomUUID(), ttlMs: 3_600_000 })
  if (lease === undefined) throw new Error('Another analyzer leads')
  for (let atMs = fromMs; atMs <= toMs + afterMs; atMs += stepMs) await step(store, lease, atMs, atMs + lagMs)
  await releaseLease(store.postgres, lease)

  const incidents = await readIncidentsDuring(store, {
    since: new Date(fromMs),
    until: new Date(toMs + afterMs + lagMs),
  })
  return incidents.map(({ openedAt, causes, impact }) => ({
    scenario: basename(folder),
    openedAt: String(BigInt(Date.parse(openedAt)) * 1_000_000n - shiftNs),
    causes: causes.map(({ service, operation, attribute }) => ({
      service,
      operation,
      ...(attribute === undefined ? {} : { attribute: attribute.name, value: attribute.value }),
    })),
    impact: {
      services: impact.services,
      flows: impact.flows.map(({ name, share }) => ({ name, share })),
      users: { affected: impact.users.affected },
    },
  }))
}

async function receive(
  store: Store,
  simulator: string,
  { folder, home }: { folder: string; home: string },
): Promise<bigint> {
  const settings = readCollectorSettings({ HEADWATER_OTLP_PORT: '0', HEADWATER_ACK: 'logged' })
  const collector = await startCollector({ store, logDirectory: join(home, 'log'), settings })
  try {
    const shiftNs = await postScenario(simulator, { from: folder, url: collector.url, into: join(home, 'posted') })
    await collector.idle()
    return shiftNs
  } finally {
    await collector.stop()
  }
}

/** A collector lived all the time: what is silent is silent by itself. */
async function beat(store: Store, { fromMs, toMs }: { fromMs: number; toMs: number }): Promise<void> {
  await store.clickhouse.command({
    query: `INSERT INTO collector_heartbeats
      SELECT fromUnixTimestamp64Milli(toInt64(${fromMs} + number * 5000)), 'sim', 1 FROM numbers(${Math.ceil((toMs - fromMs) / 5_000)})`,
  })
}
