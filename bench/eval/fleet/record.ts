// A live fleet under load, recorded: what its services sent, what was broken when, and what its users saw.
// Run by itself for one seed: `node bench/eval/fleet/record.ts --seed 1 --into DIR`.

import { createWriteStream, existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import {
  type FaultKind,
  type Fleet,
  type LoadOutcome,
  operationFor,
  type ServiceName,
  startFleet,
  startLoad,
} from '@headwater/fleet'
import * as z from 'zod'
import { startRecorder } from './recorder.ts'

const timing = { baselineMs: 90_000, faultMs: 50_000, healthyMs: 70_000 }
const kinds: readonly FaultKind[] = ['errors', 'latency', 'crash', 'slow-dependency', 'bad-version']
const services: readonly ServiceName[] = ['crypto', 'math', 'pdf', 'data-transform']
const requestsPerSecond = 10

const eventSchema = z.object({
  what: z.enum(['fault', 'deploy', 'spike']),
  kind: z.string(),
  service: z.string(),
  operation: z.string(),
  fromMs: z.number(),
  toMs: z.number(),
})
/** What was done to the fleet. Times are Unix milliseconds. */
export type FleetEvent = z.infer<typeof eventSchema>

const recordingSchema = z.object({ fromMs: z.number(), toMs: z.number(), events: z.array(eventSchema) })
export type Recording = z.infer<typeof recordingSchema> & { spansFile: string; outcomesFile: string }

export type RecordingPlan = { seed: number; what: 'faults' } | { seed: number; what: 'healthy'; minutes: number }

export function recordingName(plan: RecordingPlan): string {
  return plan.what === 'faults' ? `faults-${plan.seed}` : `healthy-${plan.seed}-${plan.minutes}m`
}

/** Gives a recording, which is made where it is not there yet: forty minutes for the faults of a seed. */
export async function recording(
  folder: string,
  plan: RecordingPlan,
  progress: (line: string) => void,
): Promise<Recording> {
  const home = join(folder, recordingName(plan))
  const file = join(home, 'recording.json')
  if (!existsSync(file)) {
    await rm(home, { recursive: true, force: true })
    await mkdir(home, { recursive: true })
    // Written last, so that one that was interrupted is made again.
    await writeFile(file, JSON.stringify(await record(home, plan, progress)))
  }
  const read = recordingSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  return { ...read, spansFile: join(home, 'sent.bin'), outcomesFile: join(home, 'outcomes.ndjson') }
}

async function record(
  home: string,
  plan: RecordingPlan,
  progress: (line: string) => void,
): Promise<z.infer<typeof recordingSchema>> {
  await using cleanup = new AsyncDisposableStack()
  const recorder = cleanup.use(await startRecorder(join(home, 'sent.bin')))
  const fleet = await startFleet({ otlpUrl: recorder.url, seed: plan.seed })
  cleanup.defer(() => fleet.stop())
  const outcomes = createWriteStream(join(home, 'outcomes.ndjson'))
  cleanup.defer(() => new Promise((resolve) => outcomes.end(resolve)))
  const outcome = (seen: LoadOutcome): void => void outcomes.write(`${JSON.stringify(seen)}\n`)
  const users = { gatewayUrl: fleet.gatewayUrl, outcome }
  const load = startLoad({ ...users, seed: plan.seed, requestsPerSecond })
  cleanup.defer(() => load.stop())
  const fromMs = Date.now()
  await wait(timing.baselineMs)
  const events =
    plan.what === 'faults' ? await breakAll(fleet, plan.seed, progress) : await disturb(fleet, plan, users, progress)
  return { fromMs, toMs: Date.now(), events }
}

async function breakAll(fleet: Fleet, seed: number, progress: (line: string) => void): Promise<FleetEvent[]> {
  const events: FleetEvent[] = []
  for (const service of services) {
    for (const kind of kinds) {
      const operation = operationFor({ kind, service }, seed)
      const { injectedAt } = await fleet.inject({ kind, service, operation })
      await wait(timing.faultMs)
      const toMs = Date.now()
      await fleet.clear()
      events.push({ what: 'fault', kind, service, operation, fromMs: Date.parse(injectedAt), toMs })
      progress(
        `seed ${seed}: ${events.length} of ${services.length * kinds.length}, ${kind} in ${service}, ${operation}`,
      )
      await wait(timing.healthyMs)
    }
  }
  return events
}

/** Deploys and spikes of load in turn, none of which harms anybody. */
async function disturb(
  fleet: Fleet,
  { seed, minutes }: { seed: number; minutes: number },
  users: { gatewayUrl: string; outcome: (seen: LoadOutcome) => void },
  progress: (line: string) => void,
): Promise<FleetEvent[]> {
  const events: FleetEvent[] = []
  const endMs = Date.now() + minutes * 60_000
  for (let turn = 0; Date.now() < endMs; turn += 1) {
    const fromMs = Date.now()
    const service = services[Math.floor(turn / 2) % services.length] ?? 'crypto'
    const isDeploy = turn % 2 === 0
    if (isDeploy) {
      await fleet.deploy(service, `1.${turn + 1}.0`)
    } else {
      const spike = startLoad({ ...users, seed: seed * 1_000 + turn, requestsPerSecond })
      await wait(60_000)
      await spike.stop()
    }
    const what = isDeploy ? 'deploy' : 'spike'
    events.push({ what, kind: what, service: isDeploy ? service : '', operation: '', fromMs, toMs: Date.now() })
    progress(`healthy, seed ${seed}: ${what} ${events.length}`)
    await wait(timing.healthyMs)
  }
  return events
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      into: { type: 'string', default: '.' },
      /** Healthy for so many minutes, instead of faults. */
      healthy: { type: 'string' },
    },
  })
  const seed = Number(values.seed)
  const plan: RecordingPlan =
    values.healthy === undefined ? { seed, what: 'faults' } : { seed, what: 'healthy', minutes: Number(values.healthy) }
  await recording(values.into, plan, (line) => process.stderr.write(`${line}\n`))
}
