// What people say of incidents: who looks after one, comments, that it is over, and whether its cause was right.
import { createRoute, z } from '@hono/zod-openapi'
import {
  acknowledgeIncident,
  appendTrail,
  closeIncident,
  commentOnIncident,
  commentsMax,
  type DeedOutcome,
  judgeIncident,
  readScore,
} from '@headwater/store'
import type { Incident } from '@headwater/vocabulary'
import { notFound, Refusal } from '../errors.ts'
import {
  answer,
  bodyText,
  refusal,
  refusals,
  textParameter,
  timeParameter,
  unknownRefusal,
  windowOf,
} from '../parameters.ts'
import { incidentShape } from './incidents.ts'
import type { Api, Parts } from './parts.ts'

const by = bodyText(200).openapi({ description: 'Who says so', example: 'ada' })

/** A deed on one incident, with a JSON body. */
function deedRoute<Body extends z.ZodType>(
  method: 'post' | 'put',
  deed: string,
  { summary, body, conflict }: { summary: string; body: Body; conflict: string },
) {
  return createRoute({
    method,
    path: `/api/v1/incidents/{id}/${deed}`,
    summary,
    request: {
      params: z.object({ id: textParameter }),
      body: { required: true, content: { 'application/json': { schema: body } } },
    },
    responses: {
      200: answer('The incident as it is now', incidentShape),
      ...refusals,
      ...unknownRefusal,
      409: refusal(conflict),
      413: refusal('The body is larger than 64 KiB'),
      415: refusal('The body is not JSON'),
    },
  })
}

const object = { error: 'send a JSON object' }

const acknowledge = deedRoute('post', 'acknowledge', {
  summary: 'Say who looks after an open incident. Who said so first stays',
  body: z.strictObject({ by }, object),
  conflict: 'The incident is resolved',
})

const resolve = deedRoute('post', 'resolve', {
  summary:
    'Say that an incident is over. It is reopened by new evidence only: another service, another cause, or much worse',
  body: z.strictObject({ by }, object),
  conflict: 'Cannot be: a resolved incident stays as it is',
})

const comment = deedRoute('post', 'comments', {
  summary: `Comment on an incident, at most ${commentsMax} times`,
  body: z.strictObject({ by, text: bodyText(4_000) }, object),
  conflict: `The incident has ${commentsMax} comments`,
})

const judge = deedRoute('put', 'verdict', {
  summary: 'Say whether the first cause was right, and what it truly was. The last verdict counts',
  body: z.strictObject(
    {
      by,
      cause: z.enum(['right', 'wrong'], { error: 'use right or wrong' }),
      actual: z
        .strictObject({ service: bodyText(500), operation: bodyText(500).optional() }, object)
        .optional()
        .openapi({ description: 'With wrong: what it truly was' }),
    },
    object,
  ),
  conflict: 'The incident tells no cause',
})

const scoreShape = z
  .object({
    judged: z.int(),
    right: z.int(),
    share: z.number().nullable().openapi({ description: 'Of those judged; null where none is' }),
    low: z.number(),
    high: z.number(),
    bands: z
      .array(
        z.object({
          from: z.number(),
          to: z.number(),
          judged: z.int(),
          right: z.int(),
          share: z.number().nullable(),
          low: z.number(),
          high: z.number(),
        }),
      )
      .openapi({
        description:
          'By the confidence that was told when it was judged. Where it is calibrated, shares lie within their bands',
      }),
  })
  .openapi('Score')

const score = createRoute({
  method: 'get',
  path: '/api/v1/score',
  summary: 'How many first causes were judged right, by how sure they were',
  request: {
    query: z.strictObject({
      since: timeParameter
        .optional()
        .openapi({ description: 'Opened at this time or later; default: 90 days before until' }),
      until: timeParameter.optional().openapi({ description: 'Default: now' }),
    }),
  },
  responses: {
    200: answer('Counts, with intervals that hold the true share with a confidence of 95 %', scoreShape),
    ...refusals,
  },
})

const dayMs = 24 * 3_600_000

export function serveIncidentPeople(
  api: Api,
  { store, now, log }: Parts & { log: (message: string, error?: unknown) => void },
): void {
  const at = () => new Date(now()).toISOString()

  /** The incident after a deed; the trail is for dashboards, so a deed is done even where it cannot be told there. */
  async function told(
    id: string,
    { deed, conflict }: { deed: string; conflict: string },
    done: DeedOutcome,
  ): Promise<Incident> {
    if (done.outcome === 'unknown') throw notFound('incident', id, 'see GET /api/v1/incidents')
    if (done.outcome === 'refused') throw new Refusal(409, 'conflict', conflict)
    if (done.outcome === 'done') {
      await appendTrail(store, done.incident, { at: at(), deed }).catch((error: unknown) =>
        log(`Cannot append to the trail that incident ${id} got a ${deed}`, error),
      )
    }
    return done.incident
  }

  api.openapi(acknowledge, async (c) => {
    const { id } = c.req.valid('param')
    const done = await acknowledgeIncident(store, { id, ...c.req.valid('json'), at: at() })
    const conflict = `Incident "${id}" is resolved: there is nothing to look after any more`
    return c.json(await told(id, { deed: 'acknowledgement', conflict }, done), 200)
  })

  api.openapi(resolve, async (c) => {
    const { id } = c.req.valid('param')
    const done = await closeIncident(store, { id, ...c.req.valid('json'), at: at() })
    return c.json(
      await told(id, { deed: 'resolution', conflict: `Incident "${id}" changed meanwhile: try again` }, done),
      200,
    )
  })

  api.openapi(comment, async (c) => {
    const { id } = c.req.valid('param')
    const done = await commentOnIncident(store, { id, ...c.req.valid('json'), at: at() })
    const conflict = `Incident "${id}" has ${commentsMax} comments, which is the most that are kept`
    return c.json(await told(id, { deed: 'comment', conflict }, done), 200)
  })

  api.openapi(judge, async (c) => {
    const { id } = c.req.valid('param')
    const { actual, cause, ...given } = c.req.valid('json')
    if (cause === 'right' && actual !== undefined) {
      throw new Refusal(400, 'invalid_request', 'The request cannot be understood: see actual', {
        details: [{ field: 'actual', message: 'goes with wrong only: leave it out, or say wrong' }],
      })
    }
    const { service, operation } = actual ?? {}
    const done = await judgeIncident(store, {
      id,
      ...given,
      cause,
      actual: service === undefined ? null : { service, ...(operation === undefined ? {} : { operation }) },
      at: at(),
    })
    const conflict = `Incident "${id}" tells no cause that could be judged: comment on it instead`
    return c.json(await told(id, { deed: 'verdict', conflict }, done), 200)
  })

  api.openapi(score, async (c) => {
    const { since, until } = c.req.valid('query')
    return c.json(await readScore(store, windowOf({ since, until }, { nowMs: now(), usualMs: 90 * dayMs })), 200)
  })
}
