// What the console costs: its first load, and those who listen to the map.
import { parseArgs } from 'node:util'
import type { Bench } from './bench.ts'
import { firstLoad } from './console/first-load.ts'
import { listeners } from './console/listeners.ts'
import { exitWhenInterrupted, measureParts, type Part, partOptions, readPlan, wantedParts } from './plan.ts'

const parts: Readonly<Record<string, Part>> = { first_load: firstLoad, listeners }

export const bench: Bench = async (args, progress) => {
  const { values } = parseArgs({ args, options: partOptions })
  exitWhenInterrupted()
  return await measureParts(wantedParts(parts, values.only), readPlan(values, progress))
}
