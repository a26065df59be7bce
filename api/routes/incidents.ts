import { createRoute, z } from '@hono/zod-openapi'
import { readIncident, readIncidents } from '@headwater/store'
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
const signal = z.enum(['errors', 'origin-errors', 'latency', 'self-time', 'wire-time', 'logs', 'silence', 'unanswered'])
export const causeKindShape = z.enum(['errors', 'latency', 'unavailable', 'dependency'])

export const causeShape = z
  .object({
    service: z.string(),
    operation: z.string(),
    kind: causeKindShape,
    score: z.number().openapi({ description: "Share of the incident's excess that it explains, 0 to 1" }),
    peer: z.string().optional(),
    attribute: z
      .object({ name: z.string(), value: z.string(), badShare: z.number(), goodShare: z.number() })
      .optional(),
    evidence: z.array(
      z.object({
        signal: z.enum([...signal.options, 'exception', 'attribute', 'change']),
        sentence: z.string(),
        expected: z.number().optional(),
        seen: z.number().optional(),
        unit: unit.optional(),
        pValue: z.number().optional(),
      }),
    ),
    path: z
      .array(z.object({ service: z.string(), operation: z.string() }))
      .openapi({ description: 'From the cause to an entry' }),
  })
  .openapi('Cause')

const incidentShape = z
  .object({
    id: z.string(),
    state: z.enum(['open', 'resolved']),
    title: z.string(),
    since: time,
    openedAt: time,
    updatedAt: time,
    resolvedAt: time.nullable(),
    causes: z.array(causeShape),
    impact: z.object({
      services: z.array(z.string()),
      flows: z.array(z.object({ name: z.string(), runsAffected: z.number(), runs: z.number(), share: z.number() })),
      users: z.object({ affected: z.number(), seen: z.number(), share: z.number() }),
      since: time,
    }),
    anomalies: z.array(
      z.object({
        service: z.string(),
        operation: z.string(),
        caller: z.string().optional(),
        callerOperation: z.string().optional(),
        signal,
        since: time,
        expected: z.number(),
        seen: z.number(),
        unit,
        pValue: z.number(),
        calls: z.number(),
        baselineCalls: z.number(),
      }),
    ),
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

const one = createRoute({
  method: 'get',
  path: '/api/v1/incidents/{id}',
  summary: 'An incident: its causes with evidence and path, its impact',
  request: { params: z.object({ id: textParameter }) },
  responses: { 200: answer('The incident', incidentShape), ...refusals, ...unknownRefusal },
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
    return c.json(incident, 200)
  })
}
