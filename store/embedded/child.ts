// The engines' process: ClickHouse and PostgreSQL and their fronts. It does what the parent says, and ends with it.

import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { openChdb } from './clickhouse/engine.ts'
import { createFront } from './clickhouse/front.ts'
import { createGate } from './clickhouse/gate.ts'
import { createSpool } from './clickhouse/spool.ts'
import { holdExclusively } from './exclusive.ts'
import { clickhouseDatabase, postgresDatabase, type EnginesConfig, type FromChild, type ToChild } from './messages.ts'
import { makePostgresDirectory } from './postgres/directory.ts'
import { openPostgres } from './postgres/engine.ts'
import { createPostgresFront } from './postgres/front.ts'

interface Running {
  clickhousePort: number
  databasePort: number
  close(): Promise<void>
}

const stopWithinMs = 3_000
const ownerOnly = 0o700
/** How long the engines of a parent that was killed may still need to end. */
const predecessorWaitMs = 5_000

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: '127.0.0.1' }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

async function startClickHouse(config: EnginesConfig) {
  const path = join(config.dataDir, 'clickhouse')
  mkdirSync(path, { recursive: true })
  chmodSync(path, ownerOnly)
  const chdb = await openChdb({
    path,
    memoryMaxBytes: config.memoryMaxBytes,
    queryMemoryMaxBytes: Math.floor(config.memoryMaxBytes * 0.6),
    threadsMax: 2,
  })
  const nobody = new AbortController().signal
  const context = { database: undefined, settings: new Map(), params: new Map(), isReadonly: false, signal: nobody }
  const createDatabase = `CREATE DATABASE IF NOT EXISTS ${clickhouseDatabase} ENGINE = Atomic`
  await chdb.run(createDatabase, 'Null', { ...context, queryId: 'start' })
  const front = createFront({
    chdb,
    spool: createSpool(join(config.dataDir, 'spool'), config.bodyBytesMax),
    gate: createGate({ runningMax: config.queriesMax, waitingMax: config.queriesWaitingMax, waitMaxMs: 10_000 }),
    account: config,
    answerBytesMax: config.answerBytesMax,
  })
  front.server.maxConnections = config.connectionsMax
  const port = await listen(front.server, config.clickhousePort)
  const close = async () => {
    await front.close()
    await chdb.close()
  }
  return { port, close }
}

async function startPostgres(config: EnginesConfig) {
  const directory = join(config.dataDir, 'postgres')
  if (!existsSync(directory)) await makePostgresDirectory(directory)
  // PGlite makes files that everybody may write, whatever the umask is.
  chmodSync(directory, ownerOnly)
  const postgres = await openPostgres(directory)
  const front = createPostgresFront({
    session: postgres,
    account: { user: config.user, password: config.password, database: postgresDatabase },
    connectionsMax: config.connectionsMax,
    idleTransactionMs: config.idleTransactionMs,
    handshakeMs: 5_000,
    onBroken: (error) => {
      process.stderr.write(`The embedded PostgreSQL cannot go on: ${String(error)}
`)
      process.exit(1)
    },
  })
  const port = await listen(front.server, config.databasePort)
  const close = async () => {
    await front.close()
    await postgres.close()
  }
  return { port, close }
}

async function start(config: EnginesConfig): Promise<Running> {
  // The directory may have been there before, open to all.
  process.umask(0o077)
  mkdirSync(config.dataDir, { recursive: true, mode: ownerOnly })
  const hold = holdExclusively(join(config.dataDir, 'engines.lock'), predecessorWaitMs)
  if (hold === undefined)
    throw new Error(`Cannot start the engines: another process has them open in ${config.dataDir}`)
  const [clickhouse, postgres] = await Promise.all([startClickHouse(config), startPostgres(config)])
  return {
    clickhousePort: clickhouse.port,
    databasePort: postgres.port,
    async close() {
      await Promise.all([clickhouse.close(), postgres.close()])
      hold.release()
    },
  }
}

function tell(message: FromChild): void {
  if (process.connected) process.send?.(message)
}

let running: Promise<Running> | undefined
let stopping = false

async function stop(): Promise<void> {
  if (stopping) return
  stopping = true
  // A query that cannot be killed must not keep the process; a kill loses nothing that was acknowledged.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), stopWithinMs)
  const engines = await running?.catch(() => undefined)
  await engines?.close()
  process.exit(0)
}

// A terminal's Ctrl-C and a service manager's SIGTERM reach every process of the group; only the parent knows what must
// be written before the engines end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

process.on('disconnect', () => void stop())
process.on('message', (message: ToChild) => {
  if (message.type === 'stop') {
    void stop()
    return
  }
  running = start(message.config)
  running.then(
    ({ clickhousePort, databasePort }) => tell({ type: 'ready', clickhousePort, databasePort }),
    (error: unknown) => {
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
      tell({ type: 'failed', message: error instanceof Error ? error.message : String(error), code })
      void stop()
    },
  )
})
