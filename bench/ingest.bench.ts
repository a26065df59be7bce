// Spans from the socket to the disk: what they cost, how long their senders wait, and what stays flat. Processor time and bytes
// are those of the process that does the work, in the same run as the floor or rival that they are compared with.

import { parseArgs } from 'node:util'
import { nodeOptions } from '@headwater/collector/node-options'
import type { Bench } from './bench.ts'
import { acknowledgement } from './ingest/acknowledgement.ts'
import { allIn } from './ingest/all-in.ts'
import { collector } from './ingest/collector.ts'
import { disk } from './ingest/disk.ts'
import { growthByPairs, growthByStored } from './ingest/growth.ts'
import type { IngestPlan } from './ingest/ingest-plan.ts'
import { recordFleet } from './ingest/record-fleet.ts'
import { overload } from './ingest/overload.ts'
import { exitWhenInterrupted, measureParts, type Part, partOptions, readPlan, wantedParts } from './plan.ts'

const parts: Readonly<Record<string, Part<IngestPlan>>> = {
  collector,
  all_in: allIn,
  ack_p99: acknowledgement,
  overload_rss: overload,
  disk,
  growth_pairs: growthByPairs,
  growth_stored: growthByStored,
}

export const bench: Bench = async (args, progress) => {
  const { values } = parseArgs({
    args,
    options: {
      ...partOptions,
      /** Stored spans, in millions, at which `growth_stored` measures; 50 takes some minutes to fill. */
      stored: { type: 'string', default: '10' },
      /** Measures nothing, but records the fleet anew for payloads to be made of. */
      record: { type: 'boolean', default: false },
    },
  })
  if (values.record) return [{ id: 'recorded', value: await recordFleet(), unit: 'spans' }]
  exitWhenInterrupted()
  return await measureParts(wantedParts(parts, values.only), {
    ...readPlan(values, progress),
    nodeOptions: [
      ...nodeOptions,
      ...(values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`]),
    ],
    storedMillions: values.stored.split(',').map(Number),
  })
}
