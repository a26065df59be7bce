import { createRoute, z } from '@hono/zod-openapi'
import { readServices, type ServiceSummary } from '@headwater/store'
import { parseService } from '@headwater/vocabulary'
import {
  answer,
  limitParameter,
  listOf,
  nameCursorParameter,
  refusals,
  timeParameter,
  windowOf,
  writeCursor,
} from '../parameters.ts'
import { type Api, hourMs, type Parts } from './parts.ts'

const statistics = {
  calls: z.int(),
  errors: z.int(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  lastSeen: z.string().openapi({ description: 'Start of the last minute with a call; RFC 3339' }),
}

/** A service's three names, and its key: what `from`, `to` and filters may say for it. */
export const identityShape = {
  service: z.string(),
  namespace: z.string().openapi({ description: 'service.namespace; empty when absent' }),
  environment: z.string().openapi({ description: 'deployment.environment.name; empty when absent' }),
}

export function identityOf(key: string) {
  const { name, namespace, environment } = parseService(key)
  return { service: name, namespace, environment }
}

function itemOf({ key, ...summary }: ServiceSummary) {
  return { ...identityOf(key), ...summary }
}

const serviceShape = z
  .object({
    ...identityShape,
    ...statistics,
    operations: z
      .array(z.object({ operation: z.string(), ...statistics }))
      .openapi({ description: 'The most called, 100 at most' }),
  })
  .openapi('Service')

const list = createRoute({
  method: 'get',
  path: '/api/v1/services',
  summary: 'Services and their operations, with calls, errors and latency in a window',
  request: {
    query: z.strictObject({
      since: timeParameter.optional().openapi({ description: 'Default: an hour before until. Whole minutes are read' }),
      until: timeParameter.optional().openapi({ description: 'Default: now' }),
      limit: limitParameter({ most: 1_000, usual: 200 }),
      cursor: nameCursorParameter.optional(),
    }),
  },
  responses: { 200: answer('Services by name', listOf(serviceShape)), ...refusals },
})

export function serveServices(api: Api, { store, now }: Parts): void {
  api.openapi(list, async (c) => {
    const { since, until, limit, cursor } = c.req.valid('query')
    const window = windowOf({ since, until }, { nowMs: now(), usualMs: hourMs })
    const services = await readServices(store, { ...window, after: cursor?.id ?? '', limit })
    const items = services.slice(0, limit).map(itemOf)
    const last = services[limit - 1]
    const next = services.length > limit && last !== undefined ? { at: '', id: last.key } : null
    return c.json({ items, nextCursor: writeCursor(next) }, 200)
  })
}
