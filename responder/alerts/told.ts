// What a receiver was told of an incident, and what is news to it since.
import type { AlertIncident, AlertTold } from '@headwater/vocabulary'
import { labelsOf } from './message.ts'
import { plainLine } from './plain-text.ts'
import type { Subject } from './route.ts'
import { isAtLeast } from './severity.ts'

/** More of what a single incident hits is not remembered; what comes then is no news. */
const namesMax = 200
const nameCharsMax = 120

export function toldOf(subject: Subject, before?: AlertTold): AlertTold {
  const { incident } = subject
  const { services, flows } = namesOf(subject)
  return {
    labels: labelsOf(incident),
    severity:
      before !== undefined && isAtLeast(before.severity, incident.severity) ? before.severity : incident.severity,
    cause: causeOf(incident),
    services: [...new Set([...(before?.services ?? []), ...services])].slice(0, namesMax),
    flows: [...new Set([...(before?.flows ?? []), ...flows])].slice(0, namesMax),
    usersAffected: Math.max(before?.usersAffected ?? 0, incident.impact.users.affected),
    acknowledged: incident.acknowledgedBy !== null,
  }
}

export interface News {
  sentences: string[]
  /** It is told at once: it became worse, or somebody has taken it on. */
  isUrgent: boolean
}

/**
 * What is worth a message: it became worse than was ever told, another cause is the first, a service or a flow is hit that was
 * not, at least twice as many users are (ten more at least), or somebody has acknowledged it. The rest is in the console, where the incident is always as it is now.
 */
export function newsOf(subject: Subject, told: AlertTold): News {
  const { incident } = subject
  const { services, flows } = namesOf(subject)
  const sentences: string[] = []
  const isWorse = !isAtLeast(told.severity, incident.severity)
  if (isWorse) sentences.push(`It is worse: ${incident.severity}, after ${told.severity}.`)
  const cause = causeOf(incident)
  if (cause !== told.cause) {
    sentences.push(
      cause === '' ? `${told.cause} is no longer seen as the cause.` : `The cause is now seen in ${cause}.`,
    )
  }
  const more = (names: string[], known: string[]) =>
    known.length >= namesMax ? [] : names.filter((name) => !known.includes(name))
  sentences.push(...hitToo(more(services, told.services), 'service'), ...hitToo(more(flows, told.flows), 'flow'))
  const { affected } = incident.impact.users
  if (affected >= told.usersAffected * 2 && affected >= told.usersAffected + 10) {
    sentences.push(`${affected} users are affected, after ${told.usersAffected}.`)
  }
  const isTakenOn = incident.acknowledgedBy !== null && !told.acknowledged
  if (isTakenOn) sentences.push(`Acknowledged by ${incident.acknowledgedBy}.`)
  return { sentences, isUrgent: isWorse || isTakenOn }
}

function namesOf({ services, flows }: Subject): { services: string[]; flows: string[] } {
  const short = (names: string[]) => names.map((name) => plainLine(name, { charsMax: nameCharsMax }))
  return { services: short(services), flows: short(flows) }
}

function hitToo(names: string[], kind: 'service' | 'flow'): string[] {
  if (names.length === 0) return []
  const shown = names.slice(0, 5).join(', ')
  const rest = names.length > 5 ? ` and ${names.length - 5} more` : ''
  return [`Hit as well: ${kind}${names.length === 1 ? '' : 's'} ${shown}${rest}.`]
}

function causeOf({ cause }: AlertIncident): string {
  if (cause === null) return ''
  const place = `${cause.service} ${cause.operation}`.trim()
  return `${place} (${cause.kind}${cause.peer === null ? '' : ` of ${cause.peer}`})`
}
