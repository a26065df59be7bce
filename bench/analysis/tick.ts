// What one judgement over all series takes, of Node and of the engine, its reads and writes included.

import { step } from '@headwater/analyzer'
import type { Row } from '../bench.ts'
import { median } from '../median.ts'
import { judged, type Part, told } from '../plan.ts'
import { ownUsage, usedBetween } from '../usage.ts'
import { startLeading } from './leading.ts'
import { writeSeries } from './series.ts'

const goalMs = 500
/** Three decades, to see that it grows no faster than they. */
const sizes = [100, 1_000, 10_000, 100_000]
/** A little more than what a step looks back to. */
const forMs = 52 * 60_000

/** Measures at each size. */
export const tick: Part = async ({ rounds, progress }) => {
  const rows: Row[] = []
  for (const series of sizes) {
    await using cleanup = new AsyncDisposableStack()
    const { engine, lease } = await startLeading(cleanup)
    const toMs = Math.floor(Date.now() / 60_000) * 60_000
    await writeSeries(engine, { series, toMs, forMs })
    await engine.quiet()
    const [nodeMs, engineMs]: [number[], number[]] = [[], []]
    for (let round = -1; round < rounds; round += 1) {
      const [before, engineBefore] = [ownUsage(), engine.cpuUs()]
      const { findings, seriesLeftOut } = await step(engine.store, lease, toMs)
      if (findings > 0) throw new Error(`Cannot measure: ${findings} findings where nothing is wrong`)
      if (seriesLeftOut > 0) throw new Error(`Cannot measure: ${seriesLeftOut} series were left out`)
      const used = usedBetween(before, ownUsage())
      await engine.quiet()
      // The first one makes V8 compile.
      if (round < 0) continue
      nodeMs.push(used.cpuUs / 1_000)
      engineMs.push((engine.cpuUs() - engineBefore) / 1_000)
      progress(
        `${series} series: ${nodeMs.at(-1)?.toFixed(0)} ms of Node, ${engineMs.at(-1)?.toFixed(0)} ms of the engine`,
      )
    }
    const name = series >= 1_000 ? `${series / 1_000}k` : String(series)
    rows.push(
      series === 100_000
        ? judged(`tick_${name}_cpu_ms`, median(nodeMs), 'ms of Node', { atMost: goalMs })
        : told(`tick_${name}_cpu_ms`, median(nodeMs), 'ms of Node'),
      told(`tick_${name}_engine_ms`, median(engineMs), 'ms of the engine'),
    )
  }
  return rows
}
