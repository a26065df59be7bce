import type { TrackedIncident } from '@headwater/store'
import { parseService } from '@headwater/vocabulary'
import type { Group } from './group.ts'
import { type Accused, isSameCause, newEvidence } from './new-evidence.ts'
import { parameters } from './parameters.ts'

/** What a step does with an incident. */
export type Decision =
  /** `accused`: whom its groups accuse, as long as that is one. */
  | { deed: 'open'; group: Group; accused: Accused | undefined }
  | { deed: 'reopen'; incident: TrackedIncident; group: Group; why: string }
  | { deed: 'update'; incident: TrackedIncident; group: Group; accused: Accused | undefined }
  | { deed: 'wait'; incident: TrackedIncident; quietSteps: number }
  /** It has turned out to be part of an older one, which is updated just before. */
  | { deed: 'merge'; incident: TrackedIncident; into: TrackedIncident }
  | { deed: 'resolve'; incident: TrackedIncident }

/** What is known beside the open incidents. */
export interface Before {
  /** Those that ended by themselves within `reopenWithinMs`, the last one first. */
  resolved?: TrackedIncident[]
  /** The first suspect of a group. */
  accusedOf?: (group: Group) => Accused | undefined
  /** Whether a group says anything that has not been judged before. */
  isNews?: (group: Group) => boolean
  /** Whether nobody can tell just now if an incident goes on. */
  isUnjudged?: (incident: TrackedIncident) => boolean
  /** RFC 3339. */
  now?: string
}

/**
 * One decision for each open incident, and a place for each group. A group belongs to the oldest incident that it shares a service
 * with, so that no second incident of the same services opens. One that shares none belongs to the incident that tells the cause that it
 * accuses, or to one of its services and with that cause, or without any, that ended lately, which is reopened; what is left opens an incident for each
 * cause. Of two open incidents that tell the cause that is accused, the younger is merged into the older. An incident closes after
 * `quietStepsToClose` quiet steps. One that somebody has resolved, and that goes on, waits as it is until there is new evidence.
 */
export function decide(
  open: TrackedIncident[],
  groups: Group[],
  { resolved = [], accusedOf = () => undefined, isNews = () => true, isUnjudged = () => false, now = '' }: Before = {},
): Decision[] {
  const decisions: Decision[] = []
  const owned = new Map<TrackedIncident, Problem>()
  const told = new Map<TrackedIncident, TrackedIncident[]>()
  for (const { group, accused } of groups.map((each) => ({ group: each, accused: accusedOf(each) }))) {
    const ofScope = open.find((incident) => isOf(incident, group))
    const [teller, ...others] = accused === undefined ? [] : open.filter((incident) => tells(incident, accused))
    if (teller !== undefined) told.set(teller, others)
    const isTold = ofScope === undefined || others.includes(ofScope)
    const owner = (isTold ? teller : ofScope) ?? cameBack(resolved, group, accused)
    if (owner !== undefined) owned.set(owner, join(owned.get(owner), { group, accused }))
    else addTo(decisions, { group, accused })
  }
  for (const [incident, { group }] of owned) {
    if (incident.state === 'open') continue
    const cause = incident.causes.length === 0 ? 'and had no cause then' : 'with the same cause'
    const why = `It came back ${minutesBetween(incident.resolvedAt, now)} after it had been resolved, ${cause}.`
    decisions.push({ deed: 'reopen', incident, group, why })
  }
  const merged = new Set<TrackedIncident>()
  for (const incident of open) {
    if (merged.has(incident)) continue
    const problem = owned.get(incident)
    if (problem !== undefined && isNews(problem.group)) {
      const parts = (told.get(incident) ?? []).filter((other) => !owned.has(other))
      decisions.push(goingOn(withParts(incident, parts), problem))
      // Right after the one that tells of them from now on.
      for (const part of parts) decisions.push({ deed: 'merge', incident: part, into: incident })
      for (const part of parts) merged.add(part)
    } else if (problem !== undefined) decisions.push({ deed: 'wait', incident, quietSteps: 0 })
    else if (isUnjudged(incident)) decisions.push({ deed: 'wait', incident, quietSteps: incident.quietSteps })
    else if (incident.quietSteps + 1 >= parameters.quietStepsToClose) decisions.push({ deed: 'resolve', incident })
    else decisions.push({ deed: 'wait', incident, quietSteps: incident.quietSteps + 1 })
  }
  return decisions
}

/** What an incident is told by: a group, or several, and whom they accuse, as long as that is one. */
interface Problem {
  group: Group
  accused: Accused | undefined
}

function join(known: Problem | undefined, more: Problem): Problem {
  if (known === undefined) return more
  const isOne = known.accused !== undefined && more.accused !== undefined && areSame(known.accused, more.accused)
  return { group: mergeGroups(known.group, more.group), accused: isOne ? known.accused : undefined }
}

/** Opens an incident, or adds to one of this step with the same cause: a fault shows where it is passed on first, in services that no call joins. */
function addTo(decisions: Decision[], problem: Problem): void {
  const { group, accused } = problem
  for (const decision of decisions) {
    if (decision.deed !== 'open' || accused === undefined || decision.accused === undefined) continue
    if (!areSame(decision.accused, accused)) continue
    decision.group = mergeGroups(decision.group, group)
    return
  }
  decisions.push({ deed: 'open', group, accused })
}

/** Whether an open incident tells this cause. What somebody has resolved tells nothing any more. */
function tells(incident: TrackedIncident, accused: Accused): boolean {
  return !incident.isClosed && blames(incident, accused) && incident.scope.some(isAtHomeOf(accused))
}

/** Causes are told by plain names: of two namespaces or environments, the services of each have the same. */
function isAtHomeOf({ service }: Accused): (key: string) => boolean {
  const { namespace, environment } = parseService(service)
  return (key) => {
    const other = parseService(key)
    return other.namespace === namespace && other.environment === environment
  }
}

/** What becomes part of it belongs to it from now on, and it has begun when the first of them did. */
function withParts(incident: TrackedIncident, parts: readonly TrackedIncident[]): TrackedIncident {
  if (parts.length === 0) return incident
  const scope = [...new Set([incident, ...parts].flatMap((each) => each.scope))]
  const since = [incident, ...parts].map((each) => each.since).toSorted()[0] ?? incident.since
  return { ...incident, scope, since }
}

function goingOn(incident: TrackedIncident, { group, accused }: Problem): Decision {
  if (!incident.isClosed) return { deed: 'update', incident, group, accused }
  const why = newEvidence(incident, group, accused)
  return why === undefined ? { deed: 'wait', incident, quietSteps: 0 } : { deed: 'reopen', incident, group, why }
}

function isOf({ scope }: TrackedIncident, { services }: Group): boolean {
  return services.some((service) => scope.includes(service))
}

/** What ended with no cause told may have been the beginning of anything. */
function cameBack(
  resolved: TrackedIncident[],
  group: Group,
  accused: Accused | undefined,
): TrackedIncident | undefined {
  return resolved.find(
    (incident) =>
      isOf(incident, group) && (incident.causes.length === 0 || (accused !== undefined && blames(incident, accused))),
  )
}

function blames({ causes: [first] }: TrackedIncident, accused: Accused): boolean {
  return first !== undefined && isSameCause(first, accused)
}

function areSame(one: Accused, other: Accused): boolean {
  return one.service === other.service && one.kind === other.kind && one.peer === other.peer
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
