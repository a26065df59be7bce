// One Headwater for all rounds of a fault: `headwater up` with its engines, analyzer and API, and a collector in each
// acknowledgement mode beside it, in a process of its own that may be killed.

import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectStore, type Store } from '@headwater/store'
import { z } from 'zod'
import { childOf, Program } from './test-process.ts'

export const modes = ['logged', 'stored'] as const
export type Mode = (typeof modes)[number]

const runFile = z.object({ apiUrl: z.url(), clickhouseUrl: z.url(), databaseUrl: z.url() })

/** A collector that may be started again at the same address. */
export interface CollectorProcess {
  mode: Mode
  program: Program
  /** Of OTLP/HTTP; holds over restarts. */
  url: string
  /** Where its log is. */
  slot: string
  restart: () => Promise<void>
}

export interface Headwater {
  dataDir: string
  apiUrl: string
  store: Store
  /** With a log of its own; those of one directory are as on one machine, and take over what a dead one leaves. */
  startCollector(mode: Mode, directory?: string): Promise<CollectorProcess>
  /** The engines' process, which comes back by itself. */
  enginesPid(): number
  /** Resolves once ClickHouse answers. */
  enginesAnswer(): Promise<void>
  /** Ends all processes. */
  end(): Promise<void>
  /** Removes the data directory. */
  remove(): void
  /** Both. */
  stop(): Promise<void>
}

const answerWithinMs = 180_000

/** Starts the engines and what reads them. */
export async function startHeadwater(): Promise<Headwater> {
  const dataDir = mkdtempSync(join(tmpdir(), 'headwater-faults-'))
  const up = new Program('up', { HEADWATER_DATA: dataDir }, /Headwater is ready/)
  await up.start()
  const { apiUrl, ...urls } = runFile.parse(JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')))
  const store = connectStore(urls)
  const collectors: CollectorProcess[] = []
  const end = async () => {
    await Promise.all(collectors.map(({ program }) => program.kill()))
    await store.close()
    await up.terminate()
  }
  const remove = () => rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 })
  return {
    dataDir,
    apiUrl,
    store,
    async startCollector(mode, directory = mode) {
      const settings = {
        HEADWATER_DATA: join(dataDir, directory),
        HEADWATER_ACK: mode,
        HEADWATER_OTLP_PORT: String(await lastingPort()),
        CLICKHOUSE_URL: urls.clickhouseUrl,
        DATABASE_URL: urls.databaseUrl,
      }
      const program = new Program('collector', settings, /Send spans to (\S+)\/v1\/traces/)
      const [, url = ''] = await program.start()
      const restart = async () => void (await program.start())
      const collector = { mode, program, url, slot: join(dataDir, directory, 'log', '1'), restart }
      collectors.push(collector)
      return collector
    },
    enginesPid: () => childOf(up.pid, 'embedded/child'),
    async enginesAnswer() {
      const endsAtMs = performance.now() + answerWithinMs
      for (;;) {
        try {
          await store.clickhouse.command({ query: 'SELECT 1', abort_signal: AbortSignal.timeout(5_000) })
          return
        } catch (cause) {
          if (performance.now() > endsAtMs)
            throw new Error(`The engines do not come back: ${up.told.slice(-2_000)}`, { cause })
          await sleep(100)
        }
      }
    },
    end,
    remove,
    async stop() {
      await end()
      remove()
    },
  }
}

/** A free port that the kernel gives to no outgoing connection, so that it is still free after a restart. */
async function lastingPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000)
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ])
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
