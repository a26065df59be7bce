import type { TrackedIncident } from '@headwater/store'
import type { Group } from './group.ts'
import { type Accused, isSameCause, newEvidence } from './new-evidence.ts'
import { parameters } from './parameters.ts'

/** What a step does with an incident. */
export type Decision =
  | { deed: 'open'; group: Group }
  | { deed: 'reopen'; incident: TrackedIncident; group: Group; why: string }
  | { deed: 'update'; incident: TrackedIncident; group: Group }
  | { deed: 'wait'; incident: TrackedIncident; quietSteps: number }
  | { deed: 'resolve'; incident: TrackedIncident }

/** What is known beside the open incidents. */
export interface Before {
  /** Those that ended by themselves within `reopenWithinMs`, the last one first. */
  resolved?: TrackedIncident[]
  /** The first suspect of a group. */
  accusedOf?: (group: Group) => Accused | undefined
  /** Whether a group says anything that has not been judged before. */
  isNews?: (group: Group) => boolean
  /** RFC 3339. */
  now?: string
}

/**
 * One decision for each group and each open incident. A group belongs to the oldest incident that it shares a service
 * with; a second incident of the same services does not open. Nor does one whose first cause was that of an incident of these
 * services that ended lately: that one is reopened. An incident closes after `quietStepsToClose` quiet steps. One that
 * somebody has resolved, and that goes on, waits as it is until there is new evidence.
 */
export function decide(
  open: TrackedIncident[],
  groups: Group[],
  { resolved = [], accusedOf = () => undefined, isNews = () => true, now = '' }: Before = {},
): Decision[] {
  const decisions: Decision[] = []
  const owned = new Map<TrackedIncident, Group>()
  for (const group of groups) {
    const owner = open.find((incident) => isOf(incident, group)) ?? cameBack(resolved, group, accusedOf(group))
    if (owner === undefined) {
      decisions.push({ deed: 'open', group })
      continue
    }
    const known = owned.get(owner)
    owned.set(owner, known === undefined ? group : mergeGroups(known, group))
  }
  for (const [incident, group] of owned) {
    if (incident.state === 'open') continue
    const why = `It came back ${minutesBetween(incident.resolvedAt, now)} after it had been resolved, with the same cause.`
    decisions.push({ deed: 'reopen', incident, group, why })
  }
  for (const incident of open) {
    const group = owned.get(incident)
    if (group !== undefined && !isNews(group)) decisions.push({ deed: 'wait', incident, quietSteps: 0 })
    else if (group !== undefined) decisions.push(goingOn(incident, group, accusedOf(group)))
    else if (incident.quietSteps + 1 >= parameters.quietStepsToClose) decisions.push({ deed: 'resolve', incident })
    else decisions.push({ deed: 'wait', incident, quietSteps: incident.quietSteps + 1 })
  }
  return decisions
}

function goingOn(incident: TrackedIncident, group: Group, accused: Accused | undefined): Decision {
  if (!incident.isClosed) return { deed: 'update', incident, group }
  const why = newEvidence(incident, group, accused)
  return why === undefined ? { deed: 'wait', incident, quietSteps: 0 } : { deed: 'reopen', incident, group, why }
}

function isOf({ scope }: TrackedIncident, { services }: Group): boolean {
  return services.some((service) => scope.includes(service))
}

function cameBack(
  resolved: TrackedIncident[],
  group: Group,
  accused: Accused | undefined,
): TrackedIncident | undefined {
  if (accused === undefined) return undefined
  return resolved.find((incident) => {
    const [first] = incident.causes
    return isOf(incident, group) && first !== undefined && isSameCause(first, accused)
  })
}

function minutesBetween(from: string | null, to: string): string {
  const minutes = Math.round((Date.parse(to) - Date.parse(from ?? to)) / 60_000)
  return minutes < 1 ? 'less than a minute' : `${minutes} min`
}

function mergeGroups(first: Group, second: Group): Group {
  return {
    services: [...new Set([...first.services, ...second.services])],
    findings: [...new Set([...first.findings, ...second.findings])],
  }
}
