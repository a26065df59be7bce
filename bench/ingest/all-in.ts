// The whole way: from requests over HTTP to rows on the disk with their indexes and the index of traces, merged as far as
// ClickHouse merges by itself. Processor time of the receiver and the engine together.

import { join } from 'node:path'
import { settleTick } from '@headwater/store'
import type { Row } from '../bench.ts'
import { type Cost, costOf, mergeUsOf } from './all-in-cost.ts'
import { type Child, startChild } from '../child.ts'
import { type Engine, startEngine } from './engine.ts'
import { median } from '../median.ts'
import { judged, type Part, told } from '../plan.ts'
import type { IngestPlan } from './ingest-plan.ts'
import type { ReceiverKind, ReceiverProgram } from './receiver-program.ts'
import type { SenderProgram } from './sender-program.ts'

const goalKiloSpans = 200
const kinds: ReceiverKind[] = ['logged', 'stored', 'client_insert']
const spansOfRequest = 512
const requestsOfRound = 250
const warmUpRounds = 1
/** Settled in one tick, about as many as the analyzer takes at most. */
const settledSpans = 50_000
const settleRules = { quietMs: 0, openMs: 30_000, closeAfterS: 30 }

/** Measures both acknowledgements and the client's own insert against one another. */
export const allIn: Part<IngestPlan> = async ({ rounds, progress, nodeOptions }) => {
  await using cleanup = new AsyncDisposableStack()
  const engine = await startEngine()
  cleanup.defer(() => engine.stop())
  const sender = await startChild<SenderProgram>('ingest/sender-program.ts')
  cleanup.defer(() => sender.end())
  const receivers: {
    kind: ReceiverKind
    receiver: Child<ReceiverProgram>
    url: string
    costs: (Cost & { mergeUs: number })[]
  }[] = []
  for (const kind of kinds) {
    const receiver = await startChild<ReceiverProgram>(
      'ingest/receiver-program.ts',
      kind === 'client_insert' ? [] : nodeOptions,
    )
    cleanup.defer(() => receiver.end())
    const logDirectory = join(engine.directory, `log-${kind}`)
    const url = await receiver.ask('start', { kind, urls: engine.urls, logDirectory })
    receivers.push({ kind, receiver, url, costs: [] })
  }
  const settleUs: number[] = []
  let seed = 1
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const { kind, receiver, url, costs } of receivers) {
      seed += 1
      const sizes = await sender.ask('make', { count: requestsOfRound, spans: [spansOfRequest], seed })
      await engine.empty()
      await engine.quiet()
      const cost = await costOf({ engine, receiver, sender, url, spans: sizes.spans })
      const mergeUs = await mergeUsOf(engine, sizes.spans)
      if (round < 0) continue
      costs.push({ ...cost, mergeUs })
      if (kind === 'logged') settleUs.push(await measureSettling(engine, round + 1))
    }
    progress(`round ${round + warmUpRounds + 1} of ${rounds + warmUpRounds}`)
  }
  return rowsOf(receivers, settleUs)
}

/** What settling takes of the engine, per span. */
async function measureSettling(engine: Engine, tick: number): Promise<number> {
  const [toMs = 0] = await engine.numbers(
    `SELECT toUnixTimestamp64Milli(max(ReceivedAt)) FROM (SELECT ReceivedAt FROM otel_traces ORDER BY ReceivedAt LIMIT ${settledSpans})`,
  )
  const before = engine.cpuUs()
  const { spans } = await settleTick(engine.store, { tick, fromMs: toMs - 60_000, toMs }, settleRules)
  await engine.quiet()
  return (engine.cpuUs() - before) / spans
}

function rowsOf(
  receivers: readonly { kind: ReceiverKind; costs: (Cost & { mergeUs: number })[] }[],
  settleUs: readonly number[],
): Row[] {
  const middles = receivers.map(({ kind, costs }) => ({
    kind,
    allUs: median(costs.map(({ receiverUs, engineUs }) => receiverUs + engineUs)),
    receiverUs: median(costs.map(({ receiverUs }) => receiverUs)),
    engineUs: median(costs.map(({ engineUs }) => engineUs)),
    mergeUs: median(costs.map(({ mergeUs }) => mergeUs)),
  }))
  const rows = middles.flatMap(({ kind, allUs, receiverUs, engineUs, mergeUs }) => [
    kind === 'client_insert'
      ? told(`rival_all_in_${kind}`, 1_000 / allUs, 'k spans/CPU-s')
      : judged(`all_in_${kind}`, 1_000 / allUs, 'k spans/CPU-s', { atLeast: goalKiloSpans }),
    told(`all_in_${kind}_receiver`, receiverUs, 'µs/span'),
    told(`all_in_${kind}_engine`, engineUs, 'µs/span'),
    told(`all_in_${kind}_merged_to_one_part`, mergeUs, 'µs/span more'),
  ])
  return [...rows, told('all_in_settling', median(settleUs), 'µs/span more')]
}
