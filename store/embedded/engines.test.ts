import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { Pool } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { startEngines, type EngineEvent, type Engines } from './engines.ts'

const root = mkdtempSync(join(tmpdir(), 'headwater-engines-'))
const dataDir = join(root, 'data')
afterAll(() => rmSync(root, { recursive: true, force: true }))

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function untilDead(pid: number | undefined): Promise<void> {
  await expect.poll(() => pid !== undefined && isAlive(pid), { timeout: 10_000, interval: 20 }).toBe(false)
}

function connect({ clickhouseUrl, databaseUrl }: Pick<Engines, 'clickhouseUrl' | 'databaseUrl'>) {
  const clickhouse = createClient({ url: clickhouseUrl, log: { level: ClickHouseLogLevel.OFF } })
  const postgres = new Pool({ connectionString: databaseUrl })
  postgres.on('error', () => undefined)
  return {
    clickhouse,
    postgres,
    async counts() {
      const result = await clickhouse.query({ query: 'SELECT count() AS n FROM t', format: 'JSONEachRow' })
      const [row] = await result.json<{ n: number | string }>()
      const { rows } = await postgres.query<{ n: number }>('SELECT count(*)::int AS n FROM t')
      return [Number(row?.n), rows[0]?.n]
    },
    async close() {
      await Promise.all([clickhouse.close(), postgres.end()])
    },
  }
}

test('the first start makes everything, a stop keeps it, the next start finds it', async () => {
  const first = await startEngines({ dataDir })
  const clients = connect(first)
  await clients.clickhouse.command({ query: 'CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a' })
  await clients.clickhouse.insert({ table: 't', values: [{ a: 1 }], format: 'JSONEachRow' })
  await clients.postgres.query('CREATE TABLE t (a int)')
  await clients.postgres.query('INSERT INTO t VALUES (1)')
  await clients.close()
  const pid = first.pid()
  await first.stop()
  await untilDead(pid)
  expect(first.pid()).toBeUndefined()

  const second = await startEngines({ dataDir })
  const again = connect(second)
  expect(await again.counts()).toEqual([1, 1])
  expect(second.clickhouseUrl).not.toBe(first.clickhouseUrl)
  await again.close()
  await second.stop()
})

test('a crash is a restart behind the same URLs, with everything that was acknowledged', async () => {
  const events: EngineEvent[] = []
  const engines = await startEngines({ dataDir, onEvent: (event) => events.push(event) })
  const clients = connect(engines)
  for (let crash = 1; crash <= 2; crash += 1) {
    await clients.clickhouse.insert({ table: 't', values: [{ a: crash }], format: 'JSONEachRow' })
    await clients.postgres.query('INSERT INTO t VALUES ($1)', [crash])
    const running = clients.clickhouse.query({ query: 'SELECT sleep(3)' }).catch((error: unknown) => error)
    process.kill(engines.pid() ?? 0, 'SIGKILL')
    expect(await running).toBeInstanceOf(Error)
    await expect
      .poll(() => clients.counts().catch(() => 'down'), { timeout: 15_000, interval: 50 })
      .toEqual([1 + crash, 1 + crash])
    expect(engines.restarts()).toBe(crash)
  }
  expect(events.map(({ type }) => type)).toEqual([
    'started',
    ...Array.from({ length: 2 }, () => ['exited', 'restarting', 'started']).flat(),
  ])
  expect(events[1]).toMatchObject({ reason: 'SIGKILL' })
  await clients.close()
  await engines.stop()
  expect(events.at(-1)).toMatchObject({ type: 'stopped' })
})

test('a stop during queries kills them and is quick', async () => {
  const engines = await startEngines({ dataDir })
  const clients = connect(engines)
  const query = 'SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))'
  const running = Array.from({ length: 12 }, () => clients.clickhouse.query({ query }).catch((error: unknown) => error))
  const transaction = await clients.postgres.connect()
  transaction.on('error', () => undefined)
  await transaction.query('BEGIN')
  await new Promise((resolve) => setTimeout(resolve, 300))
  const startedAt = performance.now()
  await engines.stop()
  expect(performance.now() - startedAt).toBeLessThan(4_000)
  expect((await Promise.all(running)).every((answer) => answer instanceof Error)).toBe(true)
  transaction.release(true)
  await clients.close()
})

test('a stop while the engines are down ends the restarting', async () => {
  const events: string[] = []
  const engines = await startEngines({ dataDir, onEvent: ({ type }) => events.push(type) })
  const pid = engines.pid() ?? 0
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => events).toContain('restarting')
  await engines.stop()
  expect(engines.pid()).toBeUndefined()
  expect(events.at(-1)).toBe('stopped')
})

test('the engines ignore the signals of the terminal and the service manager', async () => {
  const engines = await startEngines({ dataDir })
  const pid = engines.pid() ?? 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(pid, signal)
  const clients = connect(engines)
  expect((await clients.counts()).length).toBe(2)
  expect(engines.pid()).toBe(pid)
  await clients.close()
  await engines.stop()
})

test('the engines end with their parent, however it ends, and the next parent starts', async () => {
  const program = join(root, 'parent.mjs')
  const source = JSON.stringify(new URL('./index.ts', import.meta.url).href)
  writeFileSync(
    program,
    `import { startEngines } from ${source}
     const engines = await startEngines({ dataDir: ${JSON.stringify(dataDir)} })
     process.send(engines.pid())`,
  )
  const parent = fork(program, [], { execArgv: [] })
  const [pid] = (await once(parent, 'message')) as [number]
  expect(isAlive(pid)).toBe(true)
  parent.kill('SIGKILL')
  // At once, while the engines of the killed parent still end.
  const engines = await startEngines({ dataDir })
  await untilDead(pid)
  const clients = connect(engines)
  expect(await clients.counts()).toEqual([3, 3])
  await clients.close()
  await engines.stop()
})

test('a directory that other engines have open is refused with a reason', async () => {
  const engines = await startEngines({ dataDir })
  await expect(startEngines({ dataDir })).rejects.toThrow(`another process has them open in ${dataDir}`)
  expect(engines.pid()).toBeDefined()
  await engines.stop()
})

test('a port that someone took during a crash is waited for', async () => {
  const events: EngineEvent[] = []
  const engines = await startEngines({ dataDir, onEvent: (event) => events.push(event) })
  const port = Number(new URL(engines.databaseUrl).port)
  process.kill(engines.pid() ?? 0, 'SIGKILL')
  const squatter = createServer()
  await expect
    .poll(
      () =>
        new Promise((resolve) => squatter.once('error', resolve).listen(port, '127.0.0.1', () => resolve('listens'))),
    )
    .toBe('listens')
  await expect.poll(() => events.filter(({ type }) => type === 'exited').length, { timeout: 10_000 }).toBeGreaterThan(1)
  squatter.close()
  const clients = connect(engines)
  await expect.poll(() => clients.counts().catch(() => 'down'), { timeout: 15_000, interval: 50 }).toEqual([3, 3])
  await clients.close()
  await engines.stop()
})
