// What receivers publish about what they take, written down from their documentation.
import { z } from 'zod'

const time = z.iso.datetime({ offset: true })

/**
 * Alertmanager's `postableAlerts`, from https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml, with the rules that
 * https://github.com/prometheus/common/blob/main/model/alert.go adds: names of labels, and an alert has at least one.
 */
export const postableAlertsForm = z.array(
  z.strictObject({
    labels: z
      .record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string().min(1))
      .refine((labels) => Object.keys(labels).length > 0),
    annotations: z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string()),
    startsAt: time,
    endsAt: time,
    generatorURL: z.url(),
  }),
)

const labelSet = z.record(z.string(), z.string())

/** Version 4 of what Alertmanager sends: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
export const webhookForm = z.strictObject({
  version: z.literal('4'),
  groupKey: z.string().min(1),
  truncatedAlerts: z.int().min(0),
  status: z.enum(['resolved', 'firing']),
  receiver: z.string(),
  groupLabels: labelSet,
  commonLabels: labelSet,
  commonAnnotations: labelSet,
  externalURL: z.string(),
  alerts: z.array(
    z.strictObject({
      status: z.enum(['resolved', 'firing']),
      labels: labelSet,
      annotations: labelSet,
      startsAt: time,
      endsAt: time,
      generatorURL: z.string(),
      fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
    }),
  ),
})

/**
 * https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ with its lengths, and
 * https://github.com/PagerDuty/api-schema/blob/main/reference/events-v2/openapiv3.json with what is required.
 */
export const pagerDutyForm = z
  .strictObject({
    routing_key: z.string().length(32),
    event_action: z.enum(['trigger', 'acknowledge', 'resolve']),
    dedup_key: z.string().min(1).max(255),
    payload: z
      .strictObject({
        summary: z.string().min(1).max(1_024),
        source: z.string().min(1),
        severity: z.enum(['critical', 'error', 'warning', 'info']),
        timestamp: time,
        component: z.string().optional(),
        group: z.string().optional(),
        class: z.string().optional(),
        custom_details: z.record(z.string(), z.unknown()),
      })
      .optional(),
    client: z.string().optional(),
    client_url: z.url().optional(),
    links: z.array(z.strictObject({ href: z.url(), text: z.string() })).optional(),
  })
  .refine(({ event_action: action, payload }) => action !== 'trigger' || payload !== undefined)

const richTextElement = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('text'),
    text: z.string().min(1),
    style: z.strictObject({ bold: z.boolean().optional(), code: z.boolean().optional() }).optional(),
  }),
  z.strictObject({ type: z.literal('link'), url: z.url().max(3_000), text: z.string().min(1) }),
])

/**
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, and of https://docs.slack.dev/reference/block-kit/blocks the
 * header (150 characters) and the rich text; at most 50 blocks. That their texts may have some 13,000 characters together is not
 * documented, but told in https://github.com/slackapi/bolt-js/issues/2509.
 */
export const slackForm = z
  .strictObject({
    text: z.string().min(1).max(4_000),
    mrkdwn: z.literal(false),
    unfurl_links: z.literal(false),
    unfurl_media: z.literal(false),
    blocks: z
      .array(
        z.discriminatedUnion('type', [
          z.strictObject({
            type: z.literal('header'),
            text: z.strictObject({
              type: z.literal('plain_text'),
              text: z.string().min(1).max(150),
              emoji: z.boolean(),
            }),
          }),
          z.strictObject({ type: z.literal('divider') }),
          z.strictObject({
            type: z.literal('rich_text'),
            elements: z
              .array(
                z.strictObject({ type: z.literal('rich_text_section'), elements: z.array(richTextElement).min(1) }),
              )
              .min(1),
          }),
        ]),
      )
      .min(1)
      .max(50),
  })
  .refine(({ blocks }) => JSON.stringify(blocks).length < 13_000)

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#payload-structure */
export const eventForm = z.strictObject({
  type: z.string().regex(/^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*$/),
  timestamp: time,
  data: z.record(z.string(), z.unknown()),
})
