// Settling turns raw spans into facts, in SQL, where the rows are. A tick is seven inserts, each deterministic and each
// carrying the token `settle:<tick>:<table>`: whoever repeats a tick after a crash counts nothing twice.
import { readFileSync } from 'node:fs'
import type { Store } from './connect.ts'
import { onceUnder } from './insert-blocks.ts'
import type { Tick } from './ticks.ts'

export interface SettleRules {
  /** A trace is settled once no span of it has come for so long … */
  quietMs: number
  /** … or once its first unsettled span is so old. */
  openMs: number
  /** A minute takes late calls until so long after its end; then it stays as it is. */
  closeAfterS: number
}

const steps = [
  { file: '1-spans.sql', table: 'settled_spans' },
  { file: '2-flows.sql', table: 'settled_flows' },
  { file: '3-tree.sql', table: 'settled_tree' },
  { file: '4-calls.sql', table: 'chain_dependency_events' },
  { file: '5-minutes.sql', table: 'chain_health_metrics' },
  { file: '6-ten-seconds.sql', table: 'chain_health_metrics_10s' },
  { file: '7-runs.sql', table: 'chain_execution_traces' },
].map((step) => ({ ...step, query: readFileSync(new URL(`settle/${step.file}`, import.meta.url), 'utf8') }))

/** Open traces wait up to `openMs`, and a row may show up some time after its `ReceivedAt`. */
const lookBackMs = 90_000

export interface SettleCounts {
  spans: number
  /** Spans whose trace an earlier tick had settled. */
  late: number
}

/** Carries out a recorded tick. May be repeated any number of times, wholly or after any step. */
export async function settleTick(store: Store, tick: Tick, rules: SettleRules): Promise<SettleCounts> {
  const parameters = {
    tick: tick.tick,
    scanFrom: new Date(tick.fromMs - lookBackMs),
    boundary: new Date(tick.toMs),
    closedBefore: new Date(tick.fromMs),
    quietMs: rules.quietMs,
    openMs: rules.openMs,
    closeAfterS: rules.closeAfterS,
  }
  for (const [index, { query, table }] of steps.entries()) {
    await store.clickhouse.command({
      query,
      query_params: parameters,
      clickhouse_settings: {
        ...onceUnder(`settle:${tick.tick}:${table}`),
        // The token goes by the chunks that the rows come in: sorted rows come in one, however many threads made them.
        max_block_size: '1000000000',
        // The columns of a source win over the aliases that replace them.
        prefer_column_name_to_alias: 1,
      },
    })
    if (index === 0 && (await countTick(store, tick.tick)).spans === 0) return { spans: 0, late: 0 }
  }
  return await countTick(store, tick.tick)
}

async function countTick(store: Store, tick: number): Promise<SettleCounts> {
  const answer = await store.clickhouse.query({
    query:
      'SELECT countIf(Fresh) AS spans, countIf(Fresh AND Late) AS late FROM settled_spans WHERE Tick = {tick:UInt64}',
    query_params: { tick },
    format: 'JSONEachRow',
  })
  const [counts] = await answer.json<SettleCounts>()
  return counts ?? { spans: 0, late: 0 }
}
