// Programs as users run them: processes that can be killed, stopped and started again.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../cli/headwater.js', import.meta.url))
const settingForm = /^(HEADWATER_.*|OTEL_.*|CLICKHOUSE_URL|DATABASE_URL|NODE_OPTIONS)$/
const startsWithinMs = 180_000
const againAfterMs = 200
const toldMax = 200_000

/** A `headwater` process over all its lives. */
export class Program {
  readonly #command: string
  readonly #settings: Readonly<Record<string, string>>
  readonly #ready: RegExp
  #child: ChildProcess | undefined
  #ended: Promise<number | null> = Promise.resolve(0)
  /** How often it had to be started until it was up, the last time. */
  starts = 0
  /** What it wrote to stderr, in all its lives; the newest part. */
  told = ''

  /** `ready` is what it writes to stdout once it is up. */
  constructor(command: string, settings: Readonly<Record<string, string>>, ready: RegExp) {
    this.#command = command
    this.#settings = settings
    this.#ready = ready
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** Starts it, again and again while it cannot, as whoever supervises it would; resolves with what `ready` matched. */
  async start(): Promise<RegExpExecArray> {
    const endsAtMs = performance.now() + startsWithinMs
    for (this.starts = 1; ; this.starts += 1) {
      const match = await this.#startOnce()
      if (match !== undefined) return match
      if (performance.now() > endsAtMs)
        throw new Error(`headwater ${this.#command} does not start: ${this.told.slice(-2_000)}`)
      await sleep(againAfterMs)
    }
  }

  #startOnce(): Promise<RegExpExecArray | undefined> {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !settingForm.test(name)))
    const child = spawn(process.execPath, [program, this.#command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...inherited, HEADWATER_PORT: '0', HEADWATER_OTLP_PORT: '0', ...this.#settings },
    })
    this.#child = child
    const { promise, resolve } = Promise.withResolvers<RegExpExecArray | undefined>()
    const late = setTimeout(() => child.kill('SIGKILL'), startsWithinMs)
    void promise.then(() => clearTimeout(late))
    this.#ended = once(child, 'close').then(([code]) => {
      resolve(undefined)
      return code as number | null
    })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const match = this.#ready.exec(said)
      if (match !== null) resolve(match)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.told = (this.told + text).slice(-toldMax)
    })
    return promise
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  /** SIGTERM; resolves once it has ended, with its exit code and how long it took. */
  async terminate(): Promise<{ code: number | null; tookMs: number }> {
    const startedMs = performance.now()
    this.#child?.kill('SIGTERM')
    const code = await this.#ended
    return { code, tookMs: performance.now() - startedMs }
  }
}

/** The process that a process has started whose arguments bear this text. */
export function childOf(parent: number, text: string): number {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n')
  for (const row of rows) {
    const [pid, ppid, ...args] = row.trim().split(/\s+/)
    if (Number(ppid) === parent && args.join(' ').includes(text)) return Number(pid)
  }
  throw new Error(`Process ${parent} has no child with "${text}"`)
}
