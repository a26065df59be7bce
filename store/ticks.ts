import { type Kysely, sql } from 'kysely'
import type { Store } from './connect.ts'
import { type Lease, LeaseLost } from './lease.ts'
import type { Database } from './postgres.ts'

/** One round of settling: the arrivals that it looks at. Recorded before its first insert. */
export interface Tick {
  tick: number
  /** The boundary of the tick before: windows that it closed stay closed. */
  fromMs: number
  /** Arrivals up to this. The watermark once the tick is done. */
  toMs: number
  /** More has arrived than one tick takes: the next one has work at once. */
  isCutShort?: boolean
}

export interface TickLimits {
  /** How long a trace has to be quiet before it is settled. */
  quietMs: number
  /** Spans that grow quiet in one tick, roughly: what a tick takes is held in memory, and a tick that fails fails again. */
  spansMax?: number
}

/** A tick after a long absence takes at most so much, then the next one follows. */
const spanOfTickMs = 300_000
/** A quarter of what fits into the 420 MiB that the embedded engine gives a query. */
const tickSpansMax = 50_000
/** What was received less than this ago may not be visible yet. */
const visibleAfterMs = 1_000

/** The unfinished tick, else the next one, recorded. `undefined` when nothing has arrived yet or too little time has passed. */
export async function beginTick(store: Store, lease: Lease, limits: TickLimits): Promise<Tick | undefined> {
  const last = await lastTick(store.postgres)
  if (last !== undefined && !last.isDone) return last.tick
  const nowMs = await clickhouseNowMs(store)
  const startMs = last === undefined ? await firstArrivalMs(store) : last.tick.toMs
  if (startMs === undefined) return undefined
  const wishedMs = Math.min(nowMs - visibleAfterMs, startMs + spanOfTickMs)
  if (wishedMs <= startMs) return undefined
  const fullMs = await fullAtMs(store, { fromMs: startMs, toMs: wishedMs, ...limits })
  // One instant cannot be divided, however much arrived in it.
  const toMs = fullMs === undefined ? wishedMs : Math.min(wishedMs, Math.max(fullMs, startMs + 1))
  const tick = { tick: (last?.tick.tick ?? 0) + 1, fromMs: startMs, toMs }
  const { numAffectedRows } = await sql`
    INSERT INTO settle_ticks (tick, from_boundary, boundary, done, epoch)
    SELECT ${tick.tick}, ${new Date(tick.fromMs)}, ${new Date(tick.toMs)}, false, ${lease.epoch}
    WHERE EXISTS (SELECT 1 FROM leases WHERE name = 'analyzer' AND epoch = ${lease.epoch})
    ON CONFLICT (tick) DO NOTHING`.execute(store.postgres)
  if (numAffectedRows === 0n) throw new LeaseLost(lease.epoch)
  return toMs < nowMs - visibleAfterMs ? { ...tick, isCutShort: true } : tick
}

/** Moves the watermark. */
export async function finishTick(
  postgres: Kysely<Database>,
  lease: Lease,
  { tick }: Tick,
  counts: { spans: number; late: number },
): Promise<void> {
  const { numAffectedRows } = await sql`
    UPDATE settle_ticks SET done = true, spans = ${counts.spans}, late = ${counts.late}
    WHERE tick = ${tick} AND EXISTS (SELECT 1 FROM leases WHERE name = 'analyzer' AND epoch = ${lease.epoch})`.execute(
    postgres,
  )
  if (numAffectedRows === 0n) throw new LeaseLost(lease.epoch)
  await sql`DELETE FROM settle_ticks WHERE done AND tick < ${tick - 1_000}`.execute(postgres)
}

/** How far settling has come: all that arrived before is settled, or waits for its trace to grow quiet. */
export async function watermarkMs(postgres: Kysely<Database>): Promise<number | undefined> {
  const row = await postgres
    .selectFrom('settle_ticks')
    .select('boundary')
    .where('done', '=', true)
    .orderBy('tick', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.boundary.getTime()
}

async function lastTick(postgres: Kysely<Database>): Promise<{ tick: Tick; isDone: boolean } | undefined> {
  const row = await postgres.selectFrom('settle_ticks').selectAll().orderBy('tick', 'desc').limit(1).executeTakeFirst()
  if (row === undefined) return undefined
  const tick = { tick: Number(row.tick), fromMs: row.from_boundary.getTime(), toMs: row.boundary.getTime() }
  return { tick, isDone: row.done }
}

async function clickhouseNowMs(store: Store): Promise<number> {
  const answer = await store.clickhouse.query({
    query: 'SELECT toUnixTimestamp64Milli(now64(3)) AS nowMs',
    format: 'JSONEachRow',
  })
  const [row] = await answer.json<{ nowMs: number }>()
  if (row === undefined) throw new Error('Cannot read the clock of ClickHouse: it gave no row')
  return row.nowMs
}

/** When so many spans as a tick takes will have grown quiet; `undefined` when fewer will. */
async function fullAtMs(
  store: Store,
  { fromMs, toMs, quietMs, spansMax = tickSpansMax }: TickLimits & { fromMs: number; toMs: number },
): Promise<number | undefined> {
  const answer = await store.clickhouse.query({
    query: `
      SELECT toUnixTimestamp64Milli(ReceivedAt) AS atMs FROM otel_traces
      WHERE ReceivedAt > {from:DateTime64(3)} AND ReceivedAt <= {to:DateTime64(3)}
      ORDER BY ReceivedAt LIMIT 1 OFFSET {spansMax:UInt32}`,
    query_params: { from: new Date(fromMs - quietMs), to: new Date(toMs - quietMs), spansMax },
    format: 'JSONEachRow',
  })
  const [row] = await answer.json<{ atMs: number }>()
  return row && row.atMs + quietMs
}

async function firstArrivalMs(store: Store): Promise<number | undefined> {
  const answer = await store.clickhouse.query({
    query: 'SELECT toUnixTimestamp64Milli(min(ReceivedAt)) - 1 AS firstMs, count() AS spans FROM otel_traces',
    format: 'JSONEachRow',
  })
  const [row] = await answer.json<{ firstMs: number; spans: number }>()
  return row === undefined || row.spans === 0 ? undefined : row.firstMs
}
