// A real ClickHouse in a temporary directory, with our schema; its processor time is that of its process.

import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { startEngines } from '@headwater/embedded'
import { connectStore, migrateClickHouse, type Store, type StoreUrls } from '@headwater/store'
import { cpuUsOf } from '../usage.ts'

export interface Engine {
  urls: StoreUrls
  store: Store
  /** A directory that goes with the engine, unless it was given. */
  directory: string
  pid: number
  cpuUs(): number
  /** Resolves once the engine has nothing to do: no insert, no merge; or when it still had after so long. */
  quiet(withinMs?: number): Promise<void>
  run(query: string): Promise<void>
  /** The numbers of the only row of an answer. */
  numbers(query: string): Promise<number[]>
  /** Removes what was stored by the collector. */
  empty(): Promise<void>
  stop(): Promise<void>
}

const lookEveryMs = 150
/** Ticks of its clock that the engine uses for nothing in that time. */
const idleUs = 10_000
const quietLooks = 4
const quietWithinMs = 120_000
/** A start takes seconds; where other work has the machine, minutes. */
const startsWithinMs = 600_000

/** Starts the engine and makes the tables: in a directory that stays, or in one that goes with the engine. */
export async function startEngine({ keptIn }: { keptIn?: string | undefined } = {}): Promise<Engine> {
  const directory = keptIn ?? (await mkdtemp(join(tmpdir(), 'headwater-bench-')))
  const removeAtExit = (): void => {
    if (keptIn === undefined) rmSync(directory, { recursive: true, force: true })
  }
  process.once('exit', removeAtExit)
  const engines = await startEngines({ dataDir: join(directory, 'engines'), startMaxMs: startsWithinMs })
  const { clickhouseUrl, databaseUrl } = engines
  const store = connectStore({ clickhouseUrl, databaseUrl })
  const pid = engines.pid()
  if (pid === undefined) throw new Error('Cannot measure the engine: its process ended')

  const run = async (query: string): Promise<void> => {
    await store.clickhouse.command({ query })
  }
  const numbers = async (query: string): Promise<number[]> => {
    const answer = await store.clickhouse.query({ query, format: 'JSONCompactEachRow' })
    const [row] = await answer.json<(number | string)[]>()
    return (row ?? []).map(Number)
  }
  async function stop(): Promise<void> {
    await store.close()
    await engines.stop()
    process.off('exit', removeAtExit)
    if (keptIn === undefined) await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await migrateClickHouse(clickhouseUrl)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    urls: { clickhouseUrl, databaseUrl },
    store,
    directory,
    pid,
    cpuUs: () => cpuUsOf(pid),
    async quiet(withinMs = quietWithinMs) {
      const endMs = performance.now() + withinMs
      let last = cpuUsOf(pid)
      for (let looks = 0; looks < quietLooks && performance.now() < endMs;) {
        await wait(lookEveryMs)
        const now = cpuUsOf(pid)
        looks = now - last <= idleUs ? looks + 1 : 0
        last = now
        // A merge gives way to all other work on the machine, and then looks like none.
        if (looks === quietLooks && (await numbers('SELECT count() FROM system.merges'))[0] !== 0) looks = 0
      }
    },
    run,
    numbers,
    async empty() {
      for (const table of ['otel_traces', 'otel_traces_trace_id_ts', 'collector_ledger', 'settled_spans']) {
        await run(`TRUNCATE TABLE IF EXISTS ${table} SYNC`)
      }
    },
    stop,
  }
}
