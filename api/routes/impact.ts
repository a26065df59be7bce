import { createRoute, z } from '@hono/zod-openapi'
import { readOperationEdges, readThroughPlace, servicePattern } from '@headwater/store'
import { notFound } from '../errors.ts'
import { answer, refusals, textParameter, timeParameter, unknownRefusal, windowOf } from '../parameters.ts'
import { dependentsOf } from '../reach.ts'
import { type Api, hourMs, type Parts } from './parts.ts'
import { identityOf, identityShape } from './services.ts'

const share = z.number().openapi({ description: '0 to 1' })

const impactShape = z
  .object({
    service: z.string(),
    operation: z.string().nullable(),
    since: z.string(),
    until: z.string(),
    runs: z.int().openapi({ description: 'Runs that called it in the window' }),
    services: z
      .array(
        z.object({
          ...identityShape,
          operations: z.array(z.string()),
          runs: z.int(),
          runsThrough: z.int(),
          share: share.openapi({ description: 'Of the runs that this service took part in' }),
        }),
      )
      .openapi({ description: 'Services that depend on it: callers, their callers, and consumers of their messages' }),
    flows: z.array(z.object({ name: z.string(), runs: z.int(), runsThrough: z.int(), share })),
    users: z.object({
      through: z.int(),
      seen: z.int(),
      share: share.openapi({ description: 'Of the users seen in these flows' }),
    }),
  })
  .openapi('PossibleImpact')

const show = createRoute({
  method: 'get',
  path: '/api/v1/impact',
  summary: 'What would be hit if a service or an operation of it failed, from the calls of the last hour',
  request: {
    query: z.strictObject({
      service: textParameter.openapi({ description: 'Plain name, or full key', example: 'math' }),
      operation: textParameter.optional().openapi({ example: 'POST /evaluate' }),
      namespace: z.string().max(500).optional(),
      environment: z.string().max(500).optional(),
      since: timeParameter.optional().openapi({ description: 'Default: an hour before until' }),
      until: timeParameter.optional().openapi({ description: 'Default: now' }),
    }),
  },
  responses: { 200: answer('What depends on it', impactShape), ...refusals, ...unknownRefusal },
})

export function serveImpact(api: Api, { store, now }: Parts): void {
  api.openapi(show, async (c) => {
    const { since, until, operation, ...filter } = c.req.valid('query')
    const window = windowOf({ since, until }, { nowMs: now(), usualMs: hourMs })
    const [edges, through] = await Promise.all([
      readOperationEdges(store, window),
      readThroughPlace(store, { ...window, ...filter, operation }),
    ])
    if (through.runs === 0) {
      const place = operation === undefined ? filter.service : `${operation} of ${filter.service}`
      throw notFound('call in this time to', place, 'see GET /api/v1/services, or choose another since and until')
    }
    const pattern = new RegExp(servicePattern(filter))
    const dependents = dependentsOf(
      edges,
      (at) => pattern.test(at.service) && (operation === undefined || at.operation === operation),
    )
    const operations = Map.groupBy(dependents, ({ service }) => service)
    const services = through.services.flatMap(({ key, runs, runsThrough }) => {
      const own = operations.get(key)
      if (own === undefined) return []
      const names = own.map((at) => at.operation).toSorted()
      return [{ ...identityOf(key), operations: names, runs, runsThrough, share: runsThrough / runs }]
    })
    const { users } = through
    return c.json(
      {
        service: filter.service,
        operation: operation ?? null,
        since: window.since.toISOString(),
        until: window.until.toISOString(),
        runs: through.runs,
        services,
        flows: through.flows.map(({ name, runs, runsThrough }) => ({
          name,
          runs,
          runsThrough,
          share: runsThrough / runs,
        })),
        users: { ...users, share: users.seen === 0 ? 0 : users.through / users.seen },
      },
      200,
    )
  })
}
