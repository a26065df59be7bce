// What the analysis takes as services, series and spans grow.

import { parseArgs } from 'node:util'
import { tick } from './analysis/tick.ts'
import type { Bench } from './bench.ts'
import { exitWhenInterrupted, measureParts, type Part, partOptions, readPlan, wantedParts } from './plan.ts'

const parts: Readonly<Record<string, Part>> = { tick }

export const bench: Bench = async (args, progress) => {
  const { values } = parseArgs({ args, options: partOptions })
  exitWhenInterrupted()
  return await measureParts(wantedParts(parts, values.only), readPlan(values, progress))
}
