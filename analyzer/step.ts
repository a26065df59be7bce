// One step of the analysis: what the facts up to a moment mean for the incidents. Reads, decides purely, explains, writes.
import { randomUUID } from 'node:crypto'
import {
  collectorWasAlive,
  type Lease,
  readOpenIncidents,
  readResolvedIncidents,
  saveIncident,
  type Store,
  type WindowCounts,
} from '@headwater/store'
import { rankSuspects } from './cause.ts'
import { detect, type Finding } from './detect.ts'
import { explain, readOnsetWindows } from './explain.ts'
import { type Group, groupFindings } from './group.ts'
import { type Decision, decide } from './life-cycle.ts'
import { badWindows } from './onset.ts'
import { parameters } from './parameters.ts'
import type { Picture } from './picture.ts'
import { readPictures } from './read-pictures.ts'
import type { Compared } from './told-anomaly.ts'

export interface StepReport {
  findings: number
  opened: number
  /** Resolved before, and back. */
  reopened: number
  resolved: number
  open: number
}

/** Judges the windows that ended by `atMs` (a multiple of the step) against the time before, and moves the incidents on. */
export async function step(store: Store, lease: Lease, atMs: number, nowMs = Date.now()): Promise<StepReport> {
  const open = await readOpenIncidents(store)
  const { recent, baseline, recentMs, baselineMs } = await readPictures(store, atMs)
  const alive = await collectorWasAlive(store, { fromMs: atMs - recentMs, toMs: atMs })
  // Neither a call nor a collector: nothing says that an incident is over.
  if (!alive && recent.operations.size === 0 && recent.edges.size === 0) {
    return { findings: 0, opened: 0, reopened: 0, resolved: 0, open: open.length }
  }
  const findings = detect({ recent, baseline, recentMs, baselineMs, collectorWasAlive: alive })
  const groups = groupFindings(findings, baseline)
  const windowsOf = new Map<Group, WindowCounts[]>()
  for (const group of groups) windowsOf.set(group, await readOnsetWindows(store, group, atMs))
  const resolved = groups.length === 0 ? [] : await readResolvedIncidents(store, nowMs - parameters.reopenWithinMs)
  const possible = decide(open, groups, {
    resolved,
    accusedOf: (group) => rankSuspects(group.findings, baseline)[0],
    now: new Date(nowMs).toISOString(),
  })
  // Groups that one incident owns are merged, and then new.
  for (const decision of possible) {
    if ('group' in decision && !windowsOf.has(decision.group))
      windowsOf.set(decision.group, await readOnsetWindows(store, decision.group, atMs))
  }
  const decisions = possible.filter(
    (decision) =>
      (decision.deed !== 'open' && decision.deed !== 'reopen') ||
      mayOpen(decision.group, windowsOf.get(decision.group) ?? [], baseline, atMs),
  )
  for (const decision of decisions) await carryOut(store, lease, decision, { known: baseline, windowsOf, atMs, nowMs })
  return {
    findings: findings.length,
    opened: decisions.filter(({ deed }) => deed === 'open').length,
    reopened: decisions.filter(({ deed }) => deed === 'reopen').length,
    resolved: decisions.filter(({ deed }) => deed === 'resolve').length,
    open: decisions.filter((decision) => decision.deed !== 'resolve' && !isStillClosed(decision)).length,
  }
}

function isStillClosed(decision: Decision): boolean {
  return decision.deed === 'wait' && decision.incident.isClosed
}

/** Errors that chance cannot explain open an incident at once; slowness has to last, because machines hiccup. */
function mayOpen(group: Group, windows: WindowCounts[], known: Picture, atMs: number): boolean {
  const [first] = rankSuspects(group.findings, known)
  if (first === undefined) return false
  return first.findings.some(
    (finding) =>
      (isCertain(finding) && badWindows(finding, windows, atMs) >= 1) || badWindows(finding, windows, atMs) >= 2,
  )
}

function isCertain({ signal, pValue }: Finding): boolean {
  switch (signal) {
    case 'errors':
    case 'origin-errors':
    case 'unanswered':
    case 'silence':
      return pValue < parameters.certainPValue
    case 'latency':
    case 'self-time':
    case 'wire-time':
    case 'logs':
      return false
  }
}

/** The last times that an incident came back; their number is kept beside them. */
const reopenedMax = 20

/** The times that a step compares. */
function comparedAt(atMs: number): Compared {
  const fromMs = atMs - parameters.recentMs
  return {
    recent: { fromMs, toMs: atMs },
    baseline: { fromMs: atMs - parameters.baselineMs, toMs: fromMs - parameters.gapMs },
  }
}

async function carryOut(
  store: Store,
  lease: Lease,
  decision: Decision,
  {
    known,
    windowsOf,
    atMs,
    nowMs,
  }: { known: Picture; windowsOf: Map<Group, WindowCounts[]>; atMs: number; nowMs: number },
): Promise<void> {
  const nowIso = new Date(nowMs).toISOString()
  switch (decision.deed) {
    case 'open':
    case 'reopen':
    case 'update': {
      const { group } = decision
      const earlier = decision.deed === 'open' ? undefined : decision.incident
      const windows = windowsOf.get(group) ?? []
      const told = await explain(store, {
        group,
        known,
        windows,
        untilMs: atMs,
        compared: comparedAt(atMs),
        ...(earlier === undefined ? {} : { knownSinceMs: Date.parse(earlier.since) }),
      })
      // What is left when a fault fades is no better explanation than what was seen at its height.
      const causes = told.causes.length === 0 && earlier !== undefined ? earlier.causes : told.causes
      const reopened =
        decision.deed === 'reopen'
          ? [...decision.incident.reopened, { at: nowIso, why: decision.why }].slice(-reopenedMax)
          : (earlier?.reopened ?? [])
      await saveIncident(store, lease, {
        id: earlier?.id ?? randomUUID(),
        state: 'open',
        title: causes === told.causes ? told.title : (earlier?.title ?? told.title),
        since: new Date(told.sinceMs).toISOString(),
        openedAt: earlier?.openedAt ?? nowIso,
        updatedAt: nowIso,
        resolvedAt: null,
        reopenings: (earlier?.reopenings ?? 0) + (decision.deed === 'reopen' ? 1 : 0),
        reopened,
        causes,
        confidence: causes === told.causes ? told.confidence : (earlier?.confidence ?? 0),
        noCauseReason: causes.length === 0 ? told.noCauseReason : null,
        impact: told.impact,
        anomalies: told.anomalies,
        changes: told.changes,
        scope: [...new Set([...(earlier?.scope ?? []), ...group.services])].toSorted(),
        quietSteps: 0,
      })
      return
    }
    case 'wait':
      await saveIncident(store, lease, { ...decision.incident, updatedAt: nowIso, quietSteps: decision.quietSteps })
      return
    case 'resolve':
      await saveIncident(store, lease, {
        ...decision.incident,
        state: 'resolved',
        updatedAt: nowIso,
        resolvedAt: nowIso,
      })
      return
  }
}
