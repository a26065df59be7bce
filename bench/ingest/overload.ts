// Three times as much as the collector can take, from senders who come again whatever they are told: is its memory bounded, does
// it answer, and does it take live requests at once when the others have gone?

import { join } from 'node:path'
import type { Row } from '../bench.ts'
import { type Child, startChild } from '../child.ts'
import { type Engine, startEngine } from './engine.ts'
import { slopeOf } from '../least-squares.ts'
import { judged, type Part, told } from '../plan.ts'
import type { IngestPlan } from './ingest-plan.ts'
import type { ReceiverProgram } from './receiver-program.ts'
import type { SentOpenLoop } from './sender.ts'
import type { SenderProgram } from './sender-program.ts'
import { rssBytesOf } from '../usage.ts'

const goals = { rssMB: 300, slopeMBPerMinute: 10, liveMs: 1_000 }
const times = 3
const capacityMs = 5_000
const sampleEveryMs = 100
const connectionsMax = 256
const underWayMax = 1_024
/** From a few spans to some thousands. */
const sizes = [10, 100, 512, 512, 512, 2_000, 5_000]
const bodies = 140
/** Small enough that the log fills, too. */
const logMax = '1GB'
/** Requests under way at once while it is measured what the collector can take. */
const lanes = 32

/** Measures with an engine that works, and with one that is stopped. */
export const overload: Part<IngestPlan> = async (plan) => [
  ...(await measure(plan, 'overload', false)),
  ...(await measure(plan, 'overload_stalled', true)),
]

async function measure({ progress, nodeOptions, forMs }: IngestPlan, name: string, isStalled: boolean): Promise<Row[]> {
  await using cleanup = new AsyncDisposableStack()
  const engine = await startEngine()
  cleanup.defer(() => engine.stop())
  const receiver = await startChild<ReceiverProgram>('ingest/receiver-program.ts', nodeOptions)
  cleanup.defer(() => receiver.end())
  const sender = await startChild<SenderProgram>('ingest/sender-program.ts')
  cleanup.defer(() => sender.end())
  const url = await receiver.ask('start', {
    kind: 'logged',
    urls: engine.urls,
    logDirectory: join(engine.directory, 'log'),
    logMax,
  })
  const { spans } = await sender.ask('make', { count: bodies, spans: sizes, seed: 1 })
  const requestsPerSecond = await capacityOf(sender, url)
  progress(`${name}: takes ${Math.round((requestsPerSecond * spans) / bodies)} spans a second`)

  const resume = (): void => void process.kill(engine.pid, 'SIGCONT')
  cleanup.defer(resume)
  // A stopped process outlives whoever stopped it.
  process.once('exit', resume)
  cleanup.defer(() => void process.off('exit', resume))
  if (isStalled) process.kill(engine.pid, 'SIGSTOP')
  const startBytes = rssBytesOf(receiver.pid)
  const samples: { atMs: number; bytes: number }[] = []
  const sampling = setInterval(
    () => samples.push({ atMs: performance.now(), bytes: rssBytesOf(receiver.pid) }),
    sampleEveryMs,
  )
  const report = await sender
    .ask('sendOpenLoop', {
      url,
      requestsPerSecond: requestsPerSecond * times,
      forMs,
      connectionsMax,
      underWayMax,
    })
    .finally(() => clearInterval(sampling))
  if (isStalled) resume()
  progress(`${name}: ${JSON.stringify({ ...report, memory: await receiver.ask('memory', undefined) })}`)

  // One that was never overloaded would be answered at once; with a full log, as soon as the engine has taken a part of it.
  const liveMs = await untilTaken(sender, url)
  await receiver.ask('idle', undefined)
  const MB = 1_000_000
  return [
    judged(`${name}_rss_max`, Math.max(...samples.map(({ bytes }) => bytes)) / MB, 'MB', { atMost: goals.rssMB }),
    told(`${name}_rss_before`, startBytes / MB, 'MB'),
    judged(
      `${name}_rss_slope`,
      (slopeOf(samples.slice(samples.length / 2).map(({ atMs, bytes }) => ({ x: atMs, y: bytes }))).slope * 60_000) /
        MB,
      'MB/min in the second half',
      {
        atMost: goals.slopeMBPerMinute,
      },
    ),
    { id: `${name}_answers`, value: answersOf(report), unit: 'requests by answer' },
    told(`${name}_taken`, report.spansTaken / (report.tookMs / 1_000) / 1_000, 'k spans/s'),
    judged(`${name}_live_after`, liveMs, 'ms until a live request is taken', { atMost: goals.liveMs }),
    await ledgerRow(engine, url, name),
  ]
}

/** Requests a second when each waits for the one before. */
async function capacityOf(sender: Child<SenderProgram>, url: string): Promise<number> {
  await sender.ask('send', { url, times: 2, lanes })
  let requests = 0
  const startMs = performance.now()
  while (performance.now() - startMs < capacityMs) {
    await sender.ask('send', { url, times: 1, lanes })
    requests += bodies
  }
  return requests / ((performance.now() - startMs) / 1_000)
}

async function untilTaken(sender: Child<SenderProgram>, url: string): Promise<number> {
  const startMs = performance.now()
  while (performance.now() - startMs < 60_000) {
    const { outcomes } = await sender.ask('sendOpenLoop', {
      url,
      requestsPerSecond: 100,
      forMs: 10,
      connectionsMax: 1,
      underWayMax: 1,
    })
    if (outcomes[200] === 1) return performance.now() - startMs
  }
  return Number.POSITIVE_INFINITY
}

function answersOf({ outcomes, notSent }: SentOpenLoop): string {
  const all = { ...outcomes, ...(notSent === 0 ? {} : { 'not sent, too many under way': notSent }) }
  return Object.entries(all)
    .map(([outcome, count]) => `${outcome}: ${count}`)
    .join(', ')
}

/** received = stored + rejected + shed + duplicate + lost + pending, and what is stored is there. */
async function ledgerRow(engine: Engine, url: string, name: string): Promise<Row> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const sums = new Map<string, number>()
  for (const [, metric = '', labels = '', value = ''] of text.matchAll(/^(headwater_ingest_\w+)\{([^}]*)\} (\S+)$/gm)) {
    if (!labels.includes('signal="traces"')) continue
    const outcome = /outcome="(\w+)"/.exec(labels)?.[1] ?? (metric.endsWith('pending_records') ? 'pending' : '')
    sums.set(outcome, (sums.get(outcome) ?? 0) + Number(value))
  }
  const of = (outcome: string): number => sums.get(outcome) ?? 0
  const [stored] = await engine.numbers('SELECT count() FROM otel_traces')
  const fates = ['stored', 'rejected', 'shed', 'duplicate', 'lost', 'pending']
  const balance = of('received') - fates.reduce((sum, fate) => sum + of(fate), 0)
  const missing = of('stored') - (stored ?? 0)
  return {
    id: `${name}_ledger`,
    value: `${balance} unaccounted for, ${missing} of ${of('stored')} stored ones not there, ${of('lost')} lost`,
    unit: 'spans',
    goal: '0, 0, 0',
    met: of('received') > 0 && balance === 0 && missing === 0 && of('lost') === 0,
  }
}
