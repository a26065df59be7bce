import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Whoever is not ready after this time has failed to start. */
const readyWithinMs = 30_000
/** After a polite request to end, before the impolite one. */
const endWithinMs = 3_000
const stderrCharsKept = 2_000

export interface ChildPlan {
  /** For messages to people. */
  name: string
  /** A module beside this file. */
  module: string
  env: Record<string, string>
  execArgv: string[]
  /** Sent as soon as the process is there, in this order. */
  greetings: () => object[]
  log: (line: string) => void
  /** Where set, a process that dies is started again after so long. */
  restartAfterMs?: number
}

/** A process of the fleet that is brought back when it dies. */
export class Child {
  readonly #plan: ChildPlan
  #process: ChildProcess | undefined
  #state: 'starting' | 'ready' | 'down' | 'ended' = 'down'
  #hasServed = false
  #restart: NodeJS.Timeout | undefined
  #becameReady = Promise.withResolvers<void>()

  constructor(plan: ChildPlan) {
    this.#plan = plan
  }

  /** Starts the process; done when it says that it is ready. */
  async start(): Promise<void> {
    this.#launch()
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => late.reject(new Error(`Cannot start ${this.#plan.name}: not ready after ${readyWithinMs} ms`)),
      readyWithinMs,
    )
    await Promise.race([this.#becameReady.promise, late.promise]).finally(() => clearTimeout(timer))
  }

  /** Done when the process serves again, if it does not now. */
  async ready(): Promise<void> {
    await this.#becameReady.promise
  }

  send(message: object): void {
    if (this.#process?.connected) this.#process.send(message, () => undefined)
  }

  /** Ends the process, politely first. It stays ended. */
  async end(): Promise<void> {
    this.#state = 'ended'
    clearTimeout(this.#restart)
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const { promise, resolve } = Promise.withResolvers<void>()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), endWithinMs)
    await promise
    clearTimeout(timer)
  }

  #launch(): void {
    const { name, module, env, execArgv, greetings, log } = this.#plan
    const path = fileURLToPath(new URL(module, import.meta.url))
    const child = fork(path, [], { env, execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#process = child
    this.#state = 'starting'
    let lastWords = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-stderrCharsKept)
      for (const line of text.trimEnd().split('\n')) log(`${name}: ${line}`)
    })
    child.on('message', () => {
      if (this.#state !== 'starting') return
      this.#state = 'ready'
      this.#hasServed = true
      this.#becameReady.resolve()
    })
    child.on('error', (error) => log(`${name}: ${error.message}`))
    child.on('exit', (code, signal) => this.#exited(code, signal, lastWords))
    for (const greeting of greetings()) this.send(greeting)
  }

  #exited(code: number | null, signal: NodeJS.Signals | null, lastWords: string): void {
    const { name, log, restartAfterMs } = this.#plan
    if (this.#state === 'ended') return
    log(`${name}: ended with ${signal ?? code}`)
    if (restartAfterMs === undefined || !this.#hasServed) {
      this.#becameReady.reject(new Error(`${name} ended with ${signal ?? code}: ${lastWords.trim()}`))
      return
    }
    if (this.#state === 'ready') this.#becameReady = Promise.withResolvers<void>()
    this.#state = 'down'
    this.#restart = setTimeout(() => this.#launch(), restartAfterMs)
  }
}
