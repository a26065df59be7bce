import { createRoute, z } from '@hono/zod-openapi'
import { readIncident, readIncidentAlerts, readIncidentParts, readIncidents } from '@headwater/store'
import { nextLooks, whyUnknown } from '@headwater/vocabulary'
import { notFound } from '../errors.ts'
import {
  answer,
  cursorParameter,
  limitParameter,
  listOf,
  refusals,
  textParameter,
  timeParameter,
  unknownRefusal,
  writeCursor,
} from '../parameters.ts'
import type { Api, Parts } from './parts.ts'

const time = z.string().openapi({ example: '2026-01-31T12:00:00.000Z' })
const unit = z.enum(['share', 'ns', 'calls'])
const signal = z.enum([
  'errors',
  'origin-errors',
  'latency',
  'self-time',
  'wire-time',
  'fan-out',
  'cache-misses',
  'logs',
  'silence',
  'traffic',
  'unanswered',
])
const share = z.number().openapi({ description: '0 to 1' })
const interval = {
  share,
  low: share.openapi({ description: 'With high, the interval that holds the true share with a confidence of 95 %' }),
  high: share,
}
const query = z.string().nullable().openapi({
  description:
    'Relative URL of this API that answers with what the numbers rest on; null where no series is kept of it',
  example: '/api/v1/series?service=math&operation=POST+%2Fevaluate&signal=errors&from=2026-01-31T12%3A00%3A00.000Z',
})
export const causeKindShape = z.enum(['errors', 'latency', 'unavailable', 'dependency'])

export const seenChangeShape = z
  .object({
    kind: z
      .enum(['deploy', 'flag', 'configuration', 'version'])
      .openapi({ description: 'version: spans show a version for the first time; the others were reported' }),
    service: z.string(),
    version: z.string().nullable(),
    versionsBefore: z.array(z.string()),
    description: z.string().nullable(),
    at: time,
  })
  .openapi('SeenChange')

export const causeShape = z
  .object({
    service: z.string(),
    operation: z.string(),
    kind: causeKindShape,
    score: z.number().openapi({
      description:
        'Its share of the weights of all suspects, 0 to 1. What weighs are bad calls that nobody else explains, over all calls to a power: it tells the order of causes, and is no share of bad calls',
    }),
    peer: z.string().optional(),
    attribute: z
      .object({
        name: z.string(),
        value: z.string(),
        and: z
          .array(z.object({ name: z.string(), value: z.string() }))
          .optional()
          .openapi({ description: 'Further values that a call must have, where they only do harm together' }),
        badShare: share.openapi({ description: 'Of the calls that have it, the share that is bad' }),
        low: interval.low.optional(),
        high: share.optional(),
        goodShare: share.openapi({ description: 'Of the other calls, the share that is bad' }),
        lift: z
          .number()
          .optional()
          .openapi({ description: 'How many times as often as all calls those that have it are bad' }),
      })
      .optional()
      .openapi({ description: 'What tells bad calls from good ones' }),
    replay: z
      .object({ runs: z.int(), mended: z.int(), ...interval })
      .optional()
      .openapi({
        description:
          'Runs that went wrong, played again without it: mended of runs would have gone well; absent where their calls do not tell',
      }),
    evidence: z.array(
      z.object({
        signal: z.enum([...signal.options, 'exception', 'attribute', 'replay', 'change', 'time-of-day']),
        sentence: z.string(),
        expected: z.number().optional(),
        seen: z.number().optional(),
        unit: unit.optional(),
        pValue: z.number().optional(),
        query,
        change: seenChangeShape.optional(),
      }),
    ),
    path: z
      .array(z.object({ service: z.string(), operation: z.string() }))
      .openapi({ description: 'From the cause to an entry' }),
  })
  .openapi('Cause')

const missingShape = z
  .object({
    runs: z.number().openapi({ description: 'That did not come when they were due' }),
    low: z
      .number()
      .openapi({ description: 'With high, the interval that holds the true number with a confidence of 95 %' }),
    high: z.number(),
    cameLater: z.number().openapi({ description: 'Of these, those that came later than due' }),
    expected: z.number().openapi({ description: 'Runs that were due from `from` to `to`, by how many came before' }),
    seen: z.number().openapi({ description: 'Runs that came in that time' }),
    from: time,
    to: time,
    pValue: z.number().openapi({ description: 'How unlikely it is that so few came by chance' }),
  })
  .openapi('MissingRuns')

export const impactShape = z.object({
  services: z.array(z.string()),
  flows: z.array(
    z.object({
      name: z.string(),
      runsAffected: z.number(),
      runs: z.number(),
      ...interval,
      missing: missingShape.optional().openapi({
        description:
          'Of the runs that are affected, those that did not come, beyond chance; whose they were nobody knows',
      }),
    }),
  ),
  missingUnknown: z
    .array(
      z.object({
        flow: z.string(),
        expected: z.number(),
        seen: z.number(),
        why: z.enum(whyUnknown),
      }),
    )
    .optional()
    .openapi({
      description: 'Flows of which fewer runs came than expected, where nobody can tell whether that is its doing',
    }),
  users: z.object({ affected: z.number(), seen: z.number(), ...interval }),
  atRisk: z
    .array(
      z.object({
        service: z.string(),
        share: share.openapi({ description: 'Of its calls, those that usually lead to the cause' }),
      }),
    )
    .openapi({ description: 'Who depends on the first cause and is not hit so far, the most dependent first' }),
  since: time,
})

export const anomalyShape = z
  .object({
    service: z.string(),
    operation: z.string(),
    caller: z.string().optional(),
    callerOperation: z.string().optional(),
    signal,
    since: time,
    expected: z.number(),
    seen: z.number(),
    unit: unit.openapi({ description: "fan-out and cache-misses: calls for each call of the caller's operation" }),
    pValue: z.number(),
    calls: z.number(),
    baselineCalls: z.number(),
    minimumDetectable: z
      .object({
        value: z.number().openapi({
          description:
            "In the anomaly's unit: the least share that goes wrong; the time above which a call is slow; for silence the most calls that could have come; for calls that are left out (fan-out) the most per call that could have been made",
        }),
        share: z.number().openapi({ description: 'The least share of all calls that has to be so' }),
      })
      .nullable()
      .openapi({ description: 'The smallest effect that this series could have shown; null where that is not known' }),
    isOfSeason: z
      .boolean()
      .optional()
      .openapi({ description: 'Whether it was compared with this time of the week, and not with the last hour' }),
    sameTime: z
      .object({
        of: z.enum(['days', 'weekdays', 'weekend days']),
        known: z.int().openapi({ description: 'Days on which it had enough calls to tell' }),
        departed: z
          .int()
          .openapi({ description: 'Those on which it departed from normal, by at least half as much as now' }),
        asMuch: z.int().openapi({ description: 'Those of them on which it was not clearly better than now' }),
      })
      .optional()
      .openapi({ description: 'This time of day on the last days; absent where none is known' }),
    query,
  })
  .openapi('Anomaly')

export const confidenceShape = z
  .number()
  .openapi({ description: 'How sure it is that the first cause is right, 0 to 1; 0 without one' })

const said = { by: z.string(), at: time }

export const incidentShape = z
  .object({
    id: z.string(),
    state: z.enum(['open', 'resolved']),
    title: z.string(),
    since: time,
    openedAt: time,
    updatedAt: time,
    resolvedAt: time.nullable(),
    resolvedBy: z.string().nullable().openapi({ description: 'Null while it is open, and where it ended by itself' }),
    mergedInto: z.string().nullable().openapi({
      description:
        'The ID of the older incident that turned out to have the same cause, and tells of both; null where none has',
    }),
    reopenings: z.int().openapi({ description: 'How often it came back after having been resolved' }),
    reopened: z
      .array(z.object({ at: time, why: z.string() }))
      .openapi({ description: 'The last 20 of these, oldest first' }),
    causes: z.array(causeShape),
    confidence: confidenceShape,
    noCauseReason: z.string().nullable().openapi({ description: 'Why no cause is told; null where one is' }),
    impact: impactShape,
    anomalies: z.array(anomalyShape),
    changes: z
      .array(seenChangeShape)
      .openapi({ description: 'At services that are hit, shortly before or while it began; the latest first' }),
    acknowledged: z
      .object(said)
      .nullable()
      .openapi({ description: 'Who looks after it; null again when it comes back' }),
    comments: z.array(z.object({ ...said, text: z.string() })),
    verdict: z
      .object({
        ...said,
        cause: z.enum(['right', 'wrong']),
        actual: z.object({ service: z.string(), operation: z.string().optional() }).nullable(),
        judged: z
          .object({ service: z.string(), operation: z.string(), kind: causeKindShape, confidence: z.number() })
          .openapi({ description: 'The first cause as it was told when it was judged' }),
      })
      .nullable(),
  })
  .openapi('Incident')

const list = createRoute({
  method: 'get',
  path: '/api/v1/incidents',
  summary: 'Incidents, newest first',
  request: {
    query: z.strictObject({
      state: z.enum(['open', 'resolved'], { error: 'use open or resolved' }).optional(),
      since: timeParameter.optional().openapi({ description: 'Opened at this time or later' }),
      limit: limitParameter({ most: 200, usual: 50 }),
      cursor: cursorParameter.optional(),
    }),
  },
  responses: { 200: answer('Incidents', listOf(incidentShape)), ...refusals },
})

const partShape = z
  .object({
    id: z.string(),
    title: z.string(),
    acknowledged: z.object(said).nullable(),
    comments: z.int().openapi({ description: 'How many there are' }),
  })
  .openapi('IncidentPart')

const alertShape = z
  .object({
    at: time.openapi({ description: 'When the message was written' }),
    destination: z.string(),
    change: z.enum(['opened', 'updated', 'acknowledged', 'resolved']),
    state: z.enum(['waiting', 'delivered', 'dead']).openapi({
      description: 'waiting: it is sent again until the receiver takes it; dead: it was given up',
    }),
    reason: z.string().openapi({ description: 'What the last attempt came to; empty where it arrived' }),
    attempts: z.int(),
  })
  .openapi('IncidentAlert')

const one = createRoute({
  method: 'get',
  path: '/api/v1/incidents/{id}',
  summary: 'An incident: its causes with evidence and path, its impact',
  request: { params: z.object({ id: textParameter }) },
  responses: {
    200: answer(
      'The incident',
      incidentShape.extend({
        next: z
          .array(z.object({ sentence: z.string(), query }))
          .openapi({ description: 'What to look at next, the likeliest mend first' }),
        parts: z.array(partShape).openapi({
          description: 'Incidents that turned out to have the same cause, and are told by this one; the last 20',
        }),
        alerts: z.array(alertShape).openapi({ description: 'Who was told of it, newest first; the last 50' }),
      }),
    ),
    ...refusals,
    ...unknownRefusal,
  },
})

export function serveIncidents(api: Api, { store }: Parts): void {
  api.openapi(list, async (c) => {
    const { state, since, limit, cursor } = c.req.valid('query')
    const page = await readIncidents(store, {
      limit,
      ...(state && { state }),
      ...(since !== undefined && { since: new Date(since) }),
      ...(cursor && { cursor }),
    })
    return c.json({ items: page.items, nextCursor: writeCursor(page.next) }, 200)
  })

  api.openapi(one, async (c) => {
    const { id } = c.req.valid('param')
    const incident = await readIncident(store, id)
    if (incident === undefined) throw notFound('incident', id, 'see GET /api/v1/incidents')
    const [alerts, all] = await Promise.all([readIncidentAlerts(store, id), readIncidentParts(store, id)])
    const parts = all.map(({ comments, ...part }) => ({
      id: part.id,
      title: part.title,
      acknowledged: part.acknowledged,
      comments: comments.length,
    }))
    return c.json({ ...incident, next: nextLooks(incident), parts, alerts }, 200)
  })
}
