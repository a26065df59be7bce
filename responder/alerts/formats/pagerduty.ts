// PagerDuty's Events API v2: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
import type { AlertIncident, AlertMessage, Severity } from '@headwater/vocabulary'
import { plainLine } from '../plain-text.ts'
import { causeSentence, exampleSentence, headline, impactSentence } from '../sentences.ts'

export interface PagerDutyEvent {
  routing_key: string
  event_action: 'trigger' | 'acknowledge' | 'resolve'
  /** One alert for all messages of a thread. */
  dedup_key: string
  payload?: {
    summary: string
    source: string
    severity: Severity
    timestamp: string
    component?: string
    group?: string
    class?: string
    custom_details: Record<string, string | string[]>
  }
  client?: string
  client_url?: string
  links?: { href: string; text: string }[]
}

/** What the API takes. */
const summaryCharsMax = 1_024

export function pagerDutyEvent(message: AlertMessage, routingKey: string): PagerDutyEvent {
  const { thread, change, severity, news, incidents } = message
  const [first] = incidents
  // An end bears no words: of one that is part of another incident PagerDuty hears by that one's own alert.
  if (change === 'resolved' || change === 'acknowledged' || first === undefined) {
    const action = change === 'acknowledged' ? 'acknowledge' : 'resolve'
    return { routing_key: routingKey, event_action: action, dedup_key: thread }
  }
  const { cause, impact } = first
  return {
    routing_key: routingKey,
    event_action: 'trigger',
    dedup_key: thread,
    payload: {
      summary: plainLine(headline(message), { charsMax: summaryCharsMax }),
      // PagerDuty wants some.
      source: cause === null || cause.service === '' ? 'headwater' : cause.service,
      severity,
      timestamp: first.openedAt,
      ...(cause === null ? {} : { component: cause.operation, class: cause.kind }),
      ...(impact.flows[0] === undefined ? {} : { group: impact.flows[0].name }),
      custom_details: details(first, news),
    },
    client: 'Headwater',
    client_url: first.link,
    links: incidents.flatMap(({ link, title, example }) => [
      { href: link, text: title },
      ...(example === null ? [] : [{ href: example.link, text: 'An example run' }]),
    ]),
  }
}

function details(incident: AlertIncident, news: string[]): Record<string, string | string[]> {
  const example = exampleSentence(incident)
  return {
    ...(news.length === 0 ? {} : { news }),
    cause: causeSentence(incident),
    ...(incident.cause === null ? {} : { evidence: incident.cause.evidence, path: incident.cause.path }),
    impact: impactSentence(incident),
    ...(example === undefined ? {} : { example_run: example }),
    incident: incident.link,
  }
}
