// Who has to be told what. Compares the incidents with what each destination has been told, and decides; nothing is read or
// written here, so that a crash between deciding and writing changes nothing.
import { createHash } from 'node:crypto'
import type { AlertMember, AlertThread, AlertThreadChange } from '@headwater/store'
import type { AlertChange, AlertIncident, AlertMessage } from '@headwater/vocabulary'
import type { AlertsConfiguration, Route } from './configuration.ts'
import { windowAt } from './maintenance.ts'
import { incidentsMax, labelsOf } from './message.ts'
import { plainLine } from './plain-text.ts'
import { routeTo, type Subject, threadOf } from './route.ts'
import { severities, worstOf } from './severity.ts'
import { newsOf, toldOf } from './told.ts'

/** What one destination has been told. */
export interface Known {
  destination: string
  /** What ended before it was in use is none of its business. */
  sinceMs: number
  members: readonly AlertMember[]
  threads: readonly AlertThread[]
  /** Threads of which a message has not been delivered yet. */
  waiting: ReadonlySet<string>
}

/** Why an incident was not told. */
export type Silence = 'maintenance' | 'short' | 'unrouted'

export interface Plan extends AlertThreadChange {
  /** Incidents that end without having been told. */
  silenced: Silence[]
}

export interface PlanOptions {
  subjects: readonly Subject[]
  known: Known
  configuration: AlertsConfiguration
  nowMs: number
}

/** What one destination has to be told now. */
export function planFor(options: PlanOptions): Plan[] {
  const { subjects, known, configuration } = options
  const byId = new Map(known.members.map((member) => [member.incidentId, member]))
  const gathered = new Map<string, { route: Route | undefined; entries: Entry[] }>()
  const changes: Plan[] = []
  for (const subject of subjects) {
    const { id, state } = subject.incident
    const before = byId.get(id)
    const hasEnded = state === 'resolved'
    if (hasEnded && (before === undefined ? endedMsOf(subject) < known.sinceMs : !before.isOpen)) continue
    const member = before?.isOpen === true ? before : undefined
    // Of a destination's return only those are told who were told that it was lost.
    if (hasEnded && subject.isOurs && member === undefined) continue
    const isTold = member !== undefined && member.told !== null
    const ownerName = isTold ? known.threads.find(({ key }) => key === member.thread)?.route : undefined
    const owner = configuration.routes.find(({ name }) => name === ownerName)
    const route = owner ?? routeTo(known.destination, subject, configuration.routes)
    if (route === undefined && !isTold) {
      if (hasEnded) changes.push(closedSilently(known.destination, subject, 'unrouted'))
      continue
    }
    // What was told goes on where it was told, even when its route is gone; what was held back may have found another one.
    const key = isTold || route === undefined ? (member?.thread ?? id) : threadOf(subject, route)
    const thread = gathered.get(key) ?? { route, entries: [] }
    thread.entries.push({ subject, member })
    gathered.set(key, thread)
  }
  for (const [key, { route, entries }] of gathered) {
    const change = planThread({ ...options, key, route, entries })
    if (change !== undefined) changes.push(change)
  }
  return changes
}

interface Entry {
  subject: Subject
  /** While it is open in the thread. */
  member: AlertMember | undefined
}

function closedSilently(destination: string, { incident }: Subject, silence: Silence): Plan {
  const member = { incidentId: incident.id, thread: incident.id, told: null, isOpen: false }
  return {
    destination,
    thread: incident.id,
    route: '',
    changes: 0,
    members: [member],
    message: undefined,
    silenced: [silence],
  }
}

function planThread({
  key,
  route,
  entries,
  known,
  configuration,
  nowMs,
}: PlanOptions & { key: string; route: Route | undefined; entries: Entry[] }): Plan | undefined {
  const thread = known.threads.find((each) => each.key === key)
  const number = thread?.changes ?? 0
  const wasOpen = entries.some(({ member }) => member !== undefined && member.told !== null)
  const steps = entries.map((entry) => stepOf(entry, { route, configuration, wasOpen, nowMs }))
  const isOpen = steps.some(({ tells, subject }) => tells && subject.incident.state === 'open')
  const change = changeOf({ wasOpen, isOpen, steps })
  const silenced = steps.flatMap(({ silence }) => silence ?? [])
  const unsaid = (): Plan | undefined => {
    // Nothing is said: who is held back is written down all the same, so that its end is no surprise.
    const members = steps.flatMap(({ quietly }) => quietly ?? [])
    if (members.length === 0) return undefined
    return {
      destination: known.destination,
      thread: key,
      route: route?.name ?? '',
      changes: number,
      members: members.map((member) => ({ ...member, thread: key })),
      message: undefined,
      silenced,
    }
  }
  if (change === undefined) return unsaid()
  if (change === 'updated' || change === 'acknowledged') {
    const isUrgent = steps.some((step) => step.isUrgent)
    const isSoon = thread !== undefined && nowMs - thread.toldAtMs < (route?.update_every ?? 0)
    // A message that still waits is told first; what is news then is compared with it.
    if (known.waiting.has(key) || (isSoon && !isUrgent)) return unsaid()
  }
  const telling = steps.filter(({ tells }) => tells)
  const message = messageOf({
    destination: known.destination,
    key,
    number: number + 1,
    route,
    change,
    telling,
    nowMs,
  })
  return {
    destination: known.destination,
    thread: key,
    route: route?.name ?? thread?.route ?? '',
    changes: number,
    members: steps.flatMap(({ subject, member, tells, quietly }) => {
      const told = tells ? toldOf(subject, member?.told ?? undefined) : null
      if (!tells) return quietly === undefined ? [] : [{ ...quietly, thread: key }]
      return [{ incidentId: subject.incident.id, thread: key, told, isOpen: subject.incident.state === 'open' }]
    }),
    message,
    silenced,
  }
}

interface Step extends Entry {
  /** It is part of the message, if there is one. */
  tells: boolean
  /** Sentences that are reason enough for a message. */
  news: string[]
  isUrgent: boolean
  /** How it is written down when it is not told. */
  quietly?: Omit<AlertMember, 'thread'>
  silence?: Silence
}

function stepOf(
  { subject, member }: Entry,
  {
    route,
    configuration,
    wasOpen,
    nowMs,
  }: { route: Route | undefined; configuration: AlertsConfiguration; wasOpen: boolean; nowMs: number },
): Step {
  const { incident } = subject
  const entry = { subject, member, news: [], isUrgent: false }
  const told = member?.told ?? null
  const endsQuietly = (silence: Silence): Step => ({
    ...entry,
    tells: false,
    silence,
    quietly: { incidentId: incident.id, told: null, isOpen: false },
  })
  if (incident.state === 'resolved') {
    if (told !== null) return { ...entry, tells: true, news: wasOpen ? [endOf(incident)] : [] }
    // It ended before it was told: because it was held back, or because nobody looked, and then its end is told.
    const endedMs = endedMsOf(subject)
    if (isInWindow(subject, configuration, endedMs)) return endsQuietly('maintenance')
    if (endedMs - Date.parse(incident.openedAt) < (route?.wait ?? 0)) return endsQuietly('short')
    return { ...entry, tells: true, news: [] }
  }
  if (told !== null) {
    // During maintenance what is open stays as it was told.
    if (isInWindow(subject, configuration, nowMs)) return { ...entry, tells: true }
    const { sentences, isUrgent } = newsOf(subject, told)
    return { ...entry, tells: true, news: sentences, isUrgent }
  }
  const isEarly = nowMs - Date.parse(incident.openedAt) < (route?.wait ?? 0)
  if (isEarly || isInWindow(subject, configuration, nowMs)) {
    const held = { incidentId: incident.id, told: null, isOpen: true }
    return { ...entry, tells: false, ...(member === undefined ? { quietly: held } : {}) }
  }
  // What comes back says why it is no new incident.
  const back = subject.returned === undefined ? [] : [subject.returned]
  return { ...entry, tells: true, news: wasOpen ? [`Opened: ${incident.title}`, ...back] : back }
}

function endOf({ title, mergedInto }: AlertIncident): string {
  return mergedInto === undefined ? `Resolved: ${title}` : `Part of another incident now, ${mergedInto} : ${title}`
}

function endedMsOf({ incident }: Subject): number {
  return Date.parse(incident.resolvedAt ?? incident.openedAt)
}

function isInWindow(subject: Subject, { maintenance }: AlertsConfiguration, atMs: number): boolean {
  return !subject.isOurs && windowAt(maintenance, subject.cause, atMs) !== undefined
}

function changeOf({
  wasOpen,
  isOpen,
  steps,
}: {
  wasOpen: boolean
  isOpen: boolean
  steps: Step[]
}): AlertChange | undefined {
  if (!wasOpen && isOpen) return 'opened'
  if (!isOpen) return steps.some(({ tells }) => tells) ? 'resolved' : undefined
  if (!steps.some(({ news }) => news.length > 0)) return undefined
  const open = steps.filter(({ tells, subject }) => tells && subject.incident.state === 'open')
  const isTakenOn = open.some(({ member }) => member?.told?.acknowledged === false)
  return isTakenOn && open.every(({ subject }) => subject.incident.acknowledgedBy !== null) ? 'acknowledged' : 'updated'
}

const newsMax = 8

function messageOf({
  destination,
  key,
  number,
  route,
  change,
  telling,
  nowMs,
}: {
  destination: string
  key: string
  number: number
  route: Route | undefined
  change: AlertChange
  telling: Step[]
  nowMs: number
}): AlertMessage {
  const incidents = telling.map(({ subject, member }): AlertIncident => {
    const before = member?.told?.labels
    const now = labelsOf(subject.incident)
    const isSame = before === undefined || (before.severity === now.severity && before.service === now.service)
    return { ...subject.incident, labelledBefore: isSame ? null : before }
  })
  const open = incidents.filter(({ state }) => state === 'open')
  const sorted = incidents.toSorted((one, other) => weight(other) - weight(one))
  // That something is resolved needs no more words, that it goes on elsewhere does.
  const isNews = ({ subject }: Step): boolean => change !== 'resolved' || subject.incident.mergedInto !== undefined
  const news = telling.filter(isNews).flatMap((step) => step.news)
  return {
    id: messageId(destination, key, number),
    thread: threadId(key),
    change,
    at: new Date(nowMs).toISOString(),
    route: route?.name ?? '',
    severity: worstOf((open.length > 0 ? open : incidents).map(({ severity }) => severity)),
    news: news.slice(0, newsMax).map((sentence) => plainLine(sentence, { charsMax: 300 })),
    incidents: sorted.slice(0, incidentsMax),
    incidentsTotal: incidents.length,
    isTest: false,
  }
}

function weight({ state, severity }: AlertIncident): number {
  return severities.indexOf(severity) + (state === 'open' ? severities.length : 0)
}

/** One ID for each incident or group, destination and change, whoever computes it and however often. */
export function messageId(destination: string, thread: string, number: number): string {
  return `msg_${createHash('sha256')
    .update(JSON.stringify([destination, thread, number]))
    .digest('base64url')
    .slice(0, 27)}`
}

/** A thread's key as receivers see it: of a bounded length, whatever its services are called. */
function threadId(key: string): string {
  const plain = /^[\w-]{1,100}$/.test(key)
  return plain ? key : `group-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`
}
