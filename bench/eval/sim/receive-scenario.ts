// A scenario's spans on the way of any sender's: OTLP to a collector, rows in ClickHouse, settled. Kept, so that a change of the
// analysis is scored without sending anew.

import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { readCollectorSettings, startCollector } from '@headwater/collector'
import { startEngines } from '@headwater/embedded'
import { connectStore, migrateClickHouse, migratePostgres, type Store } from '@headwater/store'
import * as z from 'zod'
import { beat } from '../beat.ts'
import { settlingVersion } from '../settling-version.ts'
import { settleAll } from '../through-product.ts'
import { postScenario, sizeOf } from './simulator.ts'

const minuteMs = 60_000

const receivedSchema = z.object({ fromMs: z.number(), toMs: z.number(), shiftNs: z.string() })

/** A store that knows a scenario and no incident yet. */
export interface Received extends AsyncDisposable {
  store: Store
  /** When it happened, for the product. */
  fromMs: number
  toMs: number
  /** By how much it was moved. */
  shiftNs: bigint
}

/** Gives the scenario in engines of its own under `kept`. Collectors lived from its beginning until `afterMs` after its end. */
export async function receiveScenario(
  simulator: string,
  { folder, kept, afterMs }: { folder: string; kept: string; afterMs: number },
): Promise<Received> {
  const home = join(kept, `${basename(folder)}-${await settlingVersion('1')}`)
  const file = join(home, 'received.json')
  if (!existsSync(file)) await rm(home, { recursive: true, force: true })
  await mkdir(home, { recursive: true })
  await using cleanup = new AsyncDisposableStack()
  const engines = await startEngines({ dataDir: join(home, 'engines') })
  cleanup.defer(() => engines.stop())
  const store = connectStore(engines)
  cleanup.defer(() => store.close())
  await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])
  if (!existsSync(file)) {
    // States of ten seconds live for an hour only.
    await store.clickhouse.command({ query: 'ALTER TABLE chain_health_metrics_10s REMOVE TTL' })
    await writeFile(file, JSON.stringify(await receive(store, simulator, { folder, home, afterMs })))
  }
  // Also what a run that was cut off has left.
  await store.postgres.deleteFrom('incidents').execute()
  await store.postgres.deleteFrom('leases').execute()
  const { fromMs, toMs, shiftNs } = receivedSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  const open = cleanup.move()
  return { store, fromMs, toMs, shiftNs: BigInt(shiftNs), [Symbol.asyncDispose]: () => open.disposeAsync() }
}

async function receive(
  store: Store,
  simulator: string,
  { folder, home, afterMs }: { folder: string; home: string; afterMs: number },
): Promise<z.infer<typeof receivedSchema>> {
  // A scenario that is posted ends at that moment.
  const toMs = Math.ceil(Date.now() / 10_000) * 10_000
  const fromMs = toMs - (await sizeOf(folder)).minutes * minuteMs
  const settings = readCollectorSettings({ HEADWATER_OTLP_PORT: '0', HEADWATER_ACK: 'logged' })
  const collector = await startCollector({ store, logDirectory: join(home, 'log'), settings })
  try {
    const shiftNs = await postScenario(simulator, { from: folder, url: collector.url, into: join(home, 'posted') })
    await collector.idle()
    await settleAll(store)
    await beat(store, { fromMs, toMs: toMs + afterMs, collectorId: 'sim' })
    return { fromMs, toMs, shiftNs: String(shiftNs) }
  } finally {
    await collector.stop()
  }
}
