// PGlite is one session in one thread. The front lets many clients share it: it asks for the password, gathers what
// belongs together (up to Sync, or a whole simple query) and gives the database to one connection at a time until its
// transaction is over, which it may not keep open for nothing. `@electric-sql/pglite-socket` lets in whoever comes, waits
// for ever on an idle transaction, and serves nobody any more after the engine has thrown once.
//
// What clients share, because the session is one: settings made by SET, named prepared statements, temporary tables.

import { createServer, type Server, type Socket } from 'node:net'
import { isSameSecret } from '../secret.ts'
import {
  askForCleartextPassword,
  cancelRequestCode,
  createMessageReader,
  fatalError,
  gssRequestCode,
  message,
  ProtocolError,
  readStartup,
  readyState,
  sslRequestCode,
  type Message,
} from './messages.ts'

/** The one session: takes bytes of the protocol, answers with bytes of the protocol. */
export interface Session {
  /** What the engine says when a session begins, up to ReadyForQuery. */
  greeting: Buffer
  exchange(bytes: Buffer, onAnswer: (chunk: Buffer) => void): Promise<void>
}

export interface PostgresFrontOptions {
  session: Session
  account: { user: string; password: string; database: string }
  connectionsMax: number
  /** A transaction that waits for its client longer than this is rolled back, as all others wait for it. */
  idleTransactionMs: number
  handshakeMs: number
  /** The engine cannot go on, so the process must not either. */
  onBroken: (error: unknown) => never
}

export interface PostgresFront {
  server: Server
  close(): Promise<void>
}

const messageBytesMax = { startup: 10_000, message: 64 << 20 }
/** Answers to a client that does not read them wait in memory up to here, then the connection ends. */
const unreadBytesMax = 64 << 20

/** Sync ends what an extended query began; without a transaction ROLLBACK is only a warning. */
const rollback = Buffer.concat([message('S'), message('Q', 'ROLLBACK')])

/** The engine ends when it is asked for COPY FROM STDIN, so such a statement becomes one that says so. */
function withoutCopyIn({ type, bytes }: Message): Buffer {
  if (type !== 'Q' && type !== 'P') return bytes
  const nameEnd = type === 'Q' ? 5 : bytes.indexOf(0, 5) + 1
  const sqlEnd = bytes.indexOf(0, nameEnd)
  const sql = bytes.toString('utf8', nameEnd, sqlEnd)
  if (!/\bcopy\b[^;]*\bstdin\b/i.test(sql)) return bytes
  const refusal =
    "DO $$ BEGIN RAISE EXCEPTION 'COPY FROM STDIN is not supported by the embedded PostgreSQL: use INSERT' USING ERRCODE = '0A000'; END $$"
  return message(type, bytes.subarray(5, nameEnd), Buffer.from(refusal), bytes.subarray(sqlEnd))
}

/** The database is given to one holder at a time, in the order of asking. */
function createTurns() {
  const waiting: (() => void)[] = []
  let held = false
  return {
    take(): Promise<void> {
      if (held) return new Promise((resolve) => waiting.push(resolve))
      held = true
      return Promise.resolve()
    },
    give(): void {
      const next = waiting.shift()
      if (next === undefined) held = false
      else next()
    },
  }
}

/** Builds the front. */
export function createPostgresFront(options: PostgresFrontOptions): PostgresFront {
  const { session, account, idleTransactionMs, onBroken } = options
  const turns = createTurns()
  const sockets = new Map<Socket, Promise<void>>()

  async function serve(socket: Socket): Promise<void> {
    const reader = createMessageReader(messageBytesMax)
    const input = socket.iterator({ destroyOnReturn: false })
    const next = async (isStartup: boolean): Promise<Message | undefined> => {
      for (;;) {
        const whole = reader.next(isStartup)
        if (whole !== undefined) return whole
        const more: IteratorResult<Buffer> = await input.next()
        if (more.done === true) return undefined
        reader.push(more.value)
      }
    }

    if (!(await isWelcome(socket, next))) return

    let holdsTurn = false
    let idle: NodeJS.Timeout | undefined
    const exchange = async (bytes: Buffer) => {
      let last: Buffer = Buffer.alloc(0)
      const onAnswer = (chunk: Buffer) => {
        last = Buffer.concat([last, chunk]).subarray(-6)
        if (socket.writable) socket.write(chunk)
        if (socket.writableLength > unreadBytesMax) socket.destroy(new Error('The client does not read its answers'))
      }
      await session.exchange(bytes, onAnswer).catch(onBroken)
      return readyState(last)
    }
    const run = async (batch: Buffer[]) => {
      clearTimeout(idle)
      if (!holdsTurn) await turns.take()
      holdsTurn = true
      if (socket.destroyed) return
      if ((await exchange(Buffer.concat(batch))) === 'I') {
        holdsTurn = false
        turns.give()
        return
      }
      idle = setTimeout(() => {
        socket.end(
          fatalError('25P03', `terminating connection due to idle-in-transaction timeout (${idleTransactionMs} ms)`),
        )
        socket.destroySoon()
      }, idleTransactionMs)
    }
    try {
      let batch: Buffer[] = []
      let batchBytes = 0
      for (;;) {
        const received = await next(false)
        if (received === undefined || received.type === 'X') return
        const bytes = withoutCopyIn(received)
        batch.push(bytes)
        batchBytes += bytes.length
        if (batchBytes > messageBytesMax.message)
          throw new ProtocolError(`More than ${messageBytesMax.message} bytes before Sync`)
        if ('QSHF'.includes(received.type)) {
          await run(batch)
          batch = []
          batchBytes = 0
        }
      }
    } finally {
      clearTimeout(idle)
      if (holdsTurn) {
        await session.exchange(rollback, () => undefined).catch(onBroken)
        turns.give()
      }
    }
  }

  /** The handshake: no encryption on loopback, then user, password and database. */
  async function isWelcome(
    socket: Socket,
    next: (isStartup: boolean) => Promise<Message | undefined>,
  ): Promise<boolean> {
    const tooLate = setTimeout(() => socket.destroy(), options.handshakeMs)
    try {
      let startup = await next(true)
      for (let asked = 0; startup !== undefined && asked < 2; asked += 1) {
        const { code } = readStartup(startup.bytes)
        if (code !== sslRequestCode && code !== gssRequestCode) break
        socket.write('N')
        startup = await next(true)
      }
      if (startup === undefined) return false
      const { code, parameters } = readStartup(startup.bytes)
      if (code === cancelRequestCode) return false
      if (code >> 16 !== 3) throw new ProtocolError(`Protocol ${code} is not 3.x`)
      const user = parameters.get('user') ?? ''
      const database = parameters.get('database') ?? user
      socket.write(askForCleartextPassword)
      const answer = await next(false)
      if (answer === undefined) return false
      const password = answer.type === 'p' ? answer.bytes.toString('utf8', 5, answer.bytes.length - 1) : ''
      const isUser = isSameSecret(user, account.user)
      if (!isSameSecret(password, account.password) || !isUser) {
        socket.end(fatalError('28P01', `password authentication failed for user "${user}"`))
        return false
      }
      if (database !== account.database) {
        socket.end(
          fatalError('3D000', `database "${database}" does not exist: the embedded one is "${account.database}"`),
        )
        return false
      }
      socket.write(session.greeting)
      return true
    } finally {
      clearTimeout(tooLate)
    }
  }

  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    const served = serve(socket)
      .catch((error: unknown) => {
        // Anything else is the connection's end, which needs no answer.
        if (error instanceof ProtocolError) socket.end(fatalError('08P01', error.message))
      })
      .finally(() => {
        socket.end()
        sockets.delete(socket)
      })
    sockets.set(socket, served)
  })
  server.maxConnections = options.connectionsMax

  return {
    server,
    async close() {
      server.close()
      const served = [...sockets.values()]
      for (const socket of sockets.keys()) socket.destroy()
      await Promise.all(served)
    },
  }
}
