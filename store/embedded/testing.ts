// Engines for tests: fresh, and gone afterwards. The same tests run against servers when the environment names some.

import { randomBytes } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { startEngines, type Engines, type EnginesOptions } from './engines.ts'
import { makePostgresDirectory } from './postgres/directory.ts'

/** Two empty databases, each in the embedded engine or on the server that `CLICKHOUSE_URL` or `DATABASE_URL` names. */
export interface TestEngines {
  clickhouseUrl: string
  databaseUrl: string
  /** The embedded engines, to kill and to watch; undefined when both databases are on servers. */
  embedded: Engines | undefined
  /** Ends the embedded engines, or drops the databases. */
  stop(): Promise<void>
}

interface TestDatabase {
  url: string
  drop(): Promise<void>
}

/** Starts engines in a temporary directory, or makes databases on the servers that the environment names. */
export async function startTestEngines(options: Omit<EnginesOptions, 'dataDir'> = {}): Promise<TestEngines> {
  const { CLICKHOUSE_URL: clickhouseServer, DATABASE_URL: postgresServer } = process.env
  const name = `headwater_test_${randomBytes(6).toString('hex')}`
  const clickhouse = clickhouseServer ? await createOnClickHouse(clickhouseServer, name) : undefined
  const postgres = postgresServer ? await createOnPostgres(postgresServer, name) : undefined
  const embedded = clickhouse && postgres ? undefined : await startInTemporaryDirectory(options)
  return {
    clickhouseUrl: clickhouse?.url ?? embedded?.engines.clickhouseUrl ?? '',
    databaseUrl: postgres?.url ?? embedded?.engines.databaseUrl ?? '',
    embedded: embedded?.engines,
    async stop() {
      await Promise.all([embedded?.stop(), clickhouse?.drop(), postgres?.drop()])
    },
  }
}

async function startInTemporaryDirectory(options: Omit<EnginesOptions, 'dataDir'>) {
  const dataDir = await mkdtemp(join(tmpdir(), 'headwater-test-'))
  await cp(await postgresTemplate(), join(dataDir, 'postgres'), { recursive: true, mode: constants.COPYFILE_FICLONE })
  const engines = await startEngines({ ...options, dataDir })
  const stop = async () => {
    await engines.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  return { engines, stop }
}

/** An empty PostgreSQL directory, made once per version and user: making one takes 4 s, copying it 0.1 s. */
async function postgresTemplate(): Promise<string> {
  const manifest = new URL('../package.json', import.meta.resolve('@electric-sql/pglite'))
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string }
  const template = join(tmpdir(), `headwater-test-postgres-${version}-${userInfo().uid}`)
  if (existsSync(template)) return template
  const made = join(await mkdtemp(`${template}-`), 'postgres')
  await makePostgresDirectory(made)
  // Another test may have been faster, then its directory stays.
  await rename(made, template).catch(() => undefined)
  await rm(join(made, '..'), { recursive: true, force: true })
  return template
}

async function createOnClickHouse(server: string, name: string): Promise<TestDatabase> {
  const url = new URL(server)
  url.pathname = `/${name}`
  const run = async (query: string) => {
    const credentials = Buffer.from(
      `${decodeURIComponent(url.username) || 'default'}:${decodeURIComponent(url.password)}`,
    )
    const headers = { authorization: `Basic ${credentials.toString('base64')}` }
    const response = await fetch(url.origin, { method: 'POST', headers, body: query })
    if (!response.ok) throw new Error(`Cannot run "${query}" on ${url.host}: ${await response.text()}`)
    await response.arrayBuffer()
  }
  await run(`CREATE DATABASE ${name}`)
  return { url: url.href, drop: () => run(`DROP DATABASE ${name} SYNC`) }
}

async function createOnPostgres(server: string, name: string): Promise<TestDatabase> {
  const { Client } = (await import('pg')).default
  const run = async (query: string) => {
    const client = new Client({ connectionString: server })
    await client.connect()
    try {
      await client.query(query)
    } finally {
      await client.end()
    }
  }
  await run(`CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => run(`DROP DATABASE ${name} WITH (FORCE)`) }
}
