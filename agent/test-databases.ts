// Servers of databases for tests: Redis and MariaDB where they are installed, and enough of the protocols of MySQL and MongoDB for
// a driver to connect and run statements.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type Server, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { BSON } from 'mongodb'
import mysql from 'mysql2'
import { onTestFinished } from 'vitest'

const redisPath = installed('redis-server')
const mariaDbPath = installed('mariadbd')
const mariaDbInstallerPath = installed('mariadb-install-db')

export const hasRedis = redisPath !== undefined
export const hasMariaDb = mariaDbPath !== undefined && mariaDbInstallerPath !== undefined

/** Where a program is. Servers are not in the path of every user. */
function installed(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
  return folders.map((folder) => join(folder, program)).find(existsSync)
}

/** Runs Redis until the test is over; tells its socket. */
export async function startRedis(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'headwater-redis-'))
  const socket = join(directory, 'redis.sock')
  const flags = ['--port', '0', '--unixsocket', socket, '--save', '']
  await startServer(redisPath ?? '', flags, { directory, ready: 'eady to accept connections' })
  return socket
}

/**
 * Runs MariaDB until the test is over; tells its socket. `hidden user` has no password, and a table `t` whose name `hidden fault`
 * is taken.
 */
export async function startMariaDb(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'headwater-mariadb-'))
  const socket = join(directory, 'mariadb.sock')
  const everywhere = ['--no-defaults', `--datadir=${join(directory, 'data')}`, `--user=${userInfo().username}`]
  await promisify(execFile)(mariaDbInstallerPath ?? '', [
    ...everywhere,
    '--skip-test-db',
    '--auth-root-authentication-method=normal',
  ])
  const init = join(directory, 'init.sql')
  await writeFile(init, mariaDbTables)
  // Who is no administrator is in `shop` at once.
  const flags = [
    ...everywhere,
    '--skip-networking',
    `--socket=${socket}`,
    `--init-file=${init}`,
    '--init-connect=USE shop',
  ]
  await startServer(mariaDbPath ?? '', flags, { directory, ready: 'ready for connections' })
  return socket
}

const mariaDbTables = `
CREATE DATABASE shop;
CREATE TABLE shop.t (name VARCHAR(20) PRIMARY KEY, mail VARCHAR(40) INVISIBLE, age INT INVISIBLE);
INSERT INTO shop.t VALUES ('hidden fault');
CREATE USER 'hidden user'@'localhost';
GRANT ALL ON shop.* TO 'hidden user'@'localhost';
`

/** Runs a server in a directory, which goes with it when the test is over, and waits until it says that it is ready. */
async function startServer(
  path: string,
  flags: readonly string[],
  { directory, ready }: { directory: string; ready: string },
): Promise<void> {
  const server: ChildProcess = spawn(path, flags, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = once(server, 'close')
  onTestFinished(async () => {
    server.kill('SIGKILL')
    await exit
    await rm(directory, { recursive: true })
  })
  let told = ''
  const isReady = Promise.withResolvers<void>()
  for (const stream of [server.stdout, server.stderr]) {
    stream?.on('data', (text: Buffer) => {
      told += text.toString()
      if (told.includes(ready)) isReady.resolve()
    })
  }
  const ended = exit.then(() => {
    throw new Error(`${path} ended: ${told}`)
  })
  await Promise.race([isReady.promise, ended])
  // It is killed at the end.
  ended.catch(() => undefined)
}

/** A server of MySQL that takes every statement but one that has `hidden fault` in it; tells its port. */
export async function startMysql(): Promise<number> {
  const server = mysql.createServer((connection) => {
    // Each command begins to count its packets anew.
    const reset = () => (connection as unknown as { _resetSequenceId(): void })._resetSequenceId()
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.0.0',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 8,
      // Everything but TLS and compression.
      capabilityFlags: 0xffffff & ~(0x800 | 0x20),
      authCallback(_login: object, done: (refusal: null) => void) {
        done(null)
        reset()
      },
    } as Parameters<typeof connection.serverHandshake>[0])
    connection.on('query', (sql: string) => {
      if (sql.includes('hidden fault')) connection.writeError({ code: 1062, message: "Duplicate entry 'hidden fault'" })
      else connection.writeOk({ affectedRows: 1 })
      reset()
    })
    connection.on('error', () => undefined)
  })
  const { _server: socket } = server as unknown as { _server: Server }
  socket.listen(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  return portOf(socket)
}

/** A server of MongoDB that takes whatever it is told; tells its port. */
export async function startMongo(): Promise<number> {
  const server = createServer((socket) => {
    let waiting: Buffer = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk])
      while (waiting.length >= 4 && waiting.length >= waiting.readInt32LE(0)) {
        socket.write(answerTo(waiting.subarray(0, waiting.readInt32LE(0))))
        waiting = waiting.subarray(waiting.readInt32LE(0))
      }
    })
    onTestFinished(() => void socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return portOf(server)
}

const [replyCode, messageCode] = [1, 2013]

/** OP_MSG is answered with OP_MSG, the greeting in the old OP_QUERY with OP_REPLY. */
function answerTo(request: Buffer): Buffer {
  const isMessage = request.readInt32LE(12) === messageCode
  const hello = { ok: 1, isWritablePrimary: true, ismaster: true, helloOk: true, maxBsonObjectSize: 16_777_216 }
  const limits = { maxMessageSizeBytes: 48_000_000, maxWriteBatchSize: 100_000, minWireVersion: 0, maxWireVersion: 25 }
  const document = BSON.serialize({ ...hello, ...limits, n: 1, logicalSessionTimeoutMinutes: 30 })
  const before = isMessage ? Buffer.from([0, 0, 0, 0, 0]) : Buffer.from([0, 0, 0, 0, ...new Uint8Array(12), 1, 0, 0, 0])
  const header = Buffer.alloc(16)
  header.writeInt32LE(16 + before.length + document.length, 0)
  header.writeInt32LE(request.readInt32LE(4), 8)
  header.writeInt32LE(isMessage ? messageCode : replyCode, 12)
  return Buffer.concat([header, before, document])
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error(`Cannot tell the port of ${String(address)}`)
  return address.port
}
