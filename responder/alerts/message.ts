// What an alert says, before any receiver's format. It is bounded and plain here, once, so that no format has to remember it.
import type { AlertCause, AlertIncident, AlertLabels, Cause, Incident } from '@headwater/vocabulary'
import { plainLine } from './plain-text.ts'
import { severityOf } from './severity.ts'

/** The most incidents that one message tells; the rest is counted. */
export const incidentsMax = 20
const namesMax = 10
const flowsMax = 5
const evidenceMax = 3
const pathMax = 8
const chars = { title: 300, name: 120, sentence: 300 } as const

/** An incident as alerts tell it, without an example run, which costs a query. */
export function alertIncident(incident: Incident, publicUrl: string): AlertIncident {
  const { services, flows, users } = incident.impact
  const [cause] = incident.causes
  return {
    id: name(incident.id),
    state: incident.state,
    severity: severityOf(incident.impact),
    title: plainLine(incident.title, { charsMax: chars.title }),
    link: linkTo(incident.id, publicUrl),
    since: incident.since,
    openedAt: incident.openedAt,
    resolvedAt: incident.resolvedAt,
    acknowledgedBy: incident.acknowledged === null ? null : name(incident.acknowledged.by),
    resolvedBy: incident.resolvedBy === null ? null : name(incident.resolvedBy),
    ...(incident.mergedInto === null ? {} : { mergedInto: linkTo(incident.mergedInto, publicUrl) }),
    cause: cause === undefined ? null : alertCause(cause),
    confidence: incident.confidence,
    noCauseReason:
      incident.noCauseReason === null ? null : plainLine(incident.noCauseReason, { charsMax: chars.sentence }),
    impact: {
      services: services.slice(0, namesMax).map(name),
      servicesTotal: services.length,
      flows: flows
        .toSorted((one, other) => other.runsAffected - one.runsAffected)
        .slice(0, flowsMax)
        .map((flow) => ({
          name: name(flow.name),
          runsAffected: flow.runsAffected,
          runs: flow.runs,
          share: flow.share,
        })),
      flowsTotal: flows.length,
      users: { affected: users.affected, seen: users.seen, share: users.share },
    },
    example: null,
    labelledBefore: null,
  }
}

function linkTo(id: string, publicUrl: string): string {
  return `${publicUrl}/incidents/${encodeURIComponent(name(id))}`
}

function alertCause({ service, operation, kind, peer, score, evidence, path }: Cause): AlertCause {
  return {
    service: name(service),
    operation: name(operation),
    kind,
    peer: peer === undefined ? null : name(peer),
    score,
    evidence: evidence.slice(0, evidenceMax).map(({ sentence }) => plainLine(sentence, { charsMax: chars.sentence })),
    path: path.slice(0, pathMax).map((step) => name(`${step.service} ${step.operation}`)),
  }
}

/** By what receivers sort alerts. */
export function labelsOf({ severity, cause }: AlertIncident): AlertLabels {
  return { severity, service: cause?.service ?? '' }
}

function name(text: string): string {
  return plainLine(text, { charsMax: chars.name })
}
