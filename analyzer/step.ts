// One step of the analysis: what the facts up to a moment mean for the incidents. Reads, decides purely, explains, writes.
import { randomUUID } from 'node:crypto'
import {
  collectorWasAlive,
  type Lease,
  readOpenIncidents,
  readStates,
  readResolvedIncidents,
  saveIncident,
  type Store,
  tenSecondsOf,
  type TrackedIncident,
  type WindowCounts,
  type Windows,
} from '@headwater/store'
import type { Baseline } from './baseline.ts'
import { blame } from './blame.ts'
import { readCommonSlowdown } from './common-slowdown.ts'
import type { Suspect } from './cause.ts'
import { detect, type Finding } from './detect.ts'
import { isOfEntry } from './entries.ts'
import { explain, type Otherwise, readOnsetWindows } from './explain.ts'
import { type Group, groupFindings, servicesOf } from './group.ts'
import { seriesOf, smallDepartures } from './lasting.ts'
import { type Decision, decide } from './life-cycle.ts'
import { isSameCause } from './new-evidence.ts'
import { badWindows } from './onset.ts'
import { parameters } from './parameters.ts'
import { type Picture, pictureOf } from './picture.ts'
import { type Lasting, LastingEffects } from './read-lasting.ts'
import { type Pictures, readPictures } from './read-pictures.ts'
import { compareWithOtherDays } from './read-same-time.ts'
import { isEarly, recentAt } from './recent.ts'
import type { Seasonal, Seasons } from './seasons.ts'
import type { Compared } from './told-anomaly.ts'

export interface StepReport {
  findings: number
  opened: number
  /** Resolved before, and back. */
  reopened: number
  resolved: number
  /** Part of an older one since. */
  merged: number
  open: number
  /** Whether something could be beginning that no open incident owns: then the next step is an early one. */
  isUneasy: boolean
  /** Findings that are usual at this time of day, and opened nothing. */
  usual: number
  /** Series that were too many to look at, and so not judged or not told. */
  seriesLeftOut: number
  /** Why small effects that last could not be looked for. */
  lastingFailure?: string
  /** What could not be read that only says more of incidents. */
  evidenceFailures?: readonly string[]
  /** Flows that are watched against their seasons, and how many were too many, where any are. */
  seasons?: Omit<Seasonal, 'findings' | 'isJudged'> | undefined
}

/**
 * Judges the windows that ended by `atMs` (a multiple of the step) against the time before, and moves the incidents on. At half of a
 * step it judges what is known of a window that goes on, too, and only opens incidents. Who
 * makes step after step gives the same `lasting` to all, so that what lasts is looked for once a minute only; and the same `seasons`, which know
 * what is usual at a time of the week. Without these, nothing is said of it.
 */
export async function step(
  store: Store,
  lease: Lease,
  atMs: number,
  {
    nowMs = Date.now(),
    lasting = new LastingEffects(store),
    seasons,
  }: { nowMs?: number; lasting?: LastingEffects; seasons?: Seasons } = {},
): Promise<StepReport> {
  const open = await readOpenIncidents(store)
  const pictures = await readPictures(store, atMs)
  const alive = await collectorWasAlive(store, { fromMs: atMs - pictures.recentMs, toMs: atMs })
  // Neither a call nor a collector: nothing says that an incident is over.
  if (!alive && pictures.isEmpty) {
    return {
      findings: 0,
      opened: 0,
      reopened: 0,
      resolved: 0,
      merged: 0,
      open: open.length,
      isUneasy: false,
      usual: 0,
      seriesLeftOut: pictures.leftOut(),
    }
  }
  const effects = await lasting.at(atMs)
  const seasonal = await seasons?.at(atMs, { collectorWasAlive: alive })
  const found = withLasting(detect({ ...pictures, collectorWasAlive: alive }), effects)
  const findings = withLasting(found, { findings: seasonal?.findings ?? [] })
  let leftOut = effects.leftOut
  const count = (series: number): void => {
    leftOut += series
  }
  const calls = findings.length === 0 ? [] : await pictures.calls()
  // Without these an incident says less, and opens all the same.
  const failures: string[] = []
  const otherwise: Otherwise = (value) => (error) => {
    failures.push(error instanceof Error ? error.message : String(error))
    return value
  }
  const grouped = groupFindings(findings, calls)
  const otherDays = await compareWithOtherDays(store, grouped, {
    atMs,
    pictures,
    calls,
    isOpen: ({ services }) => open.some(({ scope }) => services.some((service) => scope.includes(service))),
  }).catch(otherwise({ groups: grouped, usual: [], normal: new Map<Finding, Baseline>(), leftOut: 0 }))
  count(otherDays.leftOut)
  const { groups } = otherDays
  const accused = new Map<Group, Suspect[]>()
  const isNew = effects.isNew || seasonal?.isNew === true
  const isNews = (group: Group): boolean => isNew || !group.findings.every(isLasting)
  const judged = { pictures, effects, sameTime: otherDays.normal, atMs, count }
  for (const group of groups.filter(isNews)) accused.set(group, await readSuspects(store, group, judged))
  const resolved = groups.length === 0 ? [] : await readResolvedIncidents(store, nowMs - parameters.reopenWithinMs)
  const possible = decide(open, groups, {
    resolved,
    accusedOf: (group) => accused.get(group)?.[0],
    isNews,
    isUnjudged: ({ anomalies }) => seasonal?.isJudged === false && anomalies.some(({ isOfSeason }) => isOfSeason),
    now: new Date(nowMs).toISOString(),
  })
  const decisions: Decision[] = []
  for (const decision of possible.filter(({ deed }) => !isEarly(atMs) || deed === 'open' || deed === 'reopen')) {
    if (!('group' in decision)) {
      await carryOut(store, lease, { decision, atMs, nowMs, otherwise })
      decisions.push(decision)
      continue
    }
    const { group } = decision
    if (!isNews(group)) continue
    const { windows, leftOut: windowsLeftOut } = await readOnsetWindows(store, group, atMs)
    count(windowsLeftOut)
    const knownSinceMs = goesOnSinceMs(decision)
    // An incident is explained by all of its time; groups that one incident owns are merged, and then new.
    const suspects =
      knownSinceMs === undefined
        ? (accused.get(group) ?? (await readSuspects(store, group, judged)))
        : await readSuspects(store, group, { ...judged, sinceMs: knownSinceMs, wasSlow: wasToldSlow(decision) })
    if (decision.deed !== 'update' && !mayOpen(group, { suspects, windows, atMs, recent: pictures.recent })) continue
    const sinceMs = knownSinceMs ?? atMs
    const compared = comparedAt(atMs, sinceMs, pictures.normal)
    const known = await readNormal(decision, suspects, judged)
    const normal = normalFor(group, judged).windows
    const evidence = { suspects, windows, known, normal, compared, knownSinceMs }
    count(await carryOut(store, lease, { decision, evidence, atMs, nowMs, otherwise }))
    decisions.push(decision)
  }
  const owned = new Set([
    ...open.flatMap(({ scope }) => scope),
    ...decisions.flatMap((decision) => ('group' in decision ? decision.group.services : [])),
    ...otherDays.usual.flatMap(servicesOf),
  ])
  return {
    findings: findings.length,
    opened: decisions.filter(({ deed }) => deed === 'open').length,
    reopened: decisions.filter(({ deed }) => deed === 'reopen').length,
    resolved: decisions.filter(({ deed }) => deed === 'resolve').length,
    merged: decisions.filter(({ deed }) => deed === 'merge').length,
    open: countOpen(open, decisions),
    isUneasy: [...pictures.restless].some((service) => !owned.has(service)),
    usual: otherDays.usual.length,
    seriesLeftOut: leftOut + pictures.leftOut(),
    ...(effects.isNew && effects.failure !== undefined ? { lastingFailure: effects.failure } : {}),
    ...(failures.length === 0 ? {} : { evidenceFailures: failures }),
    ...(seasonal === undefined ? {} : { seasons: seasonalReport(seasonal) }),
  }
}

/** How many incidents are open once these decisions are carried out; what somebody has resolved is not. */
function countOpen(before: readonly TrackedIncident[], decisions: readonly Decision[]): number {
  const open = new Set(before.filter(({ isClosed }) => !isClosed).map(({ id }) => id))
  let opened = 0
  for (const decision of decisions) {
    if (decision.deed === 'open') opened += 1
    else if (decision.deed === 'reopen') open.add(decision.incident.id)
    else if (decision.deed === 'resolve' || decision.deed === 'merge') open.delete(decision.incident.id)
  }
  return open.size + opened
}

/** What a step has read of all series. */
interface Judged {
  pictures: Pictures
  effects: Lasting
  /** What is normal for findings of groups in which something comes back at this time of day. */
  sameTime: ReadonlyMap<Finding, Baseline>
  atMs: number
  /** Counts series that were too many to look at. */
  count: (series: number) => void
}

interface Evidence {
  suspects: Suspect[]
  windows: WindowCounts[]
  known: Picture
  normal: Windows
  compared: Compared
  /** The onset, where it goes on. */
  knownSinceMs: number | undefined
}

/**
 * The onset of what goes on. What comes back after it was resolved has begun anew, and so has what comes after a quiet time with
 * another cause: what went wrong before would be laid at its door.
 */
function goesOnSinceMs(decision: Decision): number | undefined {
  if (decision.deed !== 'update') return undefined
  const { accused } = decision
  const { since, quietSteps, causes } = decision.incident
  const [first] = causes
  const isOther = accused !== undefined && first !== undefined && !isSameCause(first, accused)
  return quietSteps > 0 && isOther ? undefined : Date.parse(since)
}

/**
 * Who is to blame, since the onset where there is one: what is left when a fault fades tells less than what was seen at its height.
 * Only those who took part are asked: services of the group, and whom they call, directly or through others.
 */
async function readSuspects(
  store: Store,
  group: Group,
  judged: Judged & { sinceMs?: number; wasSlow?: boolean },
): Promise<Suspect[]> {
  // Who does not come is kept away by nobody within.
  if (group.findings.every(({ signal }) => signal === 'traffic')) return []
  const suspects = await readSuspectsBy(store, group, judged)
  // What is more than usual at this time of day, and not by as much as blaming asks for, departs from the last hour at least.
  return suspects.length > 0 || sameTimeOf(group, judged) === undefined
    ? suspects
    : await readSuspectsBy(store, group, { ...judged, sameTime: new Map() })
}

async function readSuspectsBy(
  store: Store,
  group: Group,
  {
    pictures,
    effects,
    sameTime,
    atMs,
    count,
    sinceMs = atMs,
    wasSlow = false,
  }: Judged & { sinceMs?: number; wasSlow?: boolean },
): Promise<Suspect[]> {
  const lasts = group.findings.some(isLasting)
  const normal = normalFor(group, { pictures, effects, sameTime })
  const around = await pictures.around(group.services, normal)
  const fromMs = blamedFromMs(atMs, lasts ? Math.min(sinceMs, effects.range.fromMs) : sinceMs)
  const isLonger = fromMs < atMs - pictures.recentMs
  const recent = tenSecondsOf({ fromMs, toMs: recentAt(atMs).toMs })
  const since = isLonger ? await readStates(store, recent, { services: servicesIn(around) }) : undefined
  count(since?.leftOut ?? 0)
  const seen = since === undefined ? around.recent : pictureOf(since.states)
  const { windows: baseline } = normal
  const isSlow = wasSlow || group.findings.some(({ unit }) => unit === 'ns')
  const isOther = isLonger || sameTimeOf(group, { sameTime }) !== undefined
  const slowdown = isSlow && isOther ? await readCommonSlowdown(store, { recent, baseline }) : pictures.slowdown
  const told = blame(seen, around.baseline, { alarms: group.findings, wasSlow, slowdown })
  const suspects =
    lasts && told.every(({ weight }) => weight === 0)
      ? blame(seen, around.baseline, {
          alarms: [...group.findings, ...smallDepartures(seen, around.baseline, slowdown)],
          slowdown,
        })
      : told
  const total = suspects.reduce((sum, { weight }) => sum + weight, 0)
  return suspects.filter(({ weight }) => weight > 0 && weight >= total * parameters.causeScoreMin)
}

function isLasting({ compared }: Finding): boolean {
  return compared !== undefined
}

function wasToldSlow(decision: Decision): boolean {
  return decision.deed === 'update' && decision.incident.causes.slice(0, 1).some(({ kind }) => kind !== 'errors')
}

/** A failure is told once. */
function seasonalReport({ watched, leftOut, failure, isNew }: Seasonal & { isNew: boolean }): StepReport['seasons'] {
  return { watched, leftOut, ...(isNew && failure !== undefined ? { failure } : {}) }
}

/** What lasts is told of series of which the recent time does not tell the same. */
function withLasting(findings: Finding[], { findings: lasting }: Pick<Lasting, 'findings'>): Finding[] {
  const known = new Set(findings.map(seriesOf))
  return [...findings, ...lasting.filter((finding) => !known.has(seriesOf(finding)))]
}

/** Since when suspects are judged: since the onset where there is one, at least the recent time, and not for ever. */
function blamedFromMs(atMs: number, sinceMs: number): number {
  return Math.max(Math.min(sinceMs, recentAt(atMs).fromMs), atMs - parameters.blameMs)
}

/** What comes back at this time of day is part of its normal; and what has gone on for minutes, of the recent time's. */
function normalFor(
  group: Group,
  { pictures, effects, sameTime }: Pick<Judged, 'pictures' | 'effects' | 'sameTime'>,
): Baseline {
  const ofLasting = group.findings.some(isLasting) ? effects.baseline : undefined
  return sameTimeOf(group, { sameTime }) ?? ofLasting ?? pictures.normal
}

function sameTimeOf({ findings }: Group, { sameTime }: Pick<Judged, 'sameTime'>): Baseline | undefined {
  return findings.map((finding) => sameTime.get(finding)).find((baseline) => baseline !== undefined)
}

/** What is normal around a group and what else its incident has hit, with all that is told of the suspects. */
async function readNormal(
  decision: Extract<Decision, { group: Group }>,
  suspects: Suspect[],
  { pictures, effects, sameTime }: Judged,
): Promise<Picture> {
  const { group } = decision
  // When a fault fades, what an incident hit at its height still belongs to it.
  const scope = decision.deed === 'open' ? [] : decision.incident.scope
  return await pictures.connected([...group.services, ...scope], {
    told: [
      ...group.services,
      ...suspects.flatMap(({ service, findings }) => [service, ...findings.flatMap(servicesOf)]),
    ],
    before: normalFor(group, { pictures, effects, sameTime }),
  })
}

function servicesIn({ recent, baseline }: { recent: Picture; baseline: Picture }): Set<string> {
  const series = [recent, baseline].flatMap(({ operations, edges }) => [...operations.values(), ...edges.values()])
  return new Set(series.map(({ service }) => service))
}

/**
 * What chance cannot explain opens an incident at once, as does what has lasted; the rest has to last, because machines hiccup. Where
 * nobody is to blame, only what users see opens one, and only at the end of a step: half a window has no culprit yet.
 */
function mayOpen(
  group: Group,
  { suspects, windows, atMs, recent }: { suspects: Suspect[]; windows: WindowCounts[]; atMs: number; recent: Picture },
): boolean {
  // Traffic that is missing is told though nobody within is to blame, as is what no hour shows.
  if (group.findings.some(({ isOfSeason }) => isOfSeason)) return true
  const hasLasted = (finding: Finding, steps: number): boolean =>
    isLasting(finding) || badWindows(finding, windows, atMs) >= steps
  if (suspects.length === 0) {
    return (
      !isEarly(atMs) &&
      group.findings.some((finding) => isOfEntry(finding, recent) && hasLasted(finding, parameters.unexplainedWindows))
    )
  }
  return group.findings.some((finding) => hasLasted(finding, finding.pValue < parameters.certainPValue ? 1 : 2))
}

/** The last times that an incident came back; their number is kept beside them. */
const reopenedMax = 20

/** The times that a step compares. */
function comparedAt(atMs: number, sinceMs: number, normal: Baseline): Compared {
  return {
    recent: recentAt(atMs),
    baseline: normal.range,
    blamed: { fromMs: blamedFromMs(atMs, sinceMs), toMs: atMs },
  }
}

/** Gives how many series were too many to look at for it. */
async function carryOut(
  store: Store,
  lease: Lease,
  {
    decision,
    evidence,
    atMs,
    nowMs,
    otherwise,
  }: { decision: Decision; evidence?: Evidence; atMs: number; nowMs: number; otherwise: Otherwise },
): Promise<number> {
  const nowIso = new Date(nowMs).toISOString()
  switch (decision.deed) {
    case 'open':
    case 'reopen':
    case 'update': {
      if (evidence === undefined) return 0
      const { group } = decision
      const earlier = decision.deed === 'open' ? undefined : decision.incident
      const told = await explain(store, {
        group,
        ...evidence,
        untilMs: atMs,
        otherwise,
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
        mergedInto: null,
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
      return told.leftOut
    }
    case 'wait':
      await saveIncident(store, lease, { ...decision.incident, updatedAt: nowIso, quietSteps: decision.quietSteps })
      return 0
    case 'merge':
    case 'resolve':
      await saveIncident(store, lease, {
        ...decision.incident,
        state: 'resolved',
        updatedAt: nowIso,
        resolvedAt: nowIso,
        mergedInto: decision.deed === 'merge' ? decision.into.id : null,
      })
      return 0
  }
}
