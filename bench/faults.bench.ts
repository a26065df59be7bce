// Faults in a live fleet, explained by Headwater: is the right service the first cause, and how soon?
// One Headwater and one fleet for all runs; between two runs everything is healthy again. About two minutes a run.
import { appendFile, readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import {
  type FaultKind,
  type FaultResult,
  heal,
  operationFor,
  readOpenIncidents,
  runFault,
  type ServiceName,
  startFleet,
  startHeadwater,
  startLoad,
} from '@headwater/fleet'
import type { Bench, Row } from './bench.ts'

const kinds: FaultKind[] = ['errors', 'latency', 'crash', 'slow-dependency']
const services: ServiceName[] = ['crypto', 'math', 'pdf', 'data-transform']
const baselineMs = 100_000

interface Outcome {
  kind: FaultKind
  service: ServiceName
  operation: string
  seed: number
  first: string
  firstKind: string
  right: boolean
  /** Incidents that were open when the fault came. */
  openBefore: number
  detectAfterMs: number | null
  explainAfterMs: number | null
}

export const bench: Bench = async (args, progress) => {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string', default: '1,2' },
      kinds: { type: 'string', default: kinds.join(',') },
      services: { type: 'string', default: services.join(',') },
      /** A file to append each outcome to; runs that it has are not repeated. */
      log: { type: 'string' },
    },
  })
  const wanted = values.seeds
    .split(',')
    .flatMap((seed) =>
      values.kinds
        .split(',')
        .flatMap((kind) =>
          values.services
            .split(',')
            .map((service) => ({ seed: Number(seed), kind: kind as FaultKind, service: service as ServiceName })),
        ),
    )
  const outcomes = await readOutcomes(values.log)
  const missing = wanted.filter((run) => !outcomes.some((done) => isSame(done, run)))
  if (missing.length > 0) {
    for await (const outcome of runAll(missing, progress)) {
      outcomes.push(outcome)
      progress(lineOf(outcome))
      if (values.log !== undefined) await appendFile(values.log, `${JSON.stringify(outcome)}\n`)
    }
  }
  const done = wanted.flatMap((run) => outcomes.filter((outcome) => isSame(outcome, run)).slice(0, 1))
  progress(
    [
      '',
      '| fault | service | operation | seed | first cause | kind | right | opened after | explained after |',
      '|---|---|---|---|---|---|---|---|---|',
      ...done.map(lineOf),
    ].join('\n'),
  )
  return rowsOf(done)
}

type Wanted = Pick<Outcome, 'seed' | 'kind' | 'service'>

function isSame(a: Wanted, b: Wanted): boolean {
  return a.seed === b.seed && a.kind === b.kind && a.service === b.service
}

async function* runAll(wanted: Wanted[], progress: (line: string) => void): AsyncGenerator<Outcome> {
  // An interrupted run ends its processes.
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort()).once('SIGTERM', () => interrupted.abort())
  const { signal } = interrupted
  await using cleanup = new AsyncDisposableStack()
  const headwater = await startHeadwater({ ports: 'any' })
  cleanup.defer(() => headwater.stop())
  const { otlpUrl, apiUrl } = headwater
  const fleet = await startFleet({ otlpUrl, seed: wanted[0]?.seed ?? 1 })
  cleanup.defer(() => fleet.stop())
  let load: { seed: number; stop: () => Promise<void> } | undefined
  cleanup.defer(async () => load?.stop())
  for (const [index, { seed, kind, service }] of wanted.entries()) {
    if (load?.seed !== seed) {
      await load?.stop()
      load = { seed, ...startLoad({ gatewayUrl: fleet.gatewayUrl, seed }) }
      progress(`users of seed ${seed}; ${baselineMs / 1_000} s to learn what is normal`)
      await wait(baselineMs, undefined, { signal })
    }
    const request = { kind, service, operation: operationFor({ kind, service }, seed) }
    progress(`${index + 1} of ${wanted.length}: ${kind} in ${service}, ${request.operation}`)
    yield outcomeOf(await runFault({ fleet, apiUrl, request, signal }), {
      seed,
      kind,
      service,
      operation: request.operation,
    })
    if (!(await heal({ fleet, apiUrl, quietMs: 20_000, signal }))) {
      progress(`not healed: ${(await readOpenIncidents(apiUrl)).map(({ title }) => title).join('; ')}`)
    }
  }
}

function outcomeOf(result: FaultResult, run: Wanted & { operation: string }): Outcome {
  const openBefore = result.openBefore.length
  if (result.state === 'unexplained') {
    const seen = result.incidents[0]?.causes[0]
    return {
      ...run,
      first: seen?.service ?? 'none',
      firstKind: seen?.kind ?? '',
      right: false,
      openBefore,
      detectAfterMs: null,
      explainAfterMs: null,
    }
  }
  const { incident, timing } = result.document
  const [first] = incident.causes
  return {
    ...run,
    first: first?.service ?? 'none',
    firstKind: first?.kind ?? '',
    right: first?.service === run.service,
    openBefore,
    ...timing,
  }
}

function rowsOf(outcomes: Outcome[]): Row[] {
  const right = outcomes.filter((outcome) => outcome.right).length
  const early = outcomes.reduce((sum, { openBefore }) => sum + openBefore, 0)
  const goal = Math.ceil((outcomes.length * 30) / 32)
  const explained = outcomes.flatMap(({ explainAfterMs }) => explainAfterMs ?? [])
  const median = medianOf(explained) / 1_000
  return [
    { id: 'runs', value: outcomes.length, unit: 'faults' },
    { id: 'right_first_cause', value: right, unit: 'faults', goal: `>= ${goal}`, met: right >= goal },
    { id: 'incidents_before_a_fault', value: early, unit: 'incidents', goal: '0', met: early === 0 },
    { id: 'explain_median_s', value: Number(median.toFixed(1)), unit: 's', goal: '<= 45', met: median <= 45 },
    { id: 'explain_max_s', value: Number((Math.max(0, ...explained) / 1_000).toFixed(1)), unit: 's' },
  ]
}

function medianOf(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

function lineOf({
  kind,
  service,
  operation,
  seed,
  first,
  firstKind,
  right,
  detectAfterMs,
  explainAfterMs,
}: Outcome): string {
  const seconds = (ms: number | null): string => (ms === null ? '–' : `${(ms / 1_000).toFixed(1)} s`)
  return `| ${kind} | ${service} | ${operation} | ${seed} | ${first} | ${firstKind} | ${right ? 'yes' : 'NO'} | ${seconds(detectAfterMs)} | ${seconds(explainAfterMs)} |`
}

async function readOutcomes(file: string | undefined): Promise<Outcome[]> {
  if (file === undefined) return []
  const text = await readFile(file, 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Outcome)
}
