// One station in a process of its own, against engines that others run.
import { join } from 'node:path'
import { explainPast, startAnalyzer } from '@headwater/analyzer'
import { readApiSettings, startApi } from '@headwater/api'
import { readCollectorSettings, startCollector } from '@headwater/collector'
import { consoleDirectory } from '@headwater/console'
import { startAlerts } from '@headwater/responder'
import { connectStore, type MigrationReport, readStoreSettings, type StoreSettings } from '@headwater/store'
import { alertSettings } from './alert.ts'
import { keepBelowDiskCap } from './disk.ts'
import { createLifetime, endOnSignal } from './lifetime.ts'
import { migrateBoth, openStore } from './open-store.ts'
import { engineUrls, withoutPassword } from './urls.ts'

const log = (line: string): void => void process.stderr.write(`${line}\n`)

export async function runCollector(): Promise<void> {
  const settings = readStoreSettings(process.env)
  const collectorSettings = readCollectorSettings(process.env)
  const { lifetime, store, clickhouse } = await attach(settings)
  const collector = await startCollector({
    store,
    settings: collectorSettings,
    logDirectory: join(settings.dataDir, 'log'),
    retentionDays: settings.retentionDays,
    log,
  })
  lifetime.onStationEnd('collector', () => collector.stop())
  process.stdout.write(`Send spans to ${collector.url}/v1/traces; they go to ${clickhouse}\n`)
}

export async function runAnalyzer(): Promise<void> {
  const settings = readStoreSettings(process.env)
  const { lifetime, store, clickhouse } = await attach(settings)
  const disk = keepBelowDiskCap(store, settings, log)
  lifetime.onStationEnd('disk cap', () => disk.stop())
  const analyzer = startAnalyzer({ store, log })
  lifetime.onStationEnd('analyzer', () => analyzer.stop())
  process.stdout.write(`Analyzing what arrives in ${clickhouse}; one analyzer leads, others wait\n`)
  // The loop's pauses hold nothing open while another analyzer leads.
  setInterval(() => undefined, 2 ** 30)
}

export async function runAlerts(): Promise<void> {
  const settings = readStoreSettings(process.env)
  const alerting = alertSettings()
  const { lifetime, store, clickhouse } = await attach(settings)
  const alerts = startAlerts({ store, settings: alerting, log })
  lifetime.onStationEnd('alerts', () => alerts.stop())
  process.stdout.write(`Alerting of the incidents in ${clickhouse}; one responder leads, others wait\n`)
  // The loop's pauses hold nothing open while another responder leads.
  setInterval(() => undefined, 2 ** 30)
}

export async function runApi(): Promise<void> {
  const settings = readStoreSettings(process.env)
  const apiSettings = readApiSettings(process.env)
  const { lifetime, store, clickhouse } = await attach(settings)
  const api = await startApi({
    store,
    settings: apiSettings,
    consoleDirectory,
    metricsText: () => '',
    explainPast: (asked) => explainPast(store, asked),
    log: (message, error) => log(error instanceof Error ? `${message}: ${error.message}` : message),
  })
  lifetime.onStationEnd('api', () => api.stop())
  process.stdout.write(`Look at ${api.url}; it shows what is in ${clickhouse}\n`)
}

/** The store of engines that run already, closed when the process ends. */
async function attach(settings: StoreSettings) {
  const urls = engineUrls(settings)
  const lifetime = createLifetime(log)
  endOnSignal(lifetime, log)
  const store = await openStore(urls, settings, lifetime)
  return { lifetime, store, clickhouse: withoutPassword(urls.clickhouseUrl) }
}

/** Brings both databases up to this version's schema. */
export async function migrate(): Promise<MigrationReport[]> {
  const urls = engineUrls(readStoreSettings(process.env))
  const store = connectStore(urls)
  try {
    return await migrateBoth(store, urls)
  } finally {
    await store.close()
  }
}
