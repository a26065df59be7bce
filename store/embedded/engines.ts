// The engines live in a process of their own: their memory and their crashes are not ours, and a crash is a restart
// behind the same URLs.

import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { clickhouseDatabase, postgresDatabase, type EnginesConfig, type FromChild, type ToChild } from './messages.ts'
import { requireSupportedPlatform } from './platform.ts'
import { programPath } from './program.ts'

/** What happens to the engines' process. */
export type EngineEvent =
  | { type: 'started'; pid: number; tookMs: number; restarts: number }
  | { type: 'exited'; pid: number; reason: string; stderr: string }
  | { type: 'restarting'; attempt: number; afterMs: number }
  | { type: 'stopped'; tookMs: number }

export interface EnginesOptions {
  /** The engines keep everything below this directory, and one process at a time may do so. */
  dataDir: string
  /** Cap on what ClickHouse allocates; one query may take 60 % of it. */
  memoryMaxBytes?: number
  /** Queries that run at once in ClickHouse, and that wait for a place; more get TOO_MANY_SIMULTANEOUS_QUERIES. */
  queriesMax?: number
  queriesWaitingMax?: number
  /** Largest request body, decompressed. */
  bodyBytesMax?: number
  /** Largest answer in a format that cannot be streamed. */
  answerBytesMax?: number
  /** Connections that each of the two fronts takes. */
  connectionsMax?: number
  /** An open PostgreSQL transaction whose client says nothing for this long is rolled back. */
  idleTransactionMs?: number
  /** How long a start may take; the first one makes the PostgreSQL directory. */
  startMaxMs?: number
  onEvent?: (event: EngineEvent) => void
}

/** Running engines. The URLs stay the same over restarts. */
export interface Engines {
  clickhouseUrl: string
  databaseUrl: string
  /** The engines' process; undefined between a crash and the restart. */
  pid(): number | undefined
  /** How often the engines were restarted after a crash. */
  restarts(): number
  /** Ends the engines within 4 seconds. */
  stop(): Promise<void>
}

const stopMaxMs = 3_500
const restartAfterMs = { first: 200, most: 10_000 }
/** A process that lived this long had no trouble starting, so the next crash is a new one. */
const healthyAfterMs = 60_000
const stderrTailBytes = 4_000

/** The engines could not be started; nothing of them is left running. */
export class EnginesStartError extends Error {
  override name = 'EnginesStartError'
  /** The system's code, for example EADDRINUSE. */
  readonly code: string | undefined

  constructor(message: string, code?: string) {
    super(message)
    this.code = code
  }
}

interface LiveChild {
  process: ChildProcess
  pid: number
  ports: { clickhousePort: number; databasePort: number }
  exited: Promise<{ reason: string; stderr: string }>
}

function spawn(config: EnginesConfig): ChildProcess {
  const program = programPath(new URL('./child.ts', import.meta.url))
  // Options meant for the parent (an agent to import, a debugger's port) are not for the engines.
  const { NODE_OPTIONS: _, ...environment } = process.env
  return fork(program, [], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'json',
    env: {
      ...environment,
      // A query holds one thread of the pool until it ends; files, gzip and KILL need some as well.
      UV_THREADPOOL_SIZE: String(config.queriesMax + 6),
      MALLOC_ARENA_MAX: '2',
      // Times without a zone mean the same on every machine.
      TZ: 'UTC',
    },
  })
}

function startChild(config: EnginesConfig, startMaxMs: number): Promise<LiveChild> {
  const child = spawn(config)
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrTailBytes)
  })
  const exited = new Promise<{ reason: string; stderr: string }>((resolveExit) => {
    child.once('close', (code, signal) => resolveExit({ reason: signal ?? `code ${code}`, stderr: stderr.trim() }))
  })
  return new Promise((resolveStart, reject) => {
    const fail = (message: string, code?: string) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      reject(new EnginesStartError(message, code))
    }
    const timer = setTimeout(() => fail(`The engines were not ready within ${startMaxMs} ms`), startMaxMs)
    child.once('error', (error) => fail(`Cannot start the engines' process: ${error.message}`))
    void exited.then(({ reason }) => fail(`The engines' process ended while starting (${reason}): ${stderr.trim()}`))
    child.once('message', (message: FromChild) => {
      if (message.type === 'failed') {
        fail(message.message, message.code)
        return
      }
      clearTimeout(timer)
      const { clickhousePort, databasePort } = message
      resolveStart({ process: child, pid: child.pid ?? 0, ports: { clickhousePort, databasePort }, exited })
    })
    tell(child, { type: 'start', config })
  })
}

function tell(child: ChildProcess, message: ToChild): void {
  // A child that is gone cannot be told; its exit is what we learn from.
  if (child.connected) child.send(message, () => undefined)
}

/** Starts both engines and keeps them running until `stop`. Rejects when the first start fails. */
export async function startEngines(options: EnginesOptions): Promise<Engines> {
  requireSupportedPlatform()
  const onEvent = options.onEvent ?? (() => undefined)
  const startMaxMs = options.startMaxMs ?? 60_000
  const config: EnginesConfig = {
    dataDir: resolve(options.dataDir),
    clickhousePort: 0,
    databasePort: 0,
    user: 'headwater',
    password: randomBytes(24).toString('base64url'),
    memoryMaxBytes: options.memoryMaxBytes ?? 700 << 20,
    queriesMax: options.queriesMax ?? 8,
    queriesWaitingMax: options.queriesWaitingMax ?? 64,
    bodyBytesMax: options.bodyBytesMax ?? 1 << 30,
    answerBytesMax: options.answerBytesMax ?? 256 << 20,
    connectionsMax: options.connectionsMax ?? 256,
    idleTransactionMs: options.idleTransactionMs ?? 10_000,
  }
  let restarts = 0
  let live: LiveChild | undefined
  const stopping = new AbortController()

  async function start(): Promise<void> {
    const startedAt = performance.now()
    const child = await startChild(config, startMaxMs)
    live = child
    Object.assign(config, child.ports)
    onEvent({ type: 'started', pid: child.pid, tookMs: Math.round(performance.now() - startedAt), restarts })
  }

  /** Sees each process to its end and starts the next one, later and later while they keep failing. */
  async function keepRunning(): Promise<void> {
    let attempt = 0
    while (live !== undefined) {
      const bornAt = performance.now()
      const { pid, exited } = live
      const { reason, stderr } = await exited
      live = undefined
      if (stopping.signal.aborted) return
      onEvent({ type: 'exited', pid, reason, stderr })
      if (performance.now() - bornAt > healthyAfterMs) attempt = 0
      while (live === undefined && !stopping.signal.aborted) {
        attempt += 1
        const afterMs = Math.min(restartAfterMs.first * 2 ** (attempt - 1), restartAfterMs.most)
        onEvent({ type: 'restarting', attempt, afterMs })
        await waitUnlessAborted(afterMs, stopping.signal)
        if (stopping.signal.aborted) return
        restarts += 1
        await start().catch((error: unknown) => {
          onEvent({
            type: 'exited',
            pid: 0,
            reason: error instanceof Error ? error.message : String(error),
            stderr: '',
          })
        })
      }
    }
  }

  await start()
  const kept = keepRunning()
  let stopped: Promise<void> | undefined

  async function stop(): Promise<void> {
    const startedAt = performance.now()
    stopping.abort()
    const end = setInterval(() => {
      if (live === undefined) return
      tell(live.process, { type: 'stop' })
      if (performance.now() - startedAt > stopMaxMs) live.process.kill('SIGKILL')
    }, 50)
    if (live !== undefined) tell(live.process, { type: 'stop' })
    await kept
    clearInterval(end)
    onEvent({ type: 'stopped', tookMs: Math.round(performance.now() - startedAt) })
  }

  const account = `${config.user}:${config.password}`
  return {
    clickhouseUrl: `http://${account}@127.0.0.1:${config.clickhousePort}/${clickhouseDatabase}`,
    databaseUrl: `postgres://${account}@127.0.0.1:${config.databasePort}/${postgresDatabase}`,
    pid: () => live?.pid,
    restarts: () => restarts,
    stop: () => (stopped ??= stop()),
  }
}

function waitUnlessAborted(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolveWait) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolveWait()
    }
    const timer = setTimeout(done, waitMs)
    signal.addEventListener('abort', done)
  })
}
