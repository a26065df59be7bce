// One fault from its injection to its explanation, and its healing. The demo shows it, the benchmark counts it.

import { setTimeout as wait } from 'node:timers/promises'
import type { Fault, FaultRequest } from './fault.ts'
import type { Fleet } from './fleet.ts'
import {
  type Cause,
  type Explanation,
  type Incident,
  readExplanation,
  readIncident,
  readOpenIncidents,
  readRuns,
  type Run,
} from './headwater-api.ts'

/** What Headwater made of a fault. */
export interface FaultDocument {
  fault: Fault
  incident: Pick<Incident, 'id' | 'openedAt' | 'causes' | 'impact'>
  /** A run that the fault hit, explained. */
  example: { flowId: string; explain: Explanation }
  timing: {
    /** From the fault to the incident. */
    detectAfterMs: number
    /** From the fault until the API had told incident, causes and the example. */
    explainAfterMs: number
  }
}

export type FaultResult =
  | { state: 'explained'; document: FaultDocument; openBefore: Incident[] }
  | { state: 'unexplained'; fault: Fault; reason: string; incidents: Incident[]; openBefore: Incident[] }

export interface FaultRun {
  fleet: Fleet
  apiUrl: string
  request: FaultRequest
  explainWithinMs?: number
  /** Told what happens, in sentences. */
  progress?: (sentence: string) => void
  signal?: AbortSignal | undefined
}

const pollEveryMs = 500
const explainWithinMsUsual = 90_000
/** Runs that are asked for their explanation before one that tells of another cause is taken. */
const candidatesMax = 5

/** Injects a fault and waits until Headwater explains it. The fault stays; see {@link heal}. */
export async function runFault(run: FaultRun): Promise<FaultResult> {
  const { fleet, apiUrl, request, explainWithinMs = explainWithinMsUsual, progress = () => undefined, signal } = run
  const openBefore = await readOpenIncidents(apiUrl)
  const fault = await fleet.inject(request)
  progress(`${fault.kind} in ${fault.service}, ${fault.operation}`)

  const injectedAtMs = Date.parse(fault.injectedAt)
  const known: Known = { what: 'nothing' }
  let failure = ''
  while (Date.now() - injectedAtMs < explainWithinMs) {
    try {
      const document = await explained(apiUrl, fault, known, progress)
      if (document) return { state: 'explained', document, openBefore }
      failure = ''
    } catch (error) {
      // An API that stumbles for a moment is late, no more; one that stays away is told at the end.
      const message = `; ${error instanceof Error ? error.message : String(error)}`
      if (message !== failure) progress(`Headwater does not answer as it should${message}`)
      failure = message
    }
    await wait(pollEveryMs, undefined, { signal })
  }
  const reason = `${shortfalls[known.what]} within ${explainWithinMs / 1_000} s${failure}`
  const incidents = failure === '' ? await readOpenIncidents(apiUrl) : []
  return { state: 'unexplained', fault, reason, incidents, openBefore }
}

/** How far the API has come, so that each step is told once. */
interface Known {
  what: 'nothing' | 'incident' | 'cause'
}

const shortfalls: Record<Known['what'], string> = {
  nothing: 'no incident opened',
  incident: 'the incident had no cause',
  cause: 'no run that it hit was explained',
}

async function explained(
  apiUrl: string,
  fault: Fault,
  known: Known,
  progress: (sentence: string) => void,
): Promise<FaultDocument | undefined> {
  const injectedAtMs = Date.parse(fault.injectedAt)
  const opened = (await readOpenIncidents(apiUrl, fault.injectedAt)).toSorted(byOpening)
  if (opened.length > 0 && known.what === 'nothing') {
    known.what = 'incident'
    progress(`an incident opened ${secondsSince(injectedAtMs)} after the fault`)
  }
  const found = opened.find(({ causes }) => causes.length > 0)
  if (!found) return undefined
  if (known.what !== 'cause') {
    known.what = 'cause'
    progress(`it has a cause after ${secondsSince(injectedAtMs)}: ${found.title}`)
  }
  const example = await exampleOf(apiUrl, found, fault.injectedAt)
  if (!example) return undefined
  const { id, openedAt, causes, impact } = await readIncident(apiUrl, found.id)
  const timing = { detectAfterMs: Date.parse(openedAt) - injectedAtMs, explainAfterMs: Date.now() - injectedAtMs }
  return { fault, incident: { id, openedAt, causes, impact }, example, timing }
}

/** Clears the fault, and waits until no incident has been open for `quietMs`; false when that takes too long. */
export async function heal(options: {
  fleet: Fleet
  apiUrl: string
  quietMs?: number
  withinMs?: number
  progress?: (sentence: string) => void
  signal?: AbortSignal | undefined
}): Promise<boolean> {
  const { fleet, apiUrl, quietMs = 20_000, withinMs = 300_000, progress = () => undefined, signal } = options
  await fleet.clear()
  const clearedAtMs = Date.now()
  progress('fault cleared')
  let quietSinceMs: number | undefined
  while (Date.now() - clearedAtMs < withinMs) {
    const isOpen = await readOpenIncidents(apiUrl).then(
      (open) => open.length > 0,
      () => true,
    )
    if (isOpen) quietSinceMs = undefined
    else if (quietSinceMs === undefined) {
      quietSinceMs = Date.now()
      progress(`no incident is open, ${secondsSince(clearedAtMs)} after the fault was cleared`)
    } else if (Date.now() - quietSinceMs >= quietMs) return true
    await wait(pollEveryMs, undefined, { signal })
  }
  return false
}

/** A failed or slow run that the explanation counts to the incident; else one that it explains by the same service, or at all. */
async function exampleOf(
  apiUrl: string,
  incident: Incident,
  since: string,
): Promise<FaultDocument['example'] | undefined> {
  const cause = incident.causes[0]
  if (!cause) return undefined
  const hit = new Set(incident.impact.flows.map(({ name }) => name))
  const candidates = (await candidateRuns(apiUrl, cause, since)).filter(
    (run) => hit.size === 0 || hit.has(run.flowName),
  )
  const fallbacks: FaultDocument['example'][] = []
  for (const { flowId } of candidates.slice(0, candidatesMax)) {
    const explain = await readExplanation(apiUrl, flowId)
    if (!explain?.origin) continue
    // Of a call to a dead service there is only the caller's span, which names it as its peer.
    const isSame = explain.origin.service === cause.service || explain.origin.peer === cause.service
    if (isSame && explain.incidentId === incident.id) return { flowId, explain }
    if (isSame) fallbacks.unshift({ flowId, explain })
    else fallbacks.push({ flowId, explain })
  }
  return fallbacks[0]
}

/** Where the cause makes runs slow, the slowest first; else failed ones, those first that the cause took part in. */
async function candidateRuns(apiUrl: string, cause: Cause, since: string): Promise<Run[]> {
  const failed = await readRuns(apiUrl, { since, status: 'error' })
  const isSlow = cause.kind === 'latency' || (cause.kind === 'dependency' && failed.length === 0)
  if (isSlow) return (await readRuns(apiUrl, { since })).toSorted((a, b) => b.durationMs - a.durationMs)
  const tookPart = (run: Run) => Number(run.services.includes(cause.service))
  return failed.toSorted((a, b) => tookPart(b) - tookPart(a))
}

function byOpening(a: Incident, b: Incident): number {
  return Date.parse(a.openedAt) - Date.parse(b.openedAt)
}

function secondsSince(ms: number): string {
  return `${((Date.now() - ms) / 1_000).toFixed(0)} s`
}
