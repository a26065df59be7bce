import type { Finding } from './detect.ts'
import { connectedComponents } from './graph/components.ts'
import type { Picture } from './picture.ts'

/** Findings that belong together, and the services that they speak of. */
export interface Group {
  services: string[]
  findings: Finding[]
}

/** Findings of one time are one problem where their services call each other. */
export function groupFindings(findings: Finding[], known: Picture): Group[] {
  const touched = [...new Set(findings.flatMap(servicesOf))]
  const edges = [...known.edges.values()].map(({ caller, service }) => [caller, service] as const)
  const ends = findings.flatMap(({ service, caller }) => (caller === undefined ? [] : [[caller, service] as const]))
  return connectedComponents(touched, [...edges, ...ends]).map((services) => {
    const members = new Set(services)
    return {
      services,
      findings: findings.filter((finding) => servicesOf(finding).some((service) => members.has(service))),
    }
  })
}

/** The services that a finding speaks of: an edge joins both of its ends. */
export function servicesOf({ service, caller }: Finding): string[] {
  return caller === undefined ? [service] : [service, caller]
}
