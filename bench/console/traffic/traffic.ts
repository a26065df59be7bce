// What a shop of 200 services sends, written straight into the store by the engine itself, and settled by the product's own
// settling. More of the past is the same again, under other IDs.

import { readFileSync } from 'node:fs'
import { type Store, settleTick } from '@headwater/store'

const [spansQuery, logsQuery, earlierQueries] = ['spans', 'logs', 'earlier'].map((name) =>
  readFileSync(new URL(`${name}.sql`, import.meta.url), 'utf8'),
) as [string, string, string]

export const spansATrace = 10
const minuteMs = 60_000
/** As many spans as the product settles in one tick. */
const tickSpansMax = 50_000
const rules = { quietMs: 5_000, openMs: 30_000, closeAfterS: 15 }

/** Traces that began evenly in the time before a moment. */
export interface Traffic {
  traces: number
  untilMs: number
  forMs: number
}

/** Writes spans and logs, and settles them tick by tick as if they came as they began. */
export async function writeTraffic(store: Store, { traces, untilMs, forMs }: Traffic): Promise<void> {
  const parameters = { traces, until: new Date(untilMs), forMs }
  await write(store, spansQuery, parameters)
  await write(store, logsQuery, parameters)
  const ticks = Math.ceil((traces * spansATrace) / tickSpansMax)
  // The last spans end and grow quiet after the last has begun.
  const [fromMs, toMs] = [untilMs - forMs, untilMs + rules.openMs + rules.quietMs]
  const boundary = (tick: number): number => Math.round(fromMs + ((toMs - fromMs) * tick) / ticks)
  for (let tick = 1; tick <= ticks; tick += 1) {
    await settleTick(store, { tick, fromMs: boundary(tick - 1), toMs: boundary(tick) }, rules)
  }
}

export interface Repeated {
  untilMs: number
  ofMs: number
  times: number
  /** Resolves once no merge takes memory. */
  merged: () => Promise<void>
}

/** Repeats the last `ofMs` of what was written once for each of that length before it: `times` altogether, the last among them. */
export async function repeatEarlier(
  store: Store,
  { untilMs, ofMs, times, merged }: Repeated,
  /** After each. */
  then: (done: number) => Promise<void> | void,
): Promise<void> {
  const pieces = await piecesOf(store, { untilMs, ofMs })
  for (let before = 1; before < times; before += 1) {
    for (const { fromMs, toMs } of pieces) {
      for (const query of earlierQueries.split(';')) {
        const parameters = { minutes: (before * ofMs) / minuteMs, since: new Date(fromMs), until: new Date(toMs) }
        await writeOnce(store, { query, parameters, merged })
      }
    }
    await then(before + 1)
  }
}

/** Of a block, which is stored wholly or not at all. */
const blockSpansMax = 50_000

/** Whole minutes, with about as many spans as a block has. The last holds what went on after the time was over, too. */
async function piecesOf(
  store: Store,
  { untilMs, ofMs }: Pick<Repeated, 'untilMs' | 'ofMs'>,
): Promise<{ fromMs: number; toMs: number }[]> {
  const answer = await store.clickhouse.query({
    query: 'SELECT count() AS spans FROM otel_traces WHERE Timestamp > {since:DateTime64(3)}',
    query_params: { since: new Date(untilMs - ofMs) },
    format: 'JSONEachRow',
  })
  const [{ spans } = { spans: 0 }] = await answer.json<{ spans: number }>()
  const pieceMs = Math.max(1, Math.floor((ofMs * blockSpansMax) / spans / minuteMs)) * minuteMs
  return Array.from({ length: Math.ceil(ofMs / pieceMs) }, (_, piece) => {
    const fromMs = untilMs - ofMs + piece * pieceMs
    const toMs = fromMs + pieceMs
    return { fromMs, toMs: toMs >= untilMs ? untilMs + ofMs : toMs }
  })
}

/** Before an insert that found no memory is given up. */
const triesMax = 10
const memoryLimitExceeded = '241'

/** Stores one block, in the end: merges and an insert may want more than the 700 MB that the embedded engine has. */
async function writeOnce(
  store: Store,
  { query, parameters, merged }: { query: string; parameters: Record<string, unknown> } & Pick<Repeated, 'merged'>,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await write(store, query, parameters, {
        min_insert_block_size_rows: '100000000',
        min_insert_block_size_bytes: '0',
      })
      return
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code !== memoryLimitExceeded || tries === triesMax) throw error
      await merged()
    }
  }
}

/** The embedded engine gives a query 420 MiB, and wants to have a million rows of an insert together. */
async function write(
  store: Store,
  query: string,
  parameters: Record<string, unknown>,
  settings: Readonly<Record<string, string>> = {
    min_insert_block_size_rows: '50000',
    min_insert_block_size_bytes: '25000000',
  },
): Promise<void> {
  await store.clickhouse.command({
    query,
    query_params: parameters,
    clickhouse_settings: { max_threads: 1, max_block_size: '16384', ...settings },
  })
}
