// The operator's file: where alerts go, which of them, and when not. All that is read of it is checked here, once.
import { z } from 'zod'
import { rawSecret } from './formats/signature.ts'
import { placeholdersOf, templateFields } from './formats/template.ts'
import { severities } from './severity.ts'

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

function duration({ mostMs, usually }: { mostMs: number; usually: string }) {
  return z
    .string({ error: `give a time such as ${usually}` })
    .transform((text, context) => {
      const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
      const ms = Number(count) * unitsMs[(unit ?? 's') as keyof typeof unitsMs]
      if (Number.isFinite(ms) && ms <= mostMs) return ms
      context.addIssue(`give a time such as ${usually}, at most ${mostMs / unitsMs.h}h`)
      return z.NEVER
    })
    .prefault(usually)
}

const name = z.string().regex(/^[A-Za-z0-9][\w-]{0,62}$/, {
  error: 'use a name of letters, digits, "-" and "_", at most 63',
})

const url = z
  .string({ error: 'give an http or https URL' })
  .max(2_000, { error: 'give an http or https URL of at most 2000 characters' })
  .refine((text) => URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol), {
    error: 'give an http or https URL',
  })

const secret = z
  .string({ error: 'give a secret that begins with whsec_' })
  .refine((text) => rawSecret(text) !== undefined, {
    error: 'give whsec_ and 24 to 64 bytes in base64, such as "whsec_$(openssl rand -base64 32)" prints',
  })
const secrets = z
  .array(secret, { error: 'give a list of secrets, the new one first while receivers change over' })
  .min(1, { error: 'give at least one secret' })
  .max(5, { error: 'give at most five secrets' })

const headers = z
  .record(
    z.string().regex(/^[A-Za-z0-9-]{1,64}$/, { error: 'use names of HTTP headers' }),
    z
      .string({ error: 'give a text' })
      .regex(/^[\u0020-\u007e]{0,2000}$/, { error: 'give printable ASCII in one line' }),
    { error: 'give names and values of HTTP headers' },
  )
  .refine(
    (given) => Object.keys(given).every((each) => !/^(webhook-|content-|host$|transfer-|connection$)/i.test(each)),
    {
      error: 'leave out webhook-…, content-…, host, transfer-… and connection: these are set by Headwater',
    },
  )
  .default({})

const rate = z.string({ error: 'give a rate such as 30/m' }).transform((text, context) => {
  const [, count, unit] = /^(\d{1,4})\/([smh])$/.exec(text) ?? []
  if (Number(count) > 0) return { messages: Number(count), perMs: unitsMs[(unit ?? 's') as keyof typeof unitsMs] }
  context.addIssue('give messages in a second, minute or hour, such as 30/m')
  return z.NEVER
})

const common = {
  /** Whether the URL may lead to this machine or its network. The operator wrote the file, so it may. */
  private: z.boolean({ error: 'use true or false' }).default(true),
  /** A message that was not taken for so long becomes a dead letter. */
  give_up_after: duration({ mostMs: 7 * unitsMs.d, usually: '24h' }),
}

const template = z.json({ error: 'give texts, numbers, lists and maps' }).superRefine((value, context) => {
  if (JSON.stringify(value).length > 32_768) context.addIssue('give a template of at most 32 kB')
  const unknown = placeholdersOf(value).find((field) => !(templateFields as readonly string[]).includes(field))
  if (unknown !== undefined) context.addIssue(`{{${unknown}}} is unknown: use ${templateFields.join(', ')}`)
})

const destination = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('webhook'), url, secrets, headers, rate: rate.prefault('60/m'), ...common }),
    z.strictObject({ type: z.literal('slack'), url, rate: rate.prefault('1/s'), ...common }),
    z.strictObject({
      type: z.literal('pagerduty'),
      routing_key: z
        .string({ error: 'give the 32 characters of the integration key' })
        .regex(/^\w{32}$/, { error: 'give the 32 characters of the integration key' }),
      url: url.default('https://events.pagerduty.com/v2/enqueue'),
      rate: rate.prefault('100/m'),
      ...common,
    }),
    z.strictObject({ type: z.literal('alertmanager'), url, headers, rate: rate.prefault('600/m'), ...common }),
    z.strictObject({
      type: z.literal('alertmanager-webhook'),
      url,
      secrets: secrets.optional(),
      headers,
      rate: rate.prefault('60/m'),
      ...common,
    }),
    z.strictObject({
      type: z.literal('json'),
      url,
      template,
      secrets: secrets.optional(),
      headers,
      rate: rate.prefault('60/m'),
      ...common,
    }),
  ],
  { error: 'use webhook, slack, pagerduty, alertmanager, alertmanager-webhook or json as its type' },
)

const pattern = z
  .string({ error: 'give a name, in which * stands for any characters' })
  .min(1, { error: 'give a name, in which * stands for any characters' })
  .max(200, { error: 'give a name of at most 200 characters' })
const patterns = z
  .array(pattern, { error: 'give a list of names' })
  .min(1, { error: 'give at least one name, or leave the list out' })
  .max(100, { error: 'give at most 100 names' })

const route = z.strictObject({
  name,
  match: z
    .strictObject({
      /** The cause's service, or one that is hit. */
      services: patterns.optional(),
      /** The cause's service only. */
      causes: patterns.optional(),
      flows: patterns.optional(),
      /** That bad at least. */
      severity: z.enum(severities, { error: `use ${severities.join(', ')}` }).optional(),
    })
    .default({}),
  to: z
    .array(name, { error: 'give a list of destinations' })
    .min(1, { error: 'give at least one destination' })
    .max(20, { error: 'give at most 20 destinations' }),
  /** Incidents that have this in common share messages. */
  group_by: z
    .enum(['incident', 'service', 'flow', 'all'], { error: 'use incident, service, flow or all' })
    .default('incident'),
  /** An incident that is over sooner is not told. */
  wait: duration({ mostMs: unitsMs.h, usually: '0s' }),
  /** News that are not worse wait so long after the message before. */
  update_every: duration({ mostMs: unitsMs.d, usually: '5m' }),
})

const clock = z
  .string({ error: 'give a time of day such as "02:00"' })
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'give a time of day such as "02:00"' })
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)))
const moment = z
  .string({ error: 'give a time such as "2026-12-24T22:00:00Z"' })
  .refine((text) => z.iso.datetime({ offset: true }).safeParse(text).success, {
    error: 'give a time with its zone, such as "2026-12-24T22:00:00Z"',
  })
  .transform((text) => Date.parse(text))

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

const maintenance = z
  .strictObject({
    name,
    /** Whose faults are expected; left out, everybody's. */
    services: patterns.optional(),
    from: moment.optional(),
    until: moment.optional(),
    weekly: z
      .strictObject({
        days: z
          .array(z.enum(weekdays, { error: `use ${weekdays.join(', ')}` }), { error: 'give a list of days' })
          .min(1, { error: 'give at least one day' }),
        from: clock,
        /** Before `from`: of the next day. */
        until: clock,
        zone: z
          .string({ error: 'give a time zone such as Europe/Berlin' })
          .refine(isTimeZone, { error: 'give a time zone such as Europe/Berlin' })
          .default('UTC'),
      })
      .optional(),
  })
  .superRefine(({ from, until, weekly }, context) => {
    const isOnce = from !== undefined && until !== undefined
    if (weekly === undefined ? !isOnce : from !== undefined || until !== undefined) {
      context.addIssue('give both from and until, or weekly')
    } else if (isOnce && from >= until) context.addIssue('give an until that is after from')
  })

const heartbeat = z.strictObject({
  url,
  secrets: secrets.optional(),
  every: duration({ mostMs: unitsMs.h, usually: '60s' }).refine((ms) => ms >= 10_000, { error: 'give 10s or more' }),
  private: common.private,
})

/** The whole file, as `alerts.yaml` has it. */
export const configurationForm = z
  .strictObject({
    destinations: z
      .record(name, destination, { error: 'give destinations by name' })
      .refine((all) => Object.keys(all).length <= 50, { error: 'give at most 50 destinations' })
      .default({}),
    routes: z
      .array(route, { error: 'give a list of routes' })
      .max(200, { error: 'give at most 200 routes' })
      .default([]),
    maintenance: z
      .array(maintenance, { error: 'give a list of maintenance windows' })
      .max(200, { error: 'give at most 200 maintenance windows' })
      .default([]),
    heartbeat: heartbeat.optional(),
  })
  .superRefine(({ destinations, routes }, context) => {
    const seen = new Set<string>()
    for (const [index, { name: routeName, to, group_by: groupBy }] of routes.entries()) {
      if (seen.has(routeName)) {
        context.addIssue({
          code: 'custom',
          path: ['routes', index, 'name'],
          message: 'give each route a name of its own',
        })
      }
      seen.add(routeName)
      for (const [place, target] of to.entries()) {
        const path = ['routes', index, 'to', place]
        const known = destinations[target]
        if (known === undefined) {
          context.addIssue({
            code: 'custom',
            path,
            message: `use one of the destinations: ${Object.keys(destinations).join(', ') || 'none is given'}`,
          })
        } else if (known.type === 'alertmanager' && groupBy !== 'incident') {
          context.addIssue({
            code: 'custom',
            path,
            message: 'give it a route without group_by: Alertmanager groups by itself',
          })
        }
      }
    }
  })

export type AlertsConfiguration = z.output<typeof configurationForm>
export type Destination = AlertsConfiguration['destinations'][string]
export type Route = AlertsConfiguration['routes'][number]
export type MaintenanceWindow = AlertsConfiguration['maintenance'][number]
export type Heartbeat = NonNullable<AlertsConfiguration['heartbeat']>

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
