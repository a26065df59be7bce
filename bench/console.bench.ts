// What the console costs: its first load, those who listen to the map, a large map and a large run in a browser, and with a
// day of spans stored how soon it can be used and what its questions take.
import { parseArgs } from 'node:util'
import type { Bench } from './bench.ts'
import { firstLoad } from './console/first-load.ts'
import { listeners } from './console/listeners.ts'
import { map } from './console/map.ts'
import { stored, type StoredPlan } from './console/stored.ts'
import { waterfall } from './console/waterfall.ts'
import { exitWhenInterrupted, measureParts, type Part, partOptions, readPlan, wantedParts } from './plan.ts'

const parts: Readonly<Record<string, Part<StoredPlan>>> = { first_load: firstLoad, listeners, map, waterfall, stored }

const options = {
  ...partOptions,
  rounds: { type: 'string', default: '3' },
  /** That are stored. */
  spans: { type: 'string', default: '10000000' },
  /** Where they stay, so that they are there the next time; without it they are written anew. */
  data: { type: 'string' },
} as const

export const bench: Bench = async (args, progress) => {
  const { values } = parseArgs({ args, options })
  const spans = Number(values.spans)
  if (!(spans >= 10_000)) throw new Error(`Cannot store ${values.spans} spans: give --spans a number from 10000`)
  exitWhenInterrupted()
  return await measureParts(wantedParts(parts, values.only), {
    ...readPlan(values, progress),
    spans,
    data: values.data,
  })
}
