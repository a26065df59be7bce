import { randomUUID } from 'node:crypto'
import { createRoute, z } from '@hono/zod-openapi'
import { listChanges, recordChange } from '@headwater/store'
import type { Change } from '@headwater/vocabulary'
import {
  answer,
  bodyText,
  cursorParameter,
  limitParameter,
  listOf,
  refusal,
  refusals,
  textParameter,
  timeParameter,
  writeCursor,
} from '../parameters.ts'
import type { Api, Parts } from './parts.ts'

const kind = z.enum(['deploy', 'flag', 'configuration'], { error: 'use deploy, flag or configuration' })

const changeShape = z
  .object({
    id: z.string(),
    kind,
    service: z.string(),
    version: z.string().nullable(),
    description: z.string().nullable(),
    at: z.string().openapi({ example: '2026-01-31T12:00:00.000Z' }),
  })
  .openapi('Change')

const report = createRoute({
  method: 'post',
  path: '/api/v1/changes',
  summary: 'Report a deploy, a flag or a configuration change: evidence for causes',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject(
            {
              kind,
              service: bodyText(500),
              version: bodyText(200).nullish(),
              description: bodyText(2_000).nullish(),
              at: timeParameter.optional().openapi({ description: 'Default: now' }),
            },
            { error: 'send a JSON object' },
          ),
        },
      },
    },
  },
  responses: {
    201: answer('The change as it is kept', changeShape),
    ...refusals,
    413: refusal('The body is larger than 64 KiB'),
    415: refusal('The body is not JSON'),
  },
})

const list = createRoute({
  method: 'get',
  path: '/api/v1/changes',
  summary: 'Reported changes, the latest first',
  request: {
    query: z.strictObject({
      service: textParameter.optional(),
      since: timeParameter.optional(),
      until: timeParameter.optional(),
      limit: limitParameter({ most: 200, usual: 50 }),
      cursor: cursorParameter.optional(),
    }),
  },
  responses: { 200: answer('Changes', listOf(changeShape)), ...refusals },
})

export function serveChanges(api: Api, { store, now }: Parts): void {
  api.openapi(report, async (c) => {
    const { at, version, description, ...given } = c.req.valid('json')
    const change: Change = {
      id: randomUUID(),
      ...given,
      version: version ?? null,
      description: description ?? null,
      at: new Date(at ?? now()).toISOString(),
    }
    await recordChange(store, change)
    return c.json(change, 201)
  })

  api.openapi(list, async (c) => {
    const { service, since, until, limit, cursor } = c.req.valid('query')
    const page = await listChanges(store, {
      limit,
      ...(service !== undefined && { service }),
      ...(since !== undefined && { since: new Date(since) }),
      ...(until !== undefined && { until: new Date(until) }),
      ...(cursor && { cursor }),
    })
    return c.json({ items: page.items, nextCursor: writeCursor(page.next) }, 200)
  })
}
