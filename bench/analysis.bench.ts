// What the analysis takes as services, series and spans grow.

import { parseArgs } from 'node:util'
import { explain, growth } from './analysis/explain.ts'
import type { AnalysisPart } from './analysis/plan.ts'
import { tick } from './analysis/tick.ts'
import type { Bench } from './bench.ts'
import { exitWhenInterrupted, measureParts, partOptions, readPlan, wantedParts } from './plan.ts'

const parts: Readonly<Record<string, AnalysisPart>> = { tick, explain, growth }

export const bench: Bench = async (args, progress) => {
  const { values } = parseArgs({
    args,
    options: {
      ...partOptions,
      /** In the hour in which an incident is explained. */
      spans: { type: 'string', default: '36000000' },
    },
  })
  exitWhenInterrupted()
  const spans = Number(values.spans)
  if (!(spans >= 36_000)) throw new Error(`Cannot measure ${values.spans} spans: give --spans a number from 36000`)
  return await measureParts(wantedParts(parts, values.only), { ...readPlan(values, progress), spans })
}
