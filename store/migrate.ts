// Numbered .sql files are the schema. Each is applied once, in order, and recorded with its checksum.
import { readdir, readFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { sql, type Kysely } from 'kysely'
import type { ClickHouseClient } from './clickhouse.ts'
import { connectClickHouse, databaseOf } from './clickhouse.ts'
import type { Database } from './postgres.ts'

export interface Migration {
  name: string
  text: string
  checksum: string
}

export interface MigrationReport {
  engine: 'clickhouse' | 'postgres'
  applied: string[]
  already: string[]
}

/** The database has migrations that this code does not know, or knows with another text. Nothing was changed. */
export class MigrationRefused extends Error {
  override name = 'MigrationRefused'
}

/** Reads `NNN_name.sql` files in number order. */
export async function readMigrations(directory: URL): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => /^\d{3}_\w+\.sql$/.test(name)).toSorted()
  return await Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, directory), 'utf8')
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

/** The migrations yet to apply, in order. Throws {@link MigrationRefused} where the record and the code disagree. */
export function pendingMigrations(
  engine: MigrationReport['engine'],
  known: Migration[],
  recorded: { name: string; checksum: string }[],
): Migration[] {
  const byName = new Map(known.map((migration) => [migration.name, migration]))
  for (const { name, checksum } of recorded) {
    const migration = byName.get(name)
    if (migration === undefined) {
      throw new MigrationRefused(
        `Cannot use this ${engine} database: it has migration ${name}, which is newer than this version of Headwater. ` +
          'Run a version at least as new as the one that wrote it.',
      )
    }
    if (migration.checksum !== checksum) {
      throw new MigrationRefused(
        `Cannot use this ${engine} database: migration ${name} was applied with another text than this version's. ` +
          'Run the version that applied it, or start with an empty database.',
      )
    }
  }
  const applied = new Set(recorded.map(({ name }) => name))
  return known.filter(({ name }) => !applied.has(name))
}

/** Splits a file of statements; a statement ends at a `;` at the end of a line. */
export function statementsOf(text: string): string[] {
  return text
    .replaceAll(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

const clickhouseDirectory = new URL('schema/clickhouse/', import.meta.url)
const postgresDirectory = new URL('schema/postgres/', import.meta.url)

/** Brings ClickHouse up to this code's schema; creates the database itself where it is missing. Idempotent. */
export async function migrateClickHouse(url: string, directory = clickhouseDirectory): Promise<MigrationReport> {
  await createDatabase(url)
  const client = connectClickHouse(url)
  try {
    await client.command({
      query: `CREATE TABLE IF NOT EXISTS schema_migrations (Name String, Checksum String, AppliedAt DateTime DEFAULT now())
              ENGINE = MergeTree ORDER BY Name SETTINGS non_replicated_deduplication_window = 1000`,
    })
    const recorded = await recordedIn(client)
    const pending = pendingMigrations('clickhouse', await readMigrations(directory), recorded)
    for (const { name, text, checksum } of pending) {
      // Statements are `IF NOT EXISTS`, so that one interrupted half-way is finished by the next run.
      for (const statement of statementsOf(text)) {
        try {
          await client.command({ query: statement })
        } catch (cause) {
          throw new Error(`Cannot apply ClickHouse migration ${name}: ${statement.slice(0, 120)}`, { cause })
        }
      }
      await client.insert({
        table: 'schema_migrations',
        values: [{ Name: name, Checksum: checksum }],
        format: 'JSONEachRow',
        clickhouse_settings: { insert_deduplication_token: `migration:${name}` },
      })
    }
    return report('clickhouse', pending, recorded)
  } finally {
    await client.close()
  }
}

async function createDatabase(url: string): Promise<void> {
  const database = databaseOf(url)
  if (!/^\w+$/.test(database)) {
    throw new Error(`Cannot use database "${database}" in CLICKHOUSE_URL: use letters, digits and underscores`)
  }
  const elsewhere = new URL(url)
  elsewhere.pathname = '/default'
  const client = connectClickHouse(elsewhere.href)
  try {
    await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` })
  } finally {
    await client.close()
  }
}

async function recordedIn(client: ClickHouseClient): Promise<{ name: string; checksum: string }[]> {
  const answer = await client.query({
    query: 'SELECT Name AS name, any(Checksum) AS checksum FROM schema_migrations GROUP BY Name ORDER BY Name',
    format: 'JSONEachRow',
  })
  return await answer.json<{ name: string; checksum: string }>()
}

/** Brings PostgreSQL up to this code's schema. Each migration is one transaction with its record. Idempotent. */
export async function migratePostgres(
  postgres: Kysely<Database>,
  directory = postgresDirectory,
): Promise<MigrationReport> {
  await sql`CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`.execute(
    postgres,
  )
  const known = await readMigrations(directory)
  const recorded = await sql<{
    name: string
    checksum: string
  }>`SELECT name, checksum FROM schema_migrations ORDER BY name`
    .execute(postgres)
    .then(({ rows }) => rows)
  const pending = pendingMigrations('postgres', known, recorded)
  for (const { name, text, checksum } of pending) {
    await postgres.transaction().execute(async (transaction) => {
      // Two that start at once: the second waits here, then finds the record and leaves.
      await sql`LOCK TABLE schema_migrations IN EXCLUSIVE MODE`.execute(transaction)
      const { rows } = await sql`SELECT 1 FROM schema_migrations WHERE name = ${name}`.execute(transaction)
      if (rows.length > 0) return
      for (const statement of statementsOf(text)) await sql.raw(statement).execute(transaction)
      await sql`INSERT INTO schema_migrations (name, checksum) VALUES (${name}, ${checksum})`.execute(transaction)
    })
  }
  return report('postgres', pending, recorded)
}

function report(
  engine: MigrationReport['engine'],
  pending: Migration[],
  recorded: { name: string }[],
): MigrationReport {
  return { engine, applied: pending.map(({ name }) => name), already: recorded.map(({ name }) => name) }
}
