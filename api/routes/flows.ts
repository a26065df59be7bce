import { createRoute, z } from '@hono/zod-openapi'
import { flowsMax, readFlows } from '@headwater/store'
import { parseService } from '@headwater/vocabulary'
import { answer, listOf, refusals, textParameter, timeParameter, windowOf } from '../parameters.ts'
import { type Api, hourMs, type Parts } from './parts.ts'

const flowShape = z
  .object({
    name: z.string(),
    runs: z.int(),
    failed: z.int(),
    users: z.int(),
    p50Ms: z.number().openapi({ description: 'How long the entry took: what the caller waited for' }),
    p95Ms: z.number(),
    p99Ms: z.number(),
    services: z.array(z.string()),
    lastSeen: z.string(),
  })
  .openapi('Flow')

const list = createRoute({
  method: 'get',
  path: '/api/v1/flows',
  summary: 'Flows with their runs, failures, users and how long their entries took',
  request: {
    query: z.strictObject({
      name: textParameter.optional().openapi({ example: 'POST /checkout' }),
      since: timeParameter.optional().openapi({ description: 'Default: an hour before until' }),
      until: timeParameter.optional().openapi({ description: 'Default: now' }),
    }),
  },
  responses: { 200: answer(`Flows with the most runs first, ${flowsMax} at most`, listOf(flowShape)), ...refusals },
})

export function serveFlows(api: Api, { store, now }: Parts): void {
  api.openapi(list, async (c) => {
    const { name, ...asked } = c.req.valid('query')
    const window = windowOf(asked, { nowMs: now(), usualMs: hourMs })
    const flows = await readFlows(store, { ...window, ...(name !== undefined && { name }) })
    const items = flows.map(({ services, ...flow }) => ({
      ...flow,
      services: [...new Set(services.map((key) => parseService(key).name))].toSorted(),
    }))
    return c.json({ items, nextCursor: null }, 200)
  })
}
