import type { AlertMessage } from '@headwater/vocabulary'
import type { Destination } from '../configuration.ts'
import { alertmanagerWebhook, postableAlerts } from './alertmanager.ts'
import { pagerDutyEvent } from './pagerduty.ts'
import { signatureHeaders } from './signature.ts'
import { slackBody } from './slack.ts'
import { templateBody } from './template.ts'

/** What is posted to a receiver. */
export interface AlertRequest {
  url: string
  headers: Record<string, string>
  body: string
}

export interface RequestContext {
  /** The destination's name in the operator's file. */
  name: string
  publicUrl: string
  /** When this attempt is made: signatures and the ends of alerts bear it. */
  nowMs: number
}

/** A message in its destination's format. */
export function alertRequest(message: AlertMessage, destination: Destination, context: RequestContext): AlertRequest {
  const { url } = destination
  const json = (
    value: unknown,
    headers: Record<string, string> = {},
    secrets: readonly string[] = [],
  ): AlertRequest => {
    const body = JSON.stringify(value)
    const signature = signatureHeaders(body, { id: message.id, atMs: context.nowMs, secrets })
    return { url, body, headers: { ...headers, 'content-type': 'application/json', ...signature } }
  }
  switch (destination.type) {
    case 'webhook': {
      const { id: _id, at, ...data } = message
      const event = { type: `incident.${message.change}`, timestamp: at, data }
      return json(event, destination.headers, destination.secrets)
    }
    case 'slack':
      return json(slackBody(message))
    case 'pagerduty':
      return json(pagerDutyEvent(message, destination.routing_key))
    case 'alertmanager':
      return { ...json(postableAlerts(message, context.nowMs), destination.headers), url: alertsUrl(url) }
    case 'alertmanager-webhook':
      return json(
        alertmanagerWebhook(message, { receiver: context.name, publicUrl: context.publicUrl }),
        destination.headers,
        destination.secrets,
      )
    case 'json':
      return json(templateBody(message, destination.template), destination.headers, destination.secrets)
  }
}

/** Below the base that operators give, which may have a path of its own. */
function alertsUrl(base: string): string {
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v2/alerts`
  return url.href
}
