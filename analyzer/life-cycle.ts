import type { TrackedIncident } from '@headwater/store'
import type { Group } from './group.ts'
import { parameters } from './parameters.ts'

/** What a step does with an incident. */
export type Decision =
  | { deed: 'open'; group: Group }
  | { deed: 'update'; incident: TrackedIncident; group: Group }
  | { deed: 'wait'; incident: TrackedIncident; quietSteps: number }
  | { deed: 'resolve'; incident: TrackedIncident }

/**
 * One decision for each group and each open incident. A group belongs to the oldest incident that it shares a service
 * with; a second incident of the same services does not open. An incident closes after `quietStepsToClose` quiet steps.
 */
export function decide(open: TrackedIncident[], groups: Group[]): Decision[] {
  const decisions: Decision[] = []
  const updated = new Map<string, Group>()
  for (const group of groups) {
    const owner = open.find(({ scope }) => group.services.some((service) => scope.includes(service)))
    if (owner === undefined) {
      decisions.push({ deed: 'open', group })
      continue
    }
    const known = updated.get(owner.id)
    updated.set(owner.id, known === undefined ? group : mergeGroups(known, group))
  }
  for (const incident of open) {
    const group = updated.get(incident.id)
    if (group !== undefined) decisions.push({ deed: 'update', incident, group })
    else if (incident.quietSteps + 1 >= parameters.quietStepsToClose) decisions.push({ deed: 'resolve', incident })
    else decisions.push({ deed: 'wait', incident, quietSteps: incident.quietSteps + 1 })
  }
  return decisions
}

function mergeGroups(first: Group, second: Group): Group {
  return {
    services: [...new Set([...first.services, ...second.services])],
    findings: [...new Set([...first.findings, ...second.findings])],
  }
}
