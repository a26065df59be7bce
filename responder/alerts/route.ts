// Which incident is whose. A subject is an incident with the names that routes ask for, as they are and not as alerts show them.
import type { AlertIncident, Incident } from '@headwater/vocabulary'
import type { Route } from './configuration.ts'
import { matchesGlob } from './glob.ts'
import { alertIncident } from './message.ts'
import { plainLine } from './plain-text.ts'
import { isAtLeast } from './severity.ts'

/** Something that people are told of. */
export interface Subject {
  incident: AlertIncident
  /** The service of its first cause. */
  cause: string | undefined
  /** The cause's and those that are hit. */
  services: string[]
  flows: string[]
  /** Why it is open again, if it was resolved before. */
  returned: string | undefined
  /** Of Headwater itself: every route takes it. */
  isOurs: boolean
}

export function subjectOf(incident: Incident, publicUrl: string): Subject {
  const cause = incident.causes[0]?.service
  return {
    incident: alertIncident(incident, publicUrl),
    cause,
    services: [...new Set([...(cause === undefined ? [] : [cause]), ...incident.impact.services])],
    flows: incident.impact.flows.map(({ name }) => name),
    returned: incident.reopened.at(-1)?.why,
    isOurs: false,
  }
}

/** A destination that has said that it is gone, as others are told of it. */
export function lostDestination(
  { name, since, resolvedAt, reason }: { name: string; since: string; resolvedAt: string | null; reason: string },
  publicUrl: string,
): Subject {
  const title = resolvedAt === null ? `Alerts no longer go to "${name}": ${reason}` : `Alerts go to "${name}" again`
  return {
    incident: {
      id: lostId(name),
      state: resolvedAt === null ? 'open' : 'resolved',
      severity: 'error',
      title: plainLine(title, { charsMax: 300 }),
      link: publicUrl,
      since,
      openedAt: since,
      resolvedAt,
      acknowledgedBy: null,
      resolvedBy: null,
      cause: null,
      confidence: 0,
      noCauseReason: `See \`headwater alert dead\` for what it missed; \`headwater alert enable ${name}\` sends to it again.`,
      impact: { services: [], servicesTotal: 0, flows: [], flowsTotal: 0, users: { affected: 0, seen: 0, share: 0 } },
      example: null,
      labelledBefore: null,
    },
    cause: undefined,
    services: [],
    flows: [],
    returned: undefined,
    isOurs: true,
  }
}

export function lostId(destination: string): string {
  return `destination-${destination}`
}

/** The first route that leads an incident to a destination. */
export function routeTo(
  destination: string,
  { incident, ...names }: Subject,
  routes: readonly Route[],
): Route | undefined {
  return routes.find(({ to, match }) => {
    if (!to.includes(destination)) return false
    if (names.isOurs) return true
    const cause = names.cause === undefined ? [] : [names.cause]
    return (
      isAtLeast(incident.severity, match.severity ?? 'info') &&
      matchesAny(names.services, match.services) &&
      matchesAny(cause, match.causes) &&
      matchesAny(names.flows, match.flows)
    )
  })
}

function matchesAny(names: readonly string[], patterns: readonly string[] | undefined): boolean {
  return patterns === undefined || names.some((name) => patterns.some((pattern) => matchesGlob(name, pattern)))
}

/** What an incident has in common with others that share its messages. */
export function threadOf({ incident, cause, flows, isOurs }: Subject, { name, group_by: groupBy }: Route): string {
  if (isOurs) return incident.id
  switch (groupBy) {
    case 'incident':
      return incident.id
    case 'service':
      return `${name}/service/${plainLine(cause ?? '', { charsMax: 120 })}`
    case 'flow':
      return `${name}/flow/${plainLine(flows[0] ?? '', { charsMax: 120 })}`
    case 'all':
      return `${name}/all`
  }
}
