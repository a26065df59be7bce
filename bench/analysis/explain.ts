// What it takes to explain an incident in an hour of a busy fleet, by the entry point behind `headwater explain`, and how it grows.

import { explainPast } from '@headwater/analyzer'
import { migratePostgres } from '@headwater/store'
import type { Row } from '../bench.ts'
import { startEngine } from '../ingest/engine.ts'
import { median } from '../median.ts'
import { judged, told } from '../plan.ts'
import { forgetPeakRss, ownUsage, peakRssBytesOf, usedBetween } from '../usage.ts'
import { culprit, writeHour } from './hour.ts'
import type { AnalysisPart } from './plan.ts'

const hourMs = 3_600_000
/** The last minutes of the hour, in which the fault is. */
const faultMs = 10 * 60_000
const [goalSpans, goalS, goalMb] = [36_000_000, 5, 1_000]

/** Ten minutes with a fault in them against the fifty before. */
export const explain: AnalysisPart = async ({ spans, rounds, progress }) => {
  const { seconds, nodeMs, engineMs, peakMb } = await measure({ spans, services: 200, rounds, progress })
  const name = `explain_${nameOf(spans)}`
  const ofEngine = 'MB of the engine, at most'
  // Fewer meet no goal.
  const isWhole = spans >= goalSpans
  return [
    isWhole ? judged(`${name}_s`, seconds, 's', { atMost: goalS }) : told(`${name}_s`, seconds, 's'),
    isWhole
      ? judged(`${name}_engine_mb`, peakMb, ofEngine, { atMost: goalMb })
      : told(`${name}_engine_mb`, peakMb, ofEngine),
    told(`${name}_cpu_ms`, nodeMs, 'ms of Node'),
    told(`${name}_engine_ms`, engineMs, 'ms of the engine'),
  ]
}

/** The same for a tenth and a hundredth of the spans, and of the services. */
export const growth: AnalysisPart = async ({ spans, rounds, progress }) => {
  const rows: Row[] = []
  const sizes = [
    ...[100, 10].map((part) => ({ spans: spans / part, services: 200 })),
    ...[20, 2_000].map((services) => ({ spans: spans / 10, services })),
  ]
  for (const size of sizes) {
    const { seconds, nodeMs, engineMs, peakMb } = await measure({ ...size, rounds, progress })
    const name = `explain_${nameOf(size.spans)}_${size.services}`
    rows.push(
      told(`${name}_s`, seconds, 's'),
      told(`${name}_cpu_ms`, nodeMs, 'ms of Node'),
      told(`${name}_engine_ms`, engineMs, 'ms of the engine'),
      told(`${name}_engine_mb`, peakMb, 'MB of the engine, at most'),
    )
  }
  return rows
}

async function measure({
  spans,
  services,
  rounds,
  progress,
}: {
  spans: number
  services: number
  rounds: number
  progress: (line: string) => void
}): Promise<{ seconds: number; nodeMs: number; engineMs: number; peakMb: number }> {
  await using cleanup = new AsyncDisposableStack()
  const engine = await startEngine()
  cleanup.defer(() => engine.stop())
  const { store, pid } = engine
  await migratePostgres(store.postgres)
  const toMs = Math.floor(Date.now() / 60_000) * 60_000
  const [fromMs, faultFromMs] = [toMs - hourMs, toMs - faultMs]
  progress(`writes ${spans} spans of ${services} services`)
  await writeHour(engine, { services, spansPerSecond: spans / 3_600, fromMs, toMs, faultFromMs })
  await engine.quiet()
  const all: { seconds: number; nodeMs: number; engineMs: number; peakMb: number }[] = []
  for (let round = -1; round < rounds; round += 1) {
    forgetPeakRss(pid)
    const [before, engineBefore, beginMs] = [ownUsage(), engine.cpuUs(), performance.now()]
    const { state, told: explained } = await explainPast(store, {
      fromMs: faultFromMs,
      toMs,
      baselineFromMs: fromMs,
      baselineToMs: faultFromMs,
    })
    const figures = {
      seconds: (performance.now() - beginMs) / 1_000,
      nodeMs: usedBetween(before, ownUsage()).cpuUs / 1_000,
      engineMs: (engine.cpuUs() - engineBefore) / 1_000,
      peakMb: peakRssBytesOf(pid) / 1e6,
    }
    // A wrong explanation may take as little as it likes.
    const [cause] = explained?.causes ?? []
    if (cause?.service !== culprit.service || cause.operation !== culprit.operation || cause.kind !== culprit.kind) {
      throw new Error(`Cannot measure: ${state}, and ${JSON.stringify(cause)} is blamed instead of ${culprit.service}`)
    }
    const flows = explained?.impact.flows ?? []
    const sum = (part: 'runs' | 'runsAffected'): number => flows.reduce((total, flow) => total + flow[part], 0)
    const share = sum('runsAffected') / sum('runs')
    if (flows.length !== services / 20 || Math.abs(share - culprit.share) > 0.1) {
      throw new Error(`Cannot measure: the wrong flows are told to be hit: ${JSON.stringify(flows)}`)
    }
    progress(
      `${spans} spans, ${services} services: ${figures.seconds.toFixed(1)} s, ${figures.nodeMs.toFixed(0)} ms of Node, ` +
        `${figures.engineMs.toFixed(0)} ms and ${figures.peakMb.toFixed(0)} MB of the engine`,
    )
    // The first one makes V8 compile.
    if (round >= 0) all.push(figures)
  }
  return {
    seconds: median(all.map(({ seconds }) => seconds)),
    nodeMs: median(all.map(({ nodeMs }) => nodeMs)),
    engineMs: median(all.map(({ engineMs }) => engineMs)),
    peakMb: Math.max(...all.map(({ peakMb }) => peakMb)),
  }
}

function nameOf(spans: number): string {
  return spans >= 1e6 ? `${spans / 1e6}m` : `${spans / 1e3}k`
}
