import {
  applyRetention,
  connectStore,
  migrateClickHouse,
  migratePostgres,
  MigrationRefused,
  type MigrationReport,
  requireSchema,
  type Store,
  type StoreSettings,
  type StoreUrls,
} from '@headwater/store'
import type { Lifetime } from './lifetime.ts'
import { withoutPassword } from './urls.ts'

/** Connects and brings both schemas up to date. */
export async function openStore(urls: StoreUrls, settings: StoreSettings, lifetime: Lifetime): Promise<Store> {
  const store = connectStore(urls)
  lifetime.onEnd('store', () => store.close())
  await migrateBoth(store, urls)
  await requireSchema(store)
  await applyRetention(store, settings)
  return store
}

/** Brings both databases up to this version's schema. Errors say which server is meant. */
export async function migrateBoth(store: Store, urls: StoreUrls): Promise<MigrationReport[]> {
  return await Promise.all([
    migrateClickHouse(urls.clickhouseUrl).catch(blame('ClickHouse', urls.clickhouseUrl)),
    migratePostgres(store.postgres).catch(blame('PostgreSQL', urls.databaseUrl)),
  ])
}

function blame(engine: string, url: string): (cause: unknown) => never {
  return (cause) => {
    if (cause instanceof MigrationRefused) throw cause
    throw new Error(`Cannot prepare ${engine} at ${withoutPassword(url)}`, { cause })
  }
}
