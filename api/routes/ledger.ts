import { createRoute, z } from '@hono/zod-openapi'
import { readLedger } from '@headwater/store'
import { answer, limitParameter, listOf, refusals, timeParameter, windowOf } from '../parameters.ts'
import { type Api, hourMs, type Parts } from './parts.ts'

const summaryShape = z
  .object({
    key: z.string().openapi({ description: "Name of the sender's API key; empty where none is asked for" }),
    signal: z.string(),
    received: z.int().openapi({ description: 'stored + rejected + shed + duplicate + lost' }),
    stored: z.int(),
    rejected: z.int().openapi({ description: 'Not valid, told to the sender' }),
    shed: z.int().openapi({ description: 'Left out on purpose, over budget' }),
    duplicate: z.int().openapi({ description: 'Sent again and recognised' }),
    lost: z.int().openapi({ description: 'Acknowledged and then damaged or refused for good; kept in quarantine' }),
    reasons: z.array(z.object({ outcome: z.string(), reason: z.string(), records: z.int() })),
  })
  .openapi('LedgerSummary')

const list = createRoute({
  method: 'get',
  path: '/api/v1/ledger',
  summary: 'What became of all records that collectors received, by key and signal; what is pending is not in it yet',
  request: {
    query: z.strictObject({
      since: timeParameter.optional().openapi({ description: 'Default: an hour before until' }),
      until: timeParameter.optional().openapi({ description: 'Default: now' }),
      limit: limitParameter({ most: 3_000, usual: 1_000 }),
    }),
  },
  responses: { 200: answer('Sums by key and signal', listOf(summaryShape)), ...refusals },
})

export function serveLedger(api: Api, { store, now }: Parts): void {
  api.openapi(list, async (c) => {
    const { since, until, limit } = c.req.valid('query')
    const window = windowOf({ since, until }, { nowMs: now() + 1_000, usualMs: hourMs })
    const items = await readLedger(store, { ...window, limit })
    return c.json({ items, nextCursor: null }, 200)
  })
}
