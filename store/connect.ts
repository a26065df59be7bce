import type { Kysely } from 'kysely'
import { type ClickHouseClient, connectClickHouse, databaseOf } from './clickhouse.ts'
import { connectPostgres, type Database } from './postgres.ts'

/** Where the engines are. Both URLs bear user, password and database. */
export interface StoreUrls {
  clickhouseUrl: string
  databaseUrl: string
}

/** Both engines, connected. Nothing beyond this package knows more of them than its functions that take a Store. */
export interface Store {
  readonly clickhouse: ClickHouseClient
  /** Name of the ClickHouse database. */
  readonly database: string
  readonly postgres: Kysely<Database>
  close(): Promise<void>
}

/** Connects lazily: an engine that is away shows at the first query, not here. */
export function connectStore({ clickhouseUrl, databaseUrl }: StoreUrls): Store {
  const clickhouse = connectClickHouse(clickhouseUrl)
  const postgres = connectPostgres(databaseUrl)
  return {
    clickhouse,
    database: databaseOf(clickhouseUrl),
    postgres,
    async close() {
      await Promise.all([clickhouse.close(), postgres.destroy()])
    },
  }
}
