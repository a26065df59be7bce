// The simulator as a program beside us: it makes scenarios, posts them, and scores what was said of them.

import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as z from 'zod'

const run = promisify(execFile)

/** What is said of one incident, in the words that the simulator scores. */
export interface Prediction {
  scenario: string
  /** Nanoseconds of the simulator's own time. */
  openedAt: string
  causes: { service: string; operation: string; attribute?: string; value?: string }[]
  impact: {
    services: string[]
    flows: { name: string; share: number }[]
    users: { affected: number }
  }
}

const share = z.number().nullable()
const sliceSchema = z.object({
  n: z.number(),
  recall: z.number(),
  delayMedianS: z.number().nullable(),
  ac1: share,
  ac1Interval: z.tuple([z.number(), z.number()]),
  ac3: share,
  servicesF1: share,
  flowMae: share,
  userMae: share,
})
const tableSchema = z.object({
  slices: z.record(z.string(), sliceSchema),
  falseIncidents: z.number(),
  falsePerDay: z.number().nullable(),
  days: z.number(),
  duplicates: z.number(),
  harmlessReported: z.number(),
})
export type Table = z.infer<typeof tableSchema>

/** Makes scenarios of a development set that are not there yet; gives their folders. */
export async function makeScenarios(
  simulator: string,
  { into, count, seed, progress }: { into: string; count: number; seed: number; progress: (line: string) => void },
): Promise<string[]> {
  await mkdir(into, { recursive: true })
  const names = Array.from({ length: count }, (_, index) => `s${seed}-${String(index).padStart(4, '0')}`)
  for (const [index, name] of names.entries()) {
    // Written last, so that one that was interrupted is made again.
    if (existsSync(join(into, name, 'done'))) continue
    progress(`makes ${name}, ${index + 1} of ${count}`)
    const options = ['--random', '1', '--first', String(index), '--seed', String(seed), '--services', '8-40', '--gzip']
    await run(process.execPath, [join(simulator, 'sim.js'), ...options, '--out', into], { maxBuffer: 1e8 })
    await writeFile(join(into, name, 'done'), '')
  }
  return names.map((name) => join(into, name))
}

/** Posts a scenario to a collector as fast as it takes it, moved to end now; gives by how many nanoseconds it was moved. */
export async function postScenario(
  simulator: string,
  { from, url, into }: { from: string; url: string; into: string },
): Promise<bigint> {
  await mkdir(into, { recursive: true })
  const options = ['--post', url, '--from', from, '--speed', '0', '--concurrency', '32', '--out', into]
  await run(process.execPath, [join(simulator, 'sim.js'), ...options], { maxBuffer: 1e8 })
  const posted = z.object({ shiftNs: z.string() }).parse(JSON.parse(await readFile(join(into, 'posted.json'), 'utf8')))
  return BigInt(posted.shiftNs)
}

/** The simulator's own scores: of the predictions, then of its two baselines. */
export async function scoreOf(
  simulator: string,
  { folders, predictions, into }: { folders: readonly string[]; predictions: readonly Prediction[]; into: string },
): Promise<{ ours: Table; baselines: Record<string, Table> }> {
  const truth = await Promise.all(folders.map((folder) => readFile(join(folder, 'truth.jsonl'), 'utf8')))
  const [truthFile, predictionsFile] = [join(into, 'truth.jsonl'), join(into, 'predictions.jsonl')]
  await writeFile(truthFile, truth.map((text) => `${text.trimEnd()}\n`).join(''))
  await writeFile(predictionsFile, predictions.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const spans = folders[0] === undefined ? into : join(folders[0], '..')
  const options = ['--truth', truthFile, '--predictions', predictionsFile, '--spans', spans, '--json']
  const scorer = spawn(process.execPath, [join(simulator, 'score.js'), ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const tables = z
    .record(z.string(), tableSchema)
    .parse(JSON.parse(await Array.fromAsync(scorer.stdout).then((parts) => parts.join(''))))
  const { predictions: ours, ...baselines } = tables
  if (ours === undefined) throw new Error('The simulator did not score the predictions')
  return { ours, baselines }
}

const truthSchema = z.object({
  negative: z.boolean(),
  onset: z.string().transform(BigInt),
  windowEnd: z.string().transform(BigInt),
})

/** The times, in nanoseconds of its own, over which the simulator counts what its faults hit: from each's onset to a while after its end. */
export async function countedTimesOf(folder: string): Promise<{ fromNs: bigint; toNs: bigint }[]> {
  const lines = (await readFile(join(folder, 'truth.jsonl'), 'utf8')).trimEnd().split('\n')
  return lines
    .map((line) => truthSchema.parse(JSON.parse(line)))
    .filter(({ negative }) => !negative)
    .map(({ onset, windowEnd }) => ({ fromNs: onset, toNs: windowEnd }))
}

const sizeSchema = z.object({ scenarioMinutes: z.number(), services: z.number() })

/** How long a scenario is, and of how many services. */
export async function sizeOf(folder: string): Promise<{ minutes: number; services: number }> {
  const [first = ''] = (await readFile(join(folder, 'truth.jsonl'), 'utf8')).split('\n')
  const { scenarioMinutes: minutes, services } = sizeSchema.parse(JSON.parse(first))
  return { minutes, services }
}
