import { createRoute, z } from '@hono/zod-openapi'
import { countClosedGoingOn, readIncidents, readKnownCalls } from '@headwater/store'
import { answer, refusals } from '../parameters.ts'
import { recentMs, systemStateOf } from '../system-state.ts'
import type { Api, Parts } from './parts.ts'

const stateShape = z
  .object({
    state: z.enum(['incidents', 'normal', 'not-enough-data']),
    summary: z.string(),
    openIncidents: z.int().openapi({ description: '100 at most' }),
    closedGoingOn: z.int().openapi({ description: 'Incidents that somebody has resolved, and that go on' }),
    settledUpTo: z.string().nullable().openapi({ description: 'All that arrived before is analyzed; RFC 3339' }),
    operations: z.int().openapi({ description: 'Called in the last hour' }),
    comparable: z.int().openapi({ description: 'Of these: called often enough before to be judged, and called now' }),
    callsNow: z.int(),
    callsBefore: z.int(),
  })
  .openapi('SystemState')

const show = createRoute({
  method: 'get',
  path: '/api/v1/state',
  summary: 'Whether anything is wrong now, or why nobody can tell',
  responses: { 200: answer('The state', stateShape), ...refusals },
})

/** How many calls before make a series known: as the analyzer has it. */
const callsMin = 8
const openMax = 100

export function serveState(api: Api, { store, now }: Parts): void {
  api.openapi(show, async (c) => {
    const nowMs = now()
    const [open, closed, known] = await Promise.all([
      readIncidents(store, { state: 'open', limit: openMax }),
      countClosedGoingOn(store),
      readKnownCalls(store, { nowMs, recentMs, callsMin }),
    ])
    const { settledMs, lastMs: _, ...counts } = known
    const settledUpTo = settledMs === null ? null : new Date(settledMs).toISOString()
    const told = systemStateOf({ open: open.items.length, closed }, known, nowMs)
    return c.json({ ...told, openIncidents: open.items.length, closedGoingOn: closed, settledUpTo, ...counts }, 200)
  })
}
