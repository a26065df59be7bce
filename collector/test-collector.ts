// A collector for tests: real engines, a log in a temporary directory, and nothing left behind.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { connectStore, migrateClickHouse, type Store } from '@headwater/store'
import {
  type Collector,
  type CollectorLimits,
  type CollectorOptions,
  createCollector,
  startCollector,
} from './collector.ts'
import type { CollectorSettings } from './settings.ts'

/** As in an empty environment, but a request is acknowledged when ClickHouse has it, so that tests may look at once. */
export const testSettings: CollectorSettings = {
  port: 0,
  host: '127.0.0.1',
  corsOrigins: [],
  acknowledgement: 'stored',
  logBytesMax: 256e6,
  access: {},
  sampling: {},
}

export interface TestCollectors {
  engines: TestEngines
  store: Store
  /** One that listens. */
  start(settings?: Partial<CollectorSettings>, options?: Partial<CollectorOptions>): Promise<Collector>
  /** One without a server. */
  create(
    settings?: Partial<CollectorSettings>,
    options?: Partial<CollectorOptions> & { limits?: Partial<CollectorLimits> },
  ): ReturnType<typeof createCollector>
  /** A directory that goes with the rest. */
  directory(): Promise<string>
  stop(): Promise<void>
}

export async function startTestCollectors(): Promise<TestCollectors> {
  const engines = await startTestEngines()
  await migrateClickHouse(engines.clickhouseUrl)
  const store = connectStore(engines)
  const endings: (() => Promise<unknown>)[] = []
  const directory = async (): Promise<string> => {
    const path = await mkdtemp(join(tmpdir(), 'headwater-collector-'))
    endings.push(() => rm(path, { recursive: true, force: true }))
    return path
  }
  const optionsOf = async (
    settings: Partial<CollectorSettings>,
    options: Partial<CollectorOptions>,
  ): Promise<CollectorOptions> => ({
    store,
    settings: { ...testSettings, ...settings },
    logDirectory: await directory(),
    log: () => undefined,
    ...options,
  })
  return {
    engines,
    store,
    directory,
    async start(settings = {}, options = {}) {
      const collector = await startCollector(await optionsOf(settings, options))
      endings.push(() => collector.stop())
      return collector
    },
    async create(settings = {}, options = {}) {
      const collector = await createCollector(await optionsOf(settings, options))
      endings.push(() => collector.close(0))
      return collector
    },
    async stop() {
      for (const end of endings.toReversed()) await end()
      await store.close()
      await engines.stop()
    },
  }
}
