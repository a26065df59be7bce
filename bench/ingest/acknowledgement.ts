// How long senders wait for their acknowledgement at a steady load, with everything on the same two cores: senders, collector
// and engine.

import { join } from 'node:path'
import type { Row } from '../bench.ts'
import { startChild } from '../child.ts'
import { startEngine } from './engine.ts'
import type { IngestPlan } from './ingest-plan.ts'
import { judged, type Part, told } from '../plan.ts'
import type { ReceiverProgram } from './receiver-program.ts'
import type { SenderProgram } from './sender-program.ts'
import { usedBetween, waitedMsOf } from '../usage.ts'

const goalMs = 100
const spansPerSecond = 20_000
const spansOfRequest = 512
const warmUpMs = 5_000
const connectionsMax = 64

/** Measures both acknowledgements, one after the other. */
export const acknowledgement: Part<IngestPlan> = async ({ progress, nodeOptions, forMs }) => {
  const rows: Row[] = []
  for (const kind of ['logged', 'stored'] as const) {
    await using cleanup = new AsyncDisposableStack()
    const engine = await startEngine()
    cleanup.defer(() => engine.stop())
    const receiver = await startChild<ReceiverProgram>('ingest/receiver-program.ts', nodeOptions)
    cleanup.defer(() => receiver.end())
    const sender = await startChild<SenderProgram>('ingest/sender-program.ts')
    cleanup.defer(() => sender.end())
    const url = await receiver.ask('start', { kind, urls: engine.urls, logDirectory: join(engine.directory, 'log') })
    const requestsPerSecond = spansPerSecond / spansOfRequest
    const loop = { url, requestsPerSecond, connectionsMax, underWayMax: 2_000 }
    const make = async (ms: number, seed: number): Promise<void> => {
      const count = Math.ceil((requestsPerSecond * ms) / 1_000)
      await sender.ask('make', { count, spans: [spansOfRequest], seed })
    }
    await make(warmUpMs, 1)
    await sender.ask('sendOpenLoop', { ...loop, forMs: warmUpMs })
    await make(forMs, 2)
    await engine.quiet()
    const before = await receiver.ask('usage', undefined)
    const engineBefore = engine.cpuUs()
    const waitedBefore = waitedMsOf(receiver.pid)
    const report = await sender.ask('sendOpenLoop', { ...loop, forMs })
    const { cpuUs } = usedBetween(before, await receiver.ask('usage', undefined))
    const waitedMs = waitedMsOf(receiver.pid) - waitedBefore
    const engineUs = engine.cpuUs() - engineBefore
    progress(`${kind}: ${JSON.stringify(report)}`)
    const others = Object.entries(report.outcomes).filter(([outcome]) => outcome !== '200')
    rows.push(
      judged(`ack_p99_${kind}`, report.latency.p99, 'ms', { atMost: goalMs }),
      told(`ack_p50_${kind}`, report.latency.p50, 'ms'),
      told(`ack_max_${kind}`, report.latency.max, 'ms'),
      told(
        `ack_not_taken_${kind}`,
        others.reduce((sum, [, count]) => sum + count, report.notSent),
        'requests',
      ),
      told(`ack_collector_${kind}`, cpuUs / report.spansTaken, 'µs/span'),
      told(`ack_engine_${kind}`, engineUs / report.spansTaken, 'µs/span'),
      told(`ack_collector_waited_${kind}`, waitedMs / report.tookMs, 'of the time for a core that others had'),
    )
  }
  return rows
}
