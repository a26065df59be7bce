// Servers of databases for tests: Redis where it is installed, and enough of the protocols of MySQL and MongoDB for a driver to
// connect and run statements.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type Server, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { BSON } from 'mongodb'
import mysql from 'mysql2'
import { onTestFinished } from 'vitest'

const redisPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'redis-server'))
  .find(existsSync)

export const hasRedis = redisPath !== undefined

/** Runs Redis until the test is over; tells its socket. */
export async function startRedis(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'headwater-redis-'))
  const socket = join(directory, 'redis.sock')
  const server: ChildProcess = spawn(redisPath ?? '', ['--port', '0', '--unixsocket', socket, '--save', ''], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(server, 'close')
  onTestFinished(async () => {
    server.kill('SIGKILL')
    await exit
    await rm(directory, { recursive: true })
  })
  let told = ''
  while (!told.includes('eady to accept connections')) {
    const [text] = (await Promise.race([server.stdout && once(server.stdout, 'data'), exit])) as [unknown]
    if (!Buffer.isBuffer(text)) throw new Error(`Redis ended: ${told}`)
    told += text.toString()
  }
  return socket
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
