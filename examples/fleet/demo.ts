// npm run demo: Headwater, a fleet that works, a fault, and the explanation.

import { setTimeout as wait } from 'node:timers/promises'
import { commandsHelp, takeCommands } from './commands.ts'
import { demoHelp, type DemoOptions, readDemoOptions } from './demo-options.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { readOpenIncidents, readServices, readSpansStored } from './headwater-api.ts'
import { startHeadwater } from './headwater-process.ts'
import { type Load, startLoad } from './load.ts'
import { reportOf, rowOf, shortfallOf } from './report.ts'
import { type FaultResult, heal, runFault } from './run-fault.ts'

/** As long as normal has to be seen before its end is noticed; what is slow is known later than what fails. */
const [baselineMs, slowBaselineMs] = [50_000, 100_000]
const tellEveryMs = 5_000

interface Scene {
  fleet: Fleet
  load: Load
  apiUrl: string
  say: (line: string) => void
  signal: AbortSignal
}

/** Shows the demo; the exit code says whether every fault was explained. */
async function demo(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const out = options.json ? process.stderr : process.stdout
  const startedAtMs = performance.now()
  const say = (line: string) => {
    out.write(`${String(Math.round((performance.now() - startedAtMs) / 1_000)).padStart(4)} s  ${line}\n`)
  }
  await using cleanup = new AsyncDisposableStack()
  const end = new AbortController()
  const isOver = AbortSignal.any([signal, end.signal])

  say('starting Headwater on its embedded engines')
  const headwater = await startHeadwater({ ports: options.once || options.json ? 'any' : 'standard', signal })
  cleanup.defer(() => headwater.stop())
  headwater.died.catch((error: unknown) => end.abort(error))
  say(`Headwater takes spans at ${headwater.otlpUrl} and answers at ${headwater.apiUrl}`)
  isOver.throwIfAborted()

  say('starting the fleet: gateway, crypto, math, pdf, data-transform, worker')
  const fleet = await startFleet({ otlpUrl: headwater.otlpUrl, seed: options.seed })
  cleanup.defer(() => fleet.stop())
  isOver.throwIfAborted()
  const load = startLoad({ gatewayUrl: fleet.gatewayUrl, seed: options.seed })
  cleanup.defer(() => load.stop())
  say(`users come to ${fleet.gatewayUrl}`)
  const scene: Scene = { fleet, load, apiUrl: headwater.apiUrl, say, signal: isOver }

  try {
    const isSlowness = options.faults.some(({ kind }) => kind === 'latency' || kind === 'slow-dependency')
    await watchNormal(scene, isSlowness ? slowBaselineMs : baselineMs)
    const results = await breakAndExplain(scene, options)
    tellDocuments(results, options)
    if (!options.once) await stay(scene)
    if (!end.signal.aborted) return results.every(({ state }) => state === 'explained') ? 0 : 1
  } catch (error) {
    if (!end.signal.aborted) throw error
  }
  throw end.signal.reason
}

/** Lets a baseline form, and shows that something is there to form it. */
async function watchNormal({ load, apiUrl, say, signal }: Scene, forMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < forMs; passedMs += tellEveryMs) {
    await wait(tellEveryMs, undefined, { signal })
    const [services, spans] = await Promise.all([readServices(apiUrl), readSpansStored(apiUrl)])
    say(
      `learning what is normal, ${(passedMs + tellEveryMs) / 1_000} of ${forMs / 1_000} s: ` +
        `${load.counts().sent} requests, ${spans} spans stored, ${services.length} services seen`,
    )
  }
  const early = await readOpenIncidents(apiUrl)
  for (const { title } of early) say(`an incident is open before any fault: ${title}`)
}

async function breakAndExplain(scene: Scene, { faults, isSeries, json }: DemoOptions): Promise<FaultResult[]> {
  const { fleet, apiUrl, say, signal } = scene
  const out = json ? process.stderr : process.stdout
  const results: FaultResult[] = []
  for (const [index, request] of faults.entries()) {
    if (index > 0 && !(await heal({ fleet, apiUrl, progress: say, signal }))) {
      say('the incident before is still open; going on')
    }
    say(`breaking ${request.service}${isSeries ? ` (${index + 1} of ${faults.length})` : ''}`)
    const result = await runFault({ fleet, apiUrl, request, progress: say, signal })
    results.push(result)
    const colour = out.isTTY && process.env['NO_COLOR'] === undefined
    if (result.state === 'explained') out.write(`${reportOf(result.document, { apiUrl, colour })}\n`)
    else out.write(`\n${shortfallOf(result)}\n\n`)
  }
  if (isSeries) for (const result of results) out.write(`${rowOf(result)}\n`)
  return results
}

/** What `--json` prints: the document of the fault, or of all faults; of one that was not explained, what is known. */
function tellDocuments(results: FaultResult[], { json, isSeries }: DemoOptions): void {
  if (!json) return
  const documents = results.map((result) => {
    if (result.state === 'explained') return result.document
    return { fault: result.fault, incident: null, example: null, timing: null, reason: result.reason }
  })
  process.stdout.write(`${JSON.stringify(isSeries ? { runs: documents } : documents[0], undefined, 2)}\n`)
}

/** Until Ctrl-C: the fault stays, and more can be had. */
async function stay({ fleet, apiUrl, say, signal }: Scene): Promise<void> {
  say(`The fault is still on. Look around at ${apiUrl}; Ctrl-C ends everything.`)
  say(commandsHelp)
  const endCommands = takeCommands(fleet, say)
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  if (!signal.aborted) await promise
  endCommands()
}

const interrupted = new AbortController()
const interrupt = () => interrupted.abort()
process.on('SIGINT', interrupt).on('SIGTERM', interrupt)

try {
  const options = readDemoOptions(process.argv.slice(2))
  if (options === 'help') process.stdout.write(demoHelp)
  else process.exitCode = await demo(options, interrupted.signal)
} catch (error) {
  process.exitCode = interrupted.signal.aborted ? 130 : 1
  if (!interrupted.signal.aborted) process.stderr.write(`${storyOf(error)}\n`)
}

/** An error with its causes, one a line. */
function storyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : storyOf(error.cause)
  return cause === '' || error.message.includes(cause) ? error.message : `${error.message}\n${cause}`
}
