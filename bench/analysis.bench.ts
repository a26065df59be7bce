// What the analysis takes as services, series and spans grow, and whether it keeps quiet while nothing is wrong.

import { parseArgs } from 'node:util'
import { explain, growth } from './analysis/explain.ts'
import { failing } from './analysis/failing.ts'
import { healthy } from './analysis/healthy.ts'
import type { AnalysisPart } from './analysis/plan.ts'
import { seasons } from './analysis/seasons.ts'
import { tick } from './analysis/tick.ts'
import type { Bench } from './bench.ts'
import { exitWhenInterrupted, measureParts, partOptions, readPlan, wantedParts } from './plan.ts'

const parts: Readonly<Record<string, AnalysisPart>> = { tick, failing, explain, growth, healthy, seasons }

export const bench: Bench = async (args, progress) => {
  const { values } = parseArgs({
    args,
    options: {
      ...partOptions,
      /** In the hour in which an incident is explained. */
      spans: { type: 'string', default: '36000000' },
      /** Of healthy time that is replayed. */
      hours: { type: 'string', default: '24' },
    },
  })
  exitWhenInterrupted()
  const [spans, hours] = [Number(values.spans), Number(values.hours)]
  if (!(spans >= 36_000)) throw new Error(`Cannot measure ${values.spans} spans: give --spans a number from 36000`)
  if (!(hours > 0)) throw new Error(`Cannot replay ${values.hours} hours: give --hours a number above 0`)
  return await measureParts(wantedParts(parts, values.only), { ...readPlan(values, progress), spans, hours })
}
