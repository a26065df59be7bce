// Every format against what its receiver publishes, and with names that mean harm.
import type { AlertIncident, AlertMessage } from '@headwater/vocabulary'
import type { KnownBlock } from '@slack/types'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { alertExample } from '../example-run.ts'
import { subjectOf } from '../route.ts'
import { headline } from '../sentences.ts'
import { testConfiguration, testIncident, testSecret } from '../test-incidents.ts'
import { alertmanagerWebhook, fingerprint, postableAlerts } from './alertmanager.ts'
import { pagerDutyEvent } from './pagerduty.ts'
import { alertRequest } from './request.ts'
import { slackBody } from './slack.ts'
import { templateBody } from './template.ts'
import { postableAlertsForm, webhookForm, pagerDutyForm, slackForm, eventForm } from './test-published-forms.ts'

const nowMs = Date.UTC(2026, 10, 28)
const publicUrl = 'https://headwater.example.com'

function incidentOf(change: Parameters<typeof testIncident>[0] = {}): AlertIncident {
  const { incident } = subjectOf(testIncident({ openedMs: nowMs - 60_000, ...change }), publicUrl)
  return { ...incident, example: alertExample('ab'.repeat(16), 'POST /checkout', publicUrl) }
}

function messageOf(more: Partial<AlertMessage> = {}): AlertMessage {
  const incidents = more.incidents ?? [incidentOf()]
  return {
    id: 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W',
    thread: 'one',
    change: 'opened',
    at: new Date(nowMs).toISOString(),
    route: 'all',
    severity: 'error',
    news: [],
    incidentsTotal: incidents.length,
    isTest: false,
    ...more,
    incidents,
  }
}

const resolved = messageOf({ change: 'resolved', incidents: [incidentOf({ resolvedMs: nowMs })] })
/** Told by another incident since. */
const part = messageOf({
  change: 'resolved',
  incidents: [incidentOf({ resolvedMs: nowMs, mergedInto: 'older' })],
  news: ['Part of another incident now'],
})
const grouped = messageOf({
  change: 'updated',
  news: ['Opened: search fails'],
  incidents: [
    incidentOf(),
    incidentOf({ id: 'two', service: 'search', cause: { kind: 'dependency', peer: 'index' } }),
    incidentOf({ id: 'three', cause: null }),
  ],
  incidentsTotal: 30,
})

/** Markup of the Web, of Slack and of Markdown; controls, directions, length; what would end a string or a placeholder. */
const evil =
  '<!channel> <@U123> <https://evil.example|here> @here *bold* <script>alert(1)</script> "}],{{title}} ${HOME} \u202egpj.exe\u0007\r\nX-Evil: 1 \ud800'
const hostile = messageOf({
  change: 'updated',
  news: [evil.replaceAll(/[\p{Cc}\u202e\ud800]/gu, ' ')],
  incidents: [
    {
      ...subjectOf(
        testIncident({
          id: evil,
          openedMs: nowMs,
          title: evil,
          service: evil,
          operation: `${evil}${'x'.repeat(5_000_000)}`,
          services: Array.from({ length: 5_000 }, (_, index) => `${evil}${index}`),
          flow: evil,
          cause: {
            kind: 'dependency',
            peer: evil,
            evidence: Array.from({ length: 500 }, () => ({
              signal: 'exception' as const,
              sentence: evil.repeat(100),
              query: null,
            })),
            path: Array.from({ length: 500 }, () => ({ service: evil, operation: evil })),
          },
        }),
        publicUrl,
      ).incident,
      example: alertExample('ab'.repeat(16), 'POST /checkout', publicUrl),
    },
  ],
})

const messages: [string, AlertMessage][] = [
  ['opened', messageOf()],
  ['updated', grouped],
  ['resolved', resolved],
  ['acknowledged', messageOf({ change: 'acknowledged', incidents: [incidentOf({ acknowledgedBy: 'ada' })] })],
  ['hostile', hostile],
  ['without a cause', messageOf({ incidents: [incidentOf({ cause: null })] })],
]

test.each(messages)('Slack takes the message (%s)', (_, message) => {
  const body = slackBody(message)
  // Slack's own types, and the limits that its documentation gives.
  const blocks: KnownBlock[] = body.blocks
  expect(slackForm.parse(body).blocks).toHaveLength(blocks.length)
})

test.each(messages)('PagerDuty takes the event (%s)', (_, message) => {
  const event = pagerDutyEvent(message, 'e93facc04764012d7bfb002500d5d1a6')
  pagerDutyForm.parse(event)
  const actions = { opened: 'trigger', updated: 'trigger', acknowledged: 'acknowledge', resolved: 'resolve' }
  expect(event.event_action).toBe(actions[message.change])
  expect(event.dedup_key).toBe('one')
  expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(100_000)
})

test.each(messages)('Alertmanager takes the alerts (%s)', (_, message) => {
  const alerts = postableAlertsForm.parse(postableAlerts(message, nowMs))
  expect(alerts).toHaveLength(message.incidents.length)
  for (const { startsAt, endsAt } of alerts) expect(Date.parse(endsAt)).toBeGreaterThanOrEqual(Date.parse(startsAt))
})

test.each(messages)("receivers of Alertmanager's webhooks take the message (%s)", (_, message) => {
  const body = webhookForm.parse(alertmanagerWebhook(message, { receiver: 'hook', publicUrl }))
  expect(body.status).toBe(message.change === 'resolved' ? 'resolved' : 'firing')
  expect(body.truncatedAlerts).toBe(message.incidentsTotal - message.incidents.length)
})

test('an alert ends when its incident does, and one that is open ends unless it is told again', () => {
  expect(postableAlerts(resolved, nowMs + 5_000)[0]?.endsAt).toBe(new Date(nowMs).toISOString())
  expect(postableAlerts(messageOf(), nowMs)[0]?.endsAt).toBe(new Date(nowMs + 15 * 60_000).toISOString())
})

test('an alert whose labels have changed ends under the old ones', () => {
  const incident = {
    ...incidentOf(),
    severity: 'critical' as const,
    labelledBefore: { severity: 'error' as const, service: 'payments' },
  }
  const alerts = postableAlerts(messageOf({ incidents: [incident] }), nowMs)
  expect(alerts.map(({ labels, endsAt }) => [labels['severity'], Date.parse(endsAt) <= nowMs])).toEqual([
    ['error', true],
    ['critical', false],
  ])
})

test('a set of labels has the fingerprint that Prometheus gives it', () => {
  // From LabelSet.Fingerprint of prometheus/common: the offset of FNV-1a for no labels.
  expect(fingerprint({})).toBe('cbf29ce484222325')
  expect(fingerprint({ b: '2', a: '1' })).toBe(fingerprint({ a: '1', b: '2' }))
  expect(fingerprint({ a: 'bc' })).not.toBe(fingerprint({ ab: 'c' }))
})

const destinations = testConfiguration({
  destinations: {
    webhook: {
      type: 'webhook',
      url: 'https://a.example/hook',
      secrets: [testSecret],
      headers: { authorization: 'Bearer x' },
    },
    slack: { type: 'slack', url: 'https://hooks.slack.com/services/T/B/x' },
    pagerduty: { type: 'pagerduty', routing_key: 'e93facc04764012d7bfb002500d5d1a6' },
    alertmanager: { type: 'alertmanager', url: 'http://alertmanager:9093/base/' },
    'alertmanager-webhook': { type: 'alertmanager-webhook', url: 'https://b.example/', secrets: [testSecret] },
    json: {
      type: 'json',
      url: 'https://c.example/',
      template: {
        text: '*{{headline}}* {{ link }} {{news}}',
        n: '{{users_affected}}',
        list: ['{{services}}', '{{resolved_at}}'],
        keep: [1, true, null],
      },
    },
  },
}).destinations

function requestTo(name: string, message: AlertMessage) {
  const destination = destinations[name]
  if (destination === undefined) throw new Error(`no destination "${name}"`)
  return alertRequest(message, destination, { name, publicUrl, nowMs })
}

test.each(Object.keys(destinations))('what means harm is text to %s, and bounded', (name) => {
  const { body, headers } = requestTo(name, hostile)
  expect(Buffer.byteLength(body)).toBeLessThan(32_000)
  expect(body).not.toMatch(/[\p{Cc}\u202e]/u)
  const texts: string[] = []
  JSON.parse(body, (_, value: unknown) => {
    if (typeof value === 'string') texts.push(value)
    return value
  })
  for (const text of texts) expect(text).toMatch(/^[^\p{Cc}\u202a-\u202e\u2066-\u2069]*$|^\n$/u)
  for (const value of Object.values(headers)) expect(value).toMatch(/^[\u0020-\u007e]*$/)
})

test('Slack parses nothing that telemetry has said', () => {
  const { text, mrkdwn, blocks } = slackBody(hostile)
  expect({ mrkdwn, isEscaped: /^[^<>]*$/.test(text) }).toEqual({ mrkdwn: false, isEscaped: true })
  expect(text).toContain('&lt;!channel&gt;')
  const shown = JSON.stringify(blocks.filter(({ type }) => type === 'rich_text'))
  expect(shown).toContain('<!channel>')
  expect(shown).not.toContain('mrkdwn')
  const plain = blocks.find(({ type }) => type === 'header')
  expect(plain).toEqual({ type: 'header', text: { type: 'plain_text', text: 'Incident update, error', emoji: false } })
})

test('a template stays what it is, whatever names contain', () => {
  const body = z.record(z.string(), z.unknown()).parse(JSON.parse(requestTo('json', hostile).body))
  expect(Object.keys(body)).toEqual(['text', 'n', 'list', 'keep'])
  expect(body['text']).toContain('"}],{{title}} ${HOME}')
  expect(body).toMatchObject({ n: 10, list: [expect.any(Array), null], keep: [1, true, null] })
})

test('a link leads to the incident, whatever its ID is', () => {
  const { link } = hostile.incidents[0] ?? { link: '' }
  expect(new URL(link).origin).toBe(publicUrl)
  expect(new URL(link).pathname).toMatch(/^\/incidents\/[^/]+$/)
})

test('each destination gets its own address and headers', () => {
  expect(requestTo('alertmanager', messageOf()).url).toBe('http://alertmanager:9093/base/api/v2/alerts')
  expect(requestTo('pagerduty', messageOf()).url).toBe('https://events.pagerduty.com/v2/enqueue')
  expect(requestTo('webhook', messageOf()).headers).toMatchObject({
    authorization: 'Bearer x',
    'content-type': 'application/json',
    'webhook-id': 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W',
    'webhook-timestamp': String(nowMs / 1_000),
    'webhook-signature': expect.stringMatching(/^v1,[\w+/]{43}=$/),
  })
  expect(requestTo('slack', messageOf()).headers).not.toHaveProperty('webhook-signature')
})

test('a webhook has the recommended shape', () => {
  for (const [, message] of messages) {
    const { type, data } = eventForm.parse(JSON.parse(requestTo('webhook', message).body))
    expect(type).toBe(`incident.${message.change}`)
    expect(data).toMatchObject({ thread: 'one', incidents: message.incidents.map(({ id }) => ({ id })) })
  }
})

test('the alerts of Standard Webhooks and of Alertmanager are verified by the receiver of the standard', () => {
  const current = alertRequest(messageOf(), destinations['alertmanager-webhook'] ?? destinations['json']!, {
    name: 'x',
    publicUrl,
    nowMs: Date.now(),
  })
  expect(new Webhook(testSecret).verify(current.body, current.headers)).toMatchObject({ version: '4' })
})

test('who hears that an incident ended hears in each format that has words where it goes on', () => {
  const link = `${publicUrl}/incidents/older`
  expect(headline(part)).toMatch(/^Part of another incident \[/)
  expect(headline(resolved)).toMatch(/^Resolved \[/)
  const slack = JSON.stringify(slackBody(part))
  expect(slack).toContain('"Part of another incident, error"')
  expect(slack).toContain('(part of another incident)')
  expect(postableAlerts(part, nowMs)[0]?.annotations).toMatchObject({ merged_into_url: link })
  expect(postableAlerts(resolved, nowMs)[0]?.annotations).not.toHaveProperty('merged_into_url')
  expect(templateBody(part, { at: '{{merged_into}}' })).toEqual({ at: link })
  expect(templateBody(resolved, { at: '{{merged_into}}' })).toEqual({ at: null })
})
