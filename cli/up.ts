// `headwater up`: engines if need be, then every station in one process.
import { join } from 'node:path'
import { explainPast, startAnalyzer } from '@headwater/analyzer'
import { readApiSettings, startApi } from '@headwater/api'
import { readCollectorSettings, startCollector } from '@headwater/collector'
import { consoleDirectory } from '@headwater/console'
import { readAlertSettings, startAlerts } from '@headwater/responder'
import {
  type DataDirectory,
  openDataDirectory,
  readStoreSettings,
  type StoreSettings,
  type StoreUrls,
} from '@headwater/store'
import { keepBelowDiskCap } from './disk.ts'
import { createLifetime, endOnSignal, type Lifetime } from './lifetime.ts'
import { openStore } from './open-store.ts'

export async function up(): Promise<void> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`)
  const startedMs = performance.now()
  const settings = readStoreSettings(process.env)
  const collectorSettings = readCollectorSettings(process.env)
  const apiSettings = readApiSettings(process.env)
  const alertSettings = readAlertSettings(process.env)
  const lifetime = createLifetime(log)
  endOnSignal(lifetime, log)
  try {
    const directory = openDataDirectory(settings.dataDir)
    lifetime.onEnd('data directory', () => directory.release())
    const urls = await startOrFindEngines(settings, directory, lifetime, log)
    const store = await openStore(urls, settings, lifetime)
    const disk = keepBelowDiskCap(store, settings, log)
    lifetime.onStationEnd('disk cap', () => disk.stop())
    const collector = await startCollector({
      store,
      settings: collectorSettings,
      logDirectory: join(directory.path, 'log'),
      retentionDays: settings.retentionDays,
      log,
    })
    lifetime.onStationEnd('collector', () => collector.stop())
    const analyzer = startAnalyzer({ store, log })
    lifetime.onStationEnd('analyzer', () => analyzer.stop())
    const alerts = alertSettings && startAlerts({ store, settings: alertSettings, log })
    lifetime.onStationEnd('alerts', async () => await alerts?.stop())
    const api = await startApi({
      store,
      settings: apiSettings,
      consoleDirectory,
      metricsText: () =>
        [collector, analyzer, disk, ...(alerts === undefined ? [] : [alerts])]
          .map(({ metrics }) => metrics.text())
          .join(''),
      explainPast: (asked) => explainPast(store, asked),
      log: (message, error) => log(error instanceof Error ? `${message}: ${error.message}` : message),
    })
    lifetime.onStationEnd('api', () => api.stop())
    directory.writeRunFile({ pid: process.pid, otlpUrl: collector.url, apiUrl: api.url, ...urls })
    process.stdout.write(
      welcome({
        otlpUrl: collector.url,
        apiUrl: api.url,
        dataDir: directory.path,
        tookMs: performance.now() - startedMs,
      }),
    )
  } catch (error) {
    await lifetime.end()
    throw error
  }
}

function welcome({
  otlpUrl,
  apiUrl,
  dataDir,
  tookMs,
}: {
  otlpUrl: string
  apiUrl: string
  dataDir: string
  tookMs: number
}): string {
  return [
    `Headwater is ready after ${(tookMs / 1_000).toFixed(1)} s.`,
    `  Send spans to   ${otlpUrl}/v1/traces   (OTEL_EXPORTER_OTLP_ENDPOINT=${otlpUrl})`,
    `  Look at         ${apiUrl}`,
    `  Read            ${apiUrl}/api/v1/incidents, /openapi.json, /metrics`,
    `  Ask             npx headwater explain [flow, trace or incident ID]`,
    `  Data            ${dataDir}`,
    '',
  ].join('\n')
}

async function startOrFindEngines(
  settings: StoreSettings,
  directory: DataDirectory,
  lifetime: Lifetime,
  log: (line: string) => void,
): Promise<StoreUrls> {
  const { clickhouseUrl, databaseUrl } = settings
  if (clickhouseUrl !== undefined && databaseUrl !== undefined) return { clickhouseUrl, databaseUrl }
  // 550 MB that a deployment on servers does without.
  const { startEngines } = await import('@headwater/embedded').catch((cause: unknown) => {
    const wayOut = 'install @headwater/embedded, or set CLICKHOUSE_URL and DATABASE_URL to servers'
    throw new Error(`Cannot load the embedded engines: ${wayOut}`, { cause })
  })
  const engines = await startEngines({
    dataDir: directory.path,
    onEvent(event) {
      if (event.type === 'exited')
        log(
          `engines: process ${event.pid} ended (${event.reason})${event.stderr === '' ? '' : `: ${event.stderr.trim()}`}`,
        )
      if (event.type === 'restarting') log(`engines: starting again in ${event.afterMs} ms`)
      if (event.type === 'started' && event.restarts > 0) log(`engines: back after ${event.tookMs} ms`)
    },
  })
  lifetime.onEnd('engines', () => engines.stop())
  return { clickhouseUrl: clickhouseUrl ?? engines.clickhouseUrl, databaseUrl: databaseUrl ?? engines.databaseUrl }
}
