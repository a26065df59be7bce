// Spans from the socket to the disk: what they cost, how long their senders wait, and what stays flat. Processor time and bytes
// are those of the process that does the work, in the same run as the floor or rival that they are compared with.

import { parseArgs } from 'node:util'
import { nodeOptions } from '@headwater/collector/node-options'
import type { Bench, Row } from './bench.ts'
import { acknowledgement } from './ingest/acknowledgement.ts'
import { allIn } from './ingest/all-in.ts'
import { collector } from './ingest/collector.ts'
import { disk } from './ingest/disk.ts'
import { growthByPairs, growthByStored } from './ingest/growth.ts'
import { recordFleet } from './ingest/record-fleet.ts'
import { overload } from './ingest/overload.ts'
import type { Part, Plan } from './ingest/plan.ts'

const parts: Readonly<Record<string, Part>> = {
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
      /** Some of the parts. */
      only: { type: 'string', default: Object.keys(parts).join(',') },
      rounds: { type: 'string', default: '7' },
      /** Stored spans, in millions, at which `growth_stored` measures; 50 takes some minutes to fill. */
      stored: { type: 'string', default: '10' },
      /** How long `ack_p99` and `overload_rss` send, and `disk` records. */
      seconds: { type: 'string', default: '60' },
      /** Measures nothing, but records the fleet anew for payloads to be made of. */
      record: { type: 'boolean', default: false },
      /** A directory for Node's profiles of the receiving processes. */
      profile: { type: 'string' },
    },
  })
  if (values.record) return [{ id: 'recorded', value: await recordFleet(), unit: 'spans' }]
  const wanted = values.only.split(',').map((name) => {
    const part = parts[name]
    if (part === undefined) {
      throw new Error(`Cannot measure "${name}": there are ${Object.keys(parts).join(', ')}, with commas between`)
    }
    return { name, part }
  })
  const rounds = Number(values.rounds)
  if (!(rounds >= 1)) throw new Error(`Cannot measure ${values.rounds} rounds: give --rounds a number from 1`)
  // Whoever is interrupted leaves no directory behind; children end with their parent.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
  const plan: Plan = {
    rounds,
    progress,
    nodeOptions: [
      ...nodeOptions,
      ...(values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`]),
    ],
    forMs: Number(values.seconds) * 1_000,
    storedMillions: values.stored.split(',').map(Number),
  }
  const rows: Row[] = []
  for (const { name, part } of wanted) {
    progress(`${name} …`)
    try {
      rows.push(...(await part(plan)))
    } catch (error) {
      // The others have their figures all the same.
      progress(error instanceof Error ? (error.stack ?? error.message) : String(error))
      rows.push({ id: name, value: 'failed', unit: '', met: false })
    }
  }
  return rows
}
