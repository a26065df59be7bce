// What a step takes while one service fails among many that are all connected: the step that opens the incident, and those after.
// There are states only: to find whom it hits there are no runs and no calls, which `explain` has.

import { LastingEffects, step } from '@headwater/analyzer'
import type { Row } from '../bench.ts'
import { median } from '../median.ts'
import { judged, told } from '../plan.ts'
import { ownUsage, usedBetween } from '../usage.ts'
import { startLeading } from './leading.ts'
import type { AnalysisPart } from './plan.ts'
import { callersOfOperation, operationsOfService, writePastMinutes, writeSeries } from './series.ts'

const sizes = [1_000, 10_000, 100_000]
/** A little more than what a step looks back to. */
const forMs = 52 * 60_000
/** What is found is compared with this time on the last days. */
const [pastDays, dayMs] = [9, 24 * 3_600_000]
/** A step comes every ten seconds. */
const goalS = 10

/** Measures at each size. */
export const failing: AnalysisPart = async ({ rounds, progress }) => {
  const rows: Row[] = []
  for (const series of sizes) {
    await using cleanup = new AsyncDisposableStack()
    const { engine, lease } = await startLeading(cleanup)
    const toMs = Math.floor(Date.now() / 60_000) * 60_000
    // In the middle: half of all services are above it, and half below.
    const service = Math.floor(series / operationsOfService / callersOfOperation / 2)
    await writeSeries(engine, { series, toMs, forMs, failing: { service, forMs: 30_000 } })
    for (let daysAgo = 1; daysAgo <= pastDays; daysAgo += 1) {
      await writePastMinutes(engine, { series, toMs: toMs - daysAgo * dayMs + 6 * 60_000, minutes: 12 })
    }
    await engine.quiet()
    let opened = 0
    const all: { seconds: number; nodeMs: number; engineMs: number }[] = []
    const lasting = new LastingEffects(engine.store)
    for (let round = -1; round < rounds; round += 1) {
      const [before, engineBefore, beginMs] = [ownUsage(), engine.cpuUs(), performance.now()]
      const { open, findings, seriesLeftOut } = await step(engine.store, lease, toMs, { nowMs: toMs + 10_000, lasting })
      const figures = {
        seconds: (performance.now() - beginMs) / 1_000,
        nodeMs: usedBetween(before, ownUsage()).cpuUs / 1_000,
        engineMs: (engine.cpuUs() - engineBefore) / 1_000,
      }
      progress(
        `${series} series, ${findings} findings: ${figures.seconds.toFixed(1)} s, ${figures.nodeMs.toFixed(0)} ms of Node, ` +
          `${figures.engineMs.toFixed(0)} ms of the engine; ${seriesLeftOut} left out`,
      )
      const [incident] = await engine.store.postgres.selectFrom('incidents').selectAll().execute()
      const [cause] = incident?.causes ?? []
      if (open !== 1 || cause?.service !== `service-${service}`) {
        throw new Error(
          `Cannot measure: ${open} incidents, and ${JSON.stringify(cause)} is blamed instead of service-${service}`,
        )
      }
      if (round < 0) opened = figures.seconds
      else all.push(figures)
    }
    const name = `failing_${series / 1_000}k`
    const seconds = median(all.map((one) => one.seconds))
    rows.push(
      told(`${name}_opens_s`, opened, 's, the first step'),
      series === 100_000 ? judged(`${name}_s`, seconds, 's', { atMost: goalS }) : told(`${name}_s`, seconds, 's'),
      told(`${name}_cpu_ms`, median(all.map((one) => one.nodeMs)), 'ms of Node'),
      told(`${name}_engine_ms`, median(all.map((one) => one.engineMs)), 'ms of the engine'),
    )
  }
  return rows
}
