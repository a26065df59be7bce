// Alertmanager's two forms. What it takes at POST /api/v2/alerts:
// https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (Apache-2.0); what it sends to webhooks, version 4:
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
import type { AlertIncident, AlertLabels, AlertMessage } from '@headwater/vocabulary'
import { labelsOf } from '../message.ts'
import { causeSentence, exampleSentence, impactSentence } from '../sentences.ts'

export interface PostableAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  startsAt: string
  endsAt: string
  generatorURL: string
}

/**
 * An open alert ends by itself unless it is told again: Alertmanager keeps none over a restart, so open ones are told every
 * minute, and the alerts of a Headwater that is gone end after a quarter of an hour.
 */
const openForMs = 15 * 60_000

/** The alerts of a message as POST /api/v2/alerts takes them. */
export function postableAlerts({ incidents, at, isTest }: AlertMessage, nowMs: number): PostableAlert[] {
  return incidents.flatMap((incident) => {
    const alert = {
      annotations: annotationsOf(incident),
      startsAt: incident.openedAt,
      generatorURL: incident.link,
    }
    const endsAt = incident.resolvedAt ?? new Date(nowMs + openForMs).toISOString()
    const current = {
      ...alert,
      labels: labels(incident, labelsOf(incident), isTest),
      endsAt: notBefore(endsAt, incident),
    }
    // Labels are the alert's identity: one with the labels of before would stay open.
    if (incident.labelledBefore === null) return [current]
    return [
      { ...alert, labels: labels(incident, incident.labelledBefore, isTest), endsAt: notBefore(at, incident) },
      current,
    ]
  })
}

/** Alertmanager refuses an alert that ends before it starts. */
function notBefore(endsAt: string, { openedAt }: AlertIncident): string {
  return Date.parse(endsAt) < Date.parse(openedAt) ? openedAt : endsAt
}

function labels({ id }: AlertIncident, { severity, service }: AlertLabels, isTest: boolean): Record<string, string> {
  return {
    alertname: isTest ? 'HeadwaterTest' : 'HeadwaterIncident',
    incident: id,
    severity,
    // A label without a value is no label.
    ...(service === '' ? {} : { service }),
  }
}

function annotationsOf(incident: AlertIncident): Record<string, string> {
  const example = exampleSentence(incident)
  return {
    summary: incident.title,
    cause: causeSentence(incident),
    ...(incident.cause === null || incident.cause.evidence.length === 0
      ? {}
      : { evidence: incident.cause.evidence.join(' ') }),
    impact: impactSentence(incident),
    ...(example === undefined ? {} : { example_run: example, example_run_url: incident.example?.link ?? '' }),
    incident_url: incident.link,
    ...(incident.mergedInto === undefined ? {} : { merged_into_url: incident.mergedInto }),
  }
}

export interface AlertmanagerWebhook {
  version: '4'
  groupKey: string
  truncatedAlerts: number
  status: 'firing' | 'resolved'
  receiver: string
  groupLabels: Record<string, string>
  commonLabels: Record<string, string>
  commonAnnotations: Record<string, string>
  externalURL: string
  alerts: {
    status: 'firing' | 'resolved'
    labels: Record<string, string>
    annotations: Record<string, string>
    startsAt: string
    /** The year 1 while it is open. */
    endsAt: string
    generatorURL: string
    fingerprint: string
  }[]
}

const neverEnded = '0001-01-01T00:00:00Z'

/** A message as Alertmanager itself would send it to a webhook. */
export function alertmanagerWebhook(
  message: AlertMessage,
  { receiver, publicUrl }: { receiver: string; publicUrl: string },
): AlertmanagerWebhook {
  const alerts = message.incidents.map((incident) => {
    const itsLabels = labels(incident, labelsOf(incident), message.isTest)
    return {
      status: incident.state === 'open' ? ('firing' as const) : ('resolved' as const),
      labels: itsLabels,
      annotations: annotationsOf(incident),
      startsAt: incident.openedAt,
      endsAt: incident.resolvedAt ?? neverEnded,
      generatorURL: incident.link,
      fingerprint: fingerprint(itsLabels),
    }
  })
  return {
    version: '4',
    groupKey: `{}:{thread=${JSON.stringify(message.thread)}}`,
    truncatedAlerts: message.incidentsTotal - message.incidents.length,
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    receiver,
    groupLabels: { thread: message.thread },
    commonLabels: common(alerts.map((alert) => alert.labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    externalURL: publicUrl,
    alerts,
  }
}

function common(all: Record<string, string>[]): Record<string, string> {
  const [first = {}, ...rest] = all
  return Object.fromEntries(Object.entries(first).filter(([key, value]) => rest.every((other) => other[key] === value)))
}

const offset = 14_695_981_039_346_656_037n
const prime = 1_099_511_628_211n

/** FNV-1a over sorted names and values, each ended by a byte that UTF-8 does not have: as Prometheus names a set of labels. */
export function fingerprint(set: Record<string, string>): string {
  let hash = offset
  const add = (byte: number) => {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * prime)
  }
  for (const name of Object.keys(set).toSorted()) {
    for (const text of [name, set[name] ?? '']) {
      for (const byte of Buffer.from(text)) add(byte)
      add(255)
    }
  }
  return hash.toString(16).padStart(16, '0')
}
