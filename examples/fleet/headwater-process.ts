import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { isFree } from './ports.ts'

export interface HeadwaterProcess {
  otlpUrl: string
  apiUrl: string
  /** Rejects when Headwater ends without having been asked to. */
  died: Promise<never>
  stop(): Promise<void>
}

const readyWithinMs = 60_000
const endWithinMs = 8_000
const pollEveryMs = 200
const wordsCharsKept = 4_000
const standardPorts = { otlp: 4318, api: 8012 }
const settingForm = /^(HEADWATER_.*|OTEL_.*|CLICKHOUSE_URL|DATABASE_URL)$/
const runForm = z.object({ otlpUrl: z.string(), apiUrl: z.string() })

/**
 * Starts `headwater up` on a data directory of its own, which is removed at the end. The standard ports are used if they
 * are asked for and free.
 */
export async function startHeadwater(options: {
  ports: 'standard' | 'any'
  /** Settings beside those that this sets. */
  settings?: Readonly<Record<string, string>>
  /** Gives up the start. */
  signal?: AbortSignal
}): Promise<HeadwaterProcess> {
  const { ports, settings = {}, signal } = options
  const directory = await mkdtemp(join(tmpdir(), 'headwater-demo-'))
  const isStandard = ports === 'standard' && (await isFree(standardPorts.otlp)) && (await isFree(standardPorts.api))
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../cli/headwater.js', import.meta.url)), 'up'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...withoutSettings(process.env),
      HEADWATER_DATA: directory,
      HEADWATER_OTLP_PORT: isStandard ? String(standardPorts.otlp) : '0',
      HEADWATER_PORT: isStandard ? String(standardPorts.api) : '0',
      ...settings,
    },
  })
  let isStopping = false
  let words = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-wordsCharsKept)
    })
  }
  const ended = Promise.withResolvers<void>()
  const died = Promise.withResolvers<never>()
  // Nobody may be listening yet, or any more.
  died.promise.catch(() => undefined)
  child.once('error', (cause) => died.reject(new Error('Cannot start headwater up', { cause })))
  child.once('close', (code, endedBy) => {
    ended.resolve()
    if (!isStopping) died.reject(new Error(`headwater up ended with ${endedBy ?? code}:\n${words.trim()}`))
  })

  async function stop(): Promise<void> {
    isStopping = true
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), endWithinMs)
      await ended.promise
      clearTimeout(timer)
    }
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }

  try {
    const urls = await Promise.race([readRun(join(directory, 'run.json'), () => words, signal), died.promise])
    return { ...urls, died: died.promise, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** `run.json` is there as soon as Headwater is ready. */
async function readRun(
  path: string,
  words: () => string,
  signal: AbortSignal | undefined,
): Promise<z.infer<typeof runForm>> {
  for (let waitedMs = 0; waitedMs < readyWithinMs; waitedMs += pollEveryMs) {
    const run = await readFile(path, 'utf8').then(parseRun, () => undefined)
    if (run && (await isReady(run.apiUrl))) return run
    await wait(pollEveryMs, undefined, { signal })
  }
  throw new Error(`headwater up was not ready within ${readyWithinMs / 1_000} s:\n${words().trim()}`)
}

function parseRun(text: string): z.infer<typeof runForm> | undefined {
  try {
    return runForm.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

async function isReady(apiUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${apiUrl}/readyz`, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}

/** The shell's settings are for the user's own Headwater: the demo writes into no database of theirs. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !settingForm.test(name)))
}
