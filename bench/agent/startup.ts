// What starting costs more: an empty program, with the agent and without.

import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { medianInterval } from '../interval.ts'
import { median } from '../median.ts'
import { judged, type Part, rangeOf, told } from '../plan.ts'
import type { AgentPlan } from './agent-plan.ts'
import { inTurns } from './in-turns.ts'
import { environmentOf, flagsOf } from './service.ts'

const goalMs = 80
const kinds = ['bare', 'lean', 'sdk', 'stock'] as const
type StartedKind = (typeof kinds)[number]
const startsOfRound = 3
/** An empty program, but for that it tells what it has used when it ends. */
const program = `
import { writeSync } from 'node:fs'
process.on('exit', () => {
  const { user, system } = process.cpuUsage()
  writeSync(1, String(user + system))
})
`

const run = promisify(execFile)

/** Starts all by turns. */
export const startup: Part<AgentPlan> = async ({ installation: { directory }, rounds, progress }) => {
  await writeFile(join(directory, 'empty.mjs'), program)
  const startMs = async (kind: StartedKind): Promise<number> => {
    const env = { PATH: process.env['PATH'], ...environmentOf[kind] }
    const { stdout, stderr } = await run(process.execPath, [...flagsOf[kind], 'empty.mjs'], { cwd: directory, env })
    // An agent that cannot be loaded says so, and costs little.
    if (!/^\d+$/.test(stdout) || stderr !== '') {
      throw new Error(`Cannot measure the start of ${kind}: it said "${stdout}${stderr}"`)
    }
    return Number(stdout) / 1_000
  }
  // Once, so that files are in memory.
  for (const kind of kinds) await startMs(kind)
  const costsMs: Record<StartedKind, number[]> = { bare: [], lean: [], sdk: [], stock: [] }
  const starts = rounds * startsOfRound
  for (let start = 0; start < starts; start += 1) {
    for (const kind of inTurns(kinds, start)) costsMs[kind].push(await startMs(kind))
    const costs = kinds.map((kind) => `${kind} ${costsMs[kind].at(-1)?.toFixed(0)}`)
    progress(`start ${start + 1} of ${starts}: ${costs.join(', ')} ms`)
  }
  const added = (kind: StartedKind) =>
    medianInterval(costsMs[kind].map((costMs, start) => costMs - (costsMs.bare[start] ?? Number.NaN)))
  const unitOf = (kind: StartedKind): string => `ms more (95 %: ${rangeOf(added(kind))})`
  return [
    judged('startup', added('lean').middle, unitOf('lean'), { atMost: goalMs }),
    told('startup_bare', median(costsMs.bare), 'ms'),
    told('startup_sdk', added('sdk').middle, unitOf('sdk')),
    told('startup_stock', added('stock').middle, unitOf('stock')),
  ]
}
