import { parseArgs } from 'node:util'
import { faultKinds, type FaultRequest, parseFault } from './fault.ts'
import { serviceNames } from './plan.ts'

export const demoHelp = `npm run demo -- [options]

Starts Headwater and a fleet of six services, breaks one of them, and shows how Headwater explains it.

  --fault KIND:SERVICE   what to break (errors:math); KIND is one of ${faultKinds.join(', ')};
                         SERVICE is one of ${serviceNames.join(', ')};
                         :OPERATION may follow, such as "errors:math:POST /evaluate"
  --faults all           every kind in every service, one after the other;
                         or those of a list: errors:math,crash:pdf
  --seed N               makes load and faults repeatable (1)
  --once                 ends after the report
  --json                 one JSON document on stdout, everything else on stderr
  --help                 this text
`

export interface DemoOptions {
  faults: FaultRequest[]
  /** Several faults, one after the other. */
  isSeries: boolean
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
  if (!/^\d{1,9}$/.test(values.seed)) throw new Error(`--seed: "${values.seed}" is no whole number; use one such as 7`)
  return {
    faults: values.faults === undefined ? [faultFrom('--fault', values.fault)] : seriesFrom(values.faults),
    isSeries: values.faults !== undefined,
    seed: Number(values.seed),
    once: values.once,
    json: values.json,
  }
}

function seriesFrom(text: string): FaultRequest[] {
  if (text !== 'all') return text.split(',').map((each) => faultFrom('--faults', each))
  return faultKinds.flatMap((kind) => serviceNames.map((service) => ({ kind, service })))
}

function faultFrom(option: string, text: string): FaultRequest {
  try {
    return parseFault(text)
  } catch (cause) {
    throw new Error(`${option}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
