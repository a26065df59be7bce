import { parseArgs } from 'node:util'
import { faultKinds, type FaultRequest, parseFault } from './fault.ts'
import { serviceNames } from './plan.ts'

export const demoHelp = `npm run demo -- [options]

Starts Headwater and a fleet of six services, breaks one of them, and shows how Headwater explains it.

  --fault KIND:SERVICE   what to break (errors:math); KIND is one of ${faultKinds.join(', ')};
                         SERVICE is one of ${serviceNames.join(', ')};
                         :OPERATION may follow, such as "errors:math:POST /evaluate"
  --faults all           every kind in every service, one after the other
  --seed N               makes load and faults repeatable (1)
  --once                 ends after the report
  --json                 one JSON document on stdout, everything else on stderr
  --help                 this text
`

export interface DemoOptions {
  faults: FaultRequest[]
  isAll: boolean
  seed: number
  once: boolean
  json: boolean
}

/** Reads the command line; 'help' when that is what was asked for. Throws with the mend in words. */
export function readDemoOptions(args: string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      fault: { type: 'string', default: 'errors:math' },
      faults: { type: 'string' },
      seed: { type: 'string', default: '1' },
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  if (values.faults !== undefined && values.faults !== 'all') {
    throw new Error(`--faults: "${values.faults}" is not known; use --faults all, or --fault KIND:SERVICE`)
  }
  if (!/^\d{1,9}$/.test(values.seed)) throw new Error(`--seed: "${values.seed}" is no whole number; use one such as 7`)
  const isAll = values.faults === 'all'
  return {
    faults: isAll ? allFaults() : [faultFrom(values.fault)],
    isAll,
    seed: Number(values.seed),
    once: values.once,
    json: values.json,
  }
}

function allFaults(): FaultRequest[] {
  return faultKinds.flatMap((kind) => serviceNames.map((service) => ({ kind, service })))
}

function faultFrom(text: string): FaultRequest {
  try {
    return parseFault(text)
  } catch (cause) {
    throw new Error(`--fault: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
