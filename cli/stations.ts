// One station in a process of its own, against engines that others run.
import { startAnalyzer } from '@headwater/analyzer'
import { readCollectorSettings, startCollector } from '@headwater/collector'
import {
  migrateClickHouse,
  migratePostgres,
  connectStore,
  type MigrationReport,
  readStoreSettings,
} from '@headwater/store'
import { createLifetime, endOnSignal } from './lifetime.ts'
import { openStore } from './up.ts'
import { engineUrls, withoutPassword } from './urls.ts'

const log = (line: string): void => void process.stderr.write(`${line}\n`)

export async function runCollector(): Promise<void> {
  const settings = readStoreSettings(process.env)
  const collectorSettings = readCollectorSettings(process.env)
  const urls = engineUrls(settings)
  const lifetime = createLifetime(log)
  endOnSignal(lifetime, log)
  const store = await openStore(urls, settings, lifetime)
  const collector = await startCollector({
    store,
    settings: collectorSettings,
    retentionDays: settings.retentionDays,
    log,
  })
  lifetime.onEnd('collector', () => collector.stop())
  process.stdout.write(`Send spans to ${collector.url}/v1/traces; they go to ${withoutPassword(urls.clickhouseUrl)}\n`)
}

export async function runAnalyzer(): Promise<void> {
  const settings = readStoreSettings(process.env)
  const urls = engineUrls(settings)
  const lifetime = createLifetime(log)
  endOnSignal(lifetime, log)
  const store = await openStore(urls, settings, lifetime)
  const analyzer = startAnalyzer({ store, log })
  lifetime.onEnd('analyzer', () => analyzer.stop())
  process.stdout.write(
    `Analyzing what arrives in ${withoutPassword(urls.clickhouseUrl)}; one analyzer leads, others wait\n`,
  )
  // The loop's pauses hold nothing open while another analyzer leads.
  setInterval(() => undefined, 2 ** 30)
}

/** Brings both databases up to this version's schema. */
export async function migrate(): Promise<MigrationReport[]> {
  const urls = engineUrls(readStoreSettings(process.env))
  const store = connectStore(urls)
  try {
    return await Promise.all([migrateClickHouse(urls.clickhouseUrl), migratePostgres(store.postgres)])
  } finally {
    await store.close()
  }
}
