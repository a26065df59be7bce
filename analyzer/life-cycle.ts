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
  /** It has turned out to be part of an older one, which is updated in the same step. */
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
  /** RFC 3339. */
  now?: string
}

/**
 * One decision for each open incident, and a place for each group. Groups that accuse the same are one problem. It belongs to the
 * oldest incident that shares a service with it or has that cause; a second incident of the same services or the same cause does
 * not open, and where there are two already, the younger one is merged into the older. Nor does one open whose first cause was that of
 * an incident of these services that ended lately: that one is reopened. An incident closes after `quietStepsToClose` quiet
 * steps. One that somebody has resolved, and that goes on, waits as it is until there is new evidence.
 */
export function decide(
  open: TrackedIncident[],
  groups: Group[],
  { resolved = [], accusedOf = () => undefined, isNews = () => true, now = '' }: Before = {},
): Decision[] {
  const decisions: Decision[] = []
  const owned = new Map<TrackedIncident, Group>()
  const claims: TrackedIncident[][] = []
  for (const { members, accused } of problemsOf(groups, accusedOf)) {
    const claimants = claimantsOf(open, members, accused)
    const owner = claimants.find(({ isClosed }) => !isClosed) ?? claimants[0] ?? cameBack(resolved, members, accused)
    const group = members.reduce(mergeGroups)
    if (owner === undefined) {
      decisions.push({ deed: 'open', group })
      continue
    }
    const known = owned.get(owner)
    owned.set(owner, known === undefined ? group : mergeGroups(known, group))
    claims.push([owner, ...claimants.filter((incident) => incident !== owner)])
  }
  for (const [incident, group] of owned) {
    if (incident.state === 'open') continue
    const why = `It came back ${minutesBetween(incident.resolvedAt, now)} after it had been resolved, with the same cause.`
    decisions.push({ deed: 'reopen', incident, group, why })
  }
  const mergers = mergersOf(claims, owned)
  for (const incident of open) {
    const group = owned.get(incident)
    const into = mergers.get(incident)
    if (group !== undefined && !isNews(group)) decisions.push({ deed: 'wait', incident, quietSteps: 0 })
    else if (group !== undefined) decisions.push(goingOn(withMerged(incident, mergers), group, accusedOf(group)))
    else if (into !== undefined) decisions.push({ deed: 'merge', incident, into })
    else if (incident.quietSteps + 1 >= parameters.quietStepsToClose) decisions.push({ deed: 'resolve', incident })
    else decisions.push({ deed: 'wait', incident, quietSteps: incident.quietSteps + 1 })
  }
  return decisions
}

/** Groups with the same first suspect, whom no call that is known need connect: a fault shows where it is passed on first. */
interface Problem {
  members: Group[]
  accused: Accused | undefined
}

function problemsOf(groups: Group[], accusedOf: (group: Group) => Accused | undefined): Problem[] {
  const problems: Problem[] = []
  for (const group of groups) {
    const accused = accusedOf(group)
    const known =
      accused && problems.find((problem) => problem.accused !== undefined && areSame(problem.accused, accused))
    if (known === undefined) problems.push({ members: [group], accused })
    else known.members.push(group)
  }
  return problems
}

/** The incidents to which a problem could belong, the oldest first: those that own one of its groups, and those with its cause. */
function claimantsOf(open: TrackedIncident[], members: Group[], accused: Accused | undefined): TrackedIncident[] {
  const owners = new Set(members.map((group) => open.find((incident) => isOf(incident, group))))
  return open.filter((incident) => owners.has(incident) || (accused !== undefined && blames(incident, accused)))
}

/** Who is left with nothing while what it claims belongs to an older one is merged into that one. */
function mergersOf(
  claims: TrackedIncident[][],
  owned: ReadonlyMap<TrackedIncident, Group>,
): Map<TrackedIncident, TrackedIncident> {
  const mergers = new Map<TrackedIncident, TrackedIncident>()
  for (const [owner, ...others] of claims) {
    if (owner === undefined || owner.isClosed) continue
    for (const other of others) if (!owned.has(other) && !mergers.has(other)) mergers.set(other, owner)
  }
  return mergers
}

/** What is merged into it belongs to it from now on, and it has begun when the first of them did. */
function withMerged(
  incident: TrackedIncident,
  mergers: ReadonlyMap<TrackedIncident, TrackedIncident>,
): TrackedIncident {
  const merged = [...mergers].flatMap(([other, into]) => (into === incident ? [other] : []))
  if (merged.length === 0) return incident
  const scope = [...new Set([incident, ...merged].flatMap((each) => each.scope))]
  const since = [incident, ...merged].map((each) => each.since).toSorted()[0] ?? incident.since
  return { ...incident, scope, since }
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
  members: Group[],
  accused: Accused | undefined,
): TrackedIncident | undefined {
  if (accused === undefined) return undefined
  return resolved.find((incident) => members.some((group) => isOf(incident, group)) && blames(incident, accused))
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
