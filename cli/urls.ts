import { readRunFile, type StoreSettings, type StoreUrls } from '@headwater/store'

/** No engines: neither named by the environment nor running in the data directory. */
export class NoEngines extends Error {
  override name = 'NoEngines'
}

/**
 * Where the engines are, for a program that does not start any: servers named by the environment, else the engines that
 * run in the data directory.
 */
export function engineUrls(settings: StoreSettings): StoreUrls {
  const run =
    settings.clickhouseUrl !== undefined && settings.databaseUrl !== undefined
      ? undefined
      : readRunFile(settings.dataDir)
  const clickhouseUrl = settings.clickhouseUrl ?? run?.clickhouseUrl
  const databaseUrl = settings.databaseUrl ?? run?.databaseUrl
  if (clickhouseUrl === undefined || databaseUrl === undefined) {
    throw new NoEngines(
      `Cannot find the engines: nothing runs in ${settings.dataDir}. Start \`headwater up\` there, ` +
        'or set CLICKHOUSE_URL and DATABASE_URL to servers',
    )
  }
  return { clickhouseUrl, databaseUrl }
}

/** A URL as it may be shown: without its password. */
export function withoutPassword(url: string): string {
  const shown = new URL(url)
  shown.password = ''
  shown.username = ''
  return shown.href
}
