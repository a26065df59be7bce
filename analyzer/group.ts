import type { Finding } from './detect.ts'
import { connectedComponents } from './graph/components.ts'

/** Findings that belong together, and the services that they speak of. */
export interface Group {
  services: string[]
  findings: Finding[]
}

/** Findings of one time are one problem where their services call each other, by the calls that are known. */
export function groupFindings(findings: Finding[], known: Iterable<{ caller: string; service: string }>): Group[] {
  const touched = [...new Set(findings.flatMap(servicesOf))]
  const edges = [...known].map(({ caller, service }) => [caller, service] as const)
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
