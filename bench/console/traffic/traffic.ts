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

/** Repeats the last `ofMs` of what was written once for each of that length before it: `times` altogether, the last among them. */
export async function repeatEarlier(
  store: Store,
  { untilMs, ofMs, times }: { untilMs: number; ofMs: number; times: number },
  /** After each. */
  then: (done: number) => Promise<void> | void,
): Promise<void> {
  for (let before = 1; before < times; before += 1) {
    for (const query of earlierQueries.split(';')) {
      await write(store, query, { minutes: (before * ofMs) / minuteMs, since: new Date(untilMs - ofMs) })
    }
    await then(before + 1)
  }
}

/** The embedded engine gives a query 420 MiB, and wants to have a million rows of an insert together. */
async function write(store: Store, query: string, parameters: Record<string, unknown>): Promise<void> {
  await store.clickhouse.command({
    query,
    query_params: parameters,
    clickhouse_settings: {
      max_threads: 1,
      max_block_size: '16384',
      min_insert_block_size_rows: '50000',
      min_insert_block_size_bytes: '25000000',
    },
  })
}
