// Does a span cost the same whatever is there already? The collector and the engine together.

import { join } from 'node:path'
import type { Row } from '../bench.ts'
import { type Cost, costOf } from './all-in-cost.ts'
import { type Child, startChild } from '../child.ts'
import { type Engine, startEngine } from './engine.ts'
import type { IngestPlan } from './ingest-plan.ts'
import { median } from '../median.ts'
import { judged, type Part, told } from '../plan.ts'
import type { ReceiverProgram } from './receiver-program.ts'
import type { SenderProgram } from './sender-program.ts'

/** Flat is what costs at most so much more at the end. */
const goalTimes = 1.25
const pairsOf = [1_000, 10_000, 100_000]
const spansOfRequest = 512
const requestsOfRound = 250
/** Spans that are copied to fill the tables, and how often one statement copies them. */
const samples = 100_000
const copiesAtOnce = 10

/** A collector with an engine of its own. */
interface Pair {
  engine: Engine
  receiver: Child<ReceiverProgram>
  url: string
}

/** With more and more services × operations. */
export const growthByPairs: Part<IngestPlan> = async ({ rounds, progress, nodeOptions }) => {
  await using cleanup = new AsyncDisposableStack()
  const measure = await measureWith(cleanup)
  const target = await startPair(cleanup, nodeOptions)
  const levels = pairsOf.map((pairs) => ({ pairs, costs: [] as Cost[] }))
  await measure(target)
  for (let round = 0; round < rounds; round += 1) {
    for (const { pairs, costs } of levels) {
      await target.engine.empty()
      costs.push(await measure(target, pairs))
    }
    progress(`round ${round + 1} of ${rounds}`)
  }
  return levels.flatMap(({ pairs, costs }, index) =>
    levelRows(`growth_${pairs / 1_000}k_pairs`, costs, index === 0 ? undefined : levels[0]?.costs),
  )
}

/**
 * With more and more stored spans, by turns with tables that are empty, so that what others do on the machine meanwhile falls on
 * both.
 */
export const growthByStored: Part<IngestPlan> = async ({ rounds, progress, nodeOptions, storedMillions }) => {
  await using cleanup = new AsyncDisposableStack()
  const measure = await measureWith(cleanup)
  const full = await startPair(cleanup, nodeOptions)
  const empty = await startPair(cleanup, nodeOptions)
  await measure(empty)
  await measure(full)
  const rows: Row[] = []
  for (const millions of storedMillions) {
    await fill(full.engine, millions * 1_000_000)
    progress(`${millions} million spans are stored`)
    const costs: { full: Cost[]; empty: Cost[] } = { full: [], empty: [] }
    for (let round = 0; round < rounds; round += 1) {
      await empty.engine.empty()
      costs.empty.push(await measure(empty))
      costs.full.push(await measure(full))
    }
    rows.push(
      ...levelRows(`growth_0M_stored_beside_${millions}M`, costs.empty),
      ...levelRows(`growth_${millions}M_stored`, costs.full, costs.empty),
    )
  }
  return rows
}

async function startPair(cleanup: AsyncDisposableStack, nodeOptions: readonly string[]): Promise<Pair> {
  const engine = await startEngine()
  cleanup.defer(() => engine.stop())
  const receiver = await startChild<ReceiverProgram>('ingest/receiver-program.ts', nodeOptions)
  cleanup.defer(() => receiver.end())
  const logDirectory = join(engine.directory, 'log')
  return { engine, receiver, url: await receiver.ask('start', { kind: 'logged', urls: engine.urls, logDirectory }) }
}

/** Sends a round of new spans and tells what one cost. */
async function measureWith(cleanup: AsyncDisposableStack): Promise<(target: Pair, pairs?: number) => Promise<Cost>> {
  const sender = await startChild<SenderProgram>('ingest/sender-program.ts')
  cleanup.defer(() => sender.end())
  let seed = 1
  return async (target, pairs) => {
    seed += 1
    const bodies = { count: requestsOfRound, spans: [spansOfRequest], seed, ...(pairs === undefined ? {} : { pairs }) }
    const { spans } = await sender.ask('make', bodies)
    await target.engine.quiet()
    return await costOf({ ...target, sender, spans })
  }
}

/** What a span costs at a level, and how many times as much as at the first one. */
function levelRows(id: string, costs: readonly Cost[], first?: readonly Cost[]): Row[] {
  const allUs = (some: readonly Cost[]): number => median(some.map(({ receiverUs, engineUs }) => receiverUs + engineUs))
  const parts = [
    told(`${id}_collector`, median(costs.map(({ receiverUs }) => receiverUs)), 'µs/span'),
    told(`${id}_engine`, median(costs.map(({ engineUs }) => engineUs)), 'µs/span'),
  ]
  return first === undefined
    ? parts
    : [judged(id, allUs(costs) / allUs(first), '× the first', { atMost: goalTimes }), ...parts]
}

/** Stores copies of real spans, each with ids of its own, spread over the hours before, until there are so many. */
async function fill(engine: Engine, spans: number): Promise<void> {
  await engine.run(
    `CREATE TABLE IF NOT EXISTS samples ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM otel_traces LIMIT ${samples}`,
  )
  const stored = async (): Promise<number> => (await engine.numbers('SELECT count() FROM otel_traces'))[0] ?? 0
  for (let have = await stored(), before = -1; have < spans; before = have, have = await stored()) {
    if (have === before) throw new Error(`Cannot store more than ${have} spans: the engine has no memory left`)
    // Small blocks, so that the copies of one fit into what a query may take.
    const copy = engine.run(`
      INSERT INTO otel_traces
      SELECT * EXCEPT (copy) REPLACE (
        Timestamp - toIntervalSecond(rand(1) % 36000) AS Timestamp,
        lower(hex(sipHash128(TraceId, copy, ${have}))) AS TraceId,
        lower(hex(sipHash64(SpanId, copy, ${have}))) AS SpanId)
      FROM samples ARRAY JOIN range(${copiesAtOnce}) AS copy
      SETTINGS max_threads = 1, max_block_size = 2048, min_insert_block_size_rows = 30000, min_insert_block_size_bytes = 0`)
    // Merges of what came before may leave it no memory; what it has stored by then stays.
    await copy.catch(async (cause: unknown) => {
      if (!String(cause).includes('memory limit exceeded')) throw cause
      await engine.quiet()
    })
  }
  await engine.quiet()
}
