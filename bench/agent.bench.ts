// What a service pays for being traced: by our agent, in either of its ways, and by OpenTelemetry as it comes. Processor time
// and memory are those of the service's process, in the same run as a service that is not traced.

import { parseArgs } from 'node:util'
import type { Bench } from './bench.ts'
import { addedCpu } from './agent/added-cpu.ts'
import { addedP50 } from './agent/added-p50.ts'
import type { AgentPlan } from './agent/agent-plan.ts'
import { encode } from './agent/encode.ts'
import { installAgent } from './agent/installation.ts'
import { size } from './agent/size.ts'
import { soak } from './agent/soak.ts'
import { startup } from './agent/startup.ts'
import { trouble } from './agent/trouble.ts'
import { exitWhenInterrupted, measureParts, type Part, partOptions, readPlan, wantedParts } from './plan.ts'

const parts: Readonly<Record<string, Part<AgentPlan>>> = {
  added_cpu: addedCpu,
  added_p50: addedP50,
  encode,
  startup,
  size,
  trouble,
  soak,
}

export const bench: Bench = async (args, progress) => {
  const { values } = parseArgs({ args, options: partOptions })
  const wanted = wantedParts(parts, values.only)
  const plan = readPlan(values, progress)
  exitWhenInterrupted()
  const installation = await installAgent()
  try {
    return await measureParts(wanted, { ...plan, installation, profile: values.profile })
  } finally {
    await installation.remove()
  }
}
