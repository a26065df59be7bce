import { createRoute, z } from '@hono/zod-openapi'
import { readSpanCounts } from '@headwater/store'
import { answer, listOf, refusals, timeParameter, windowOf } from '../parameters.ts'
import { type Api, hourMs, type Parts } from './parts.ts'
import { identityOf, identityShape } from './services.ts'

const rateShape = z
  .object({
    ...identityShape,
    operation: z.string(),
    kind: z.string().openapi({ description: 'Kind of the spans, such as Server' }),
    spans: z.int(),
    errors: z.int(),
    spansPerSecond: z.number(),
    p50Ms: z.number().nullable(),
    p95Ms: z.number().nullable(),
  })
  .openapi('SpanRate')

const list = createRoute({
  method: 'get',
  path: '/api/v1/span-rates',
  summary: 'What came before any of it was shed, by operation; empty where collectors have no budget',
  request: {
    query: z.strictObject({
      since: timeParameter
        .optional()
        .openapi({ description: 'Default: an hour before until. Ten seconds are read whole' }),
      until: timeParameter.optional().openapi({ description: 'Default: now' }),
    }),
  },
  responses: { 200: answer('Operations with the most spans first, 5,000 at most', listOf(rateShape)), ...refusals },
})

export function serveRates(api: Api, { store, now }: Parts): void {
  api.openapi(list, async (c) => {
    const { since, until } = c.req.valid('query')
    const rates = await readSpanCounts(store, windowOf({ since, until }, { nowMs: now(), usualMs: hourMs }))
    const items = rates.map(({ service, ...rate }) => ({ ...identityOf(service), ...rate }))
    return c.json({ items, nextCursor: null }, 200)
  })
}
