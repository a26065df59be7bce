import { createRoute, z } from '@hono/zod-openapi'
import { Refusal } from '../errors.ts'
import { hostOf } from '../guard.ts'
import { type Snapshot, snapshotShape } from '../live/snapshot.ts'
import { answer, refusals } from '../parameters.ts'
import type { Api } from './parts.ts'

const show = createRoute({
  method: 'get',
  path: '/api/v1/now',
  summary: 'The map of services in the last minute, and the open incidents; /ws sends the same each second',
  responses: { 200: answer('What goes on', snapshotShape), ...refusals },
})

const listen = createRoute({
  method: 'get',
  path: '/ws',
  summary: 'A WebSocket that sends what /api/v1/now answers each second, as gzipped JSON',
  responses: {
    426: { description: 'Ask for a WebSocket', content: { 'text/plain': { schema: z.string() } } },
    ...refusals,
  },
})

export function serveNow(api: Api, { readNow }: { readNow: () => Promise<Snapshot> }): void {
  api.openapi(show, async (c) => c.json(await readNow(), 200))

  api.openapi(listen, (c) => {
    // Browsers let any page open a WebSocket to anybody, and send our cookie from pages of this site.
    const origin = c.req.header('origin')
    if (origin !== undefined && hostOf(origin) !== (c.req.header('host') ?? '')) {
      throw new Refusal(403, 'origin_refused', `Pages of "${origin.slice(0, 200)}" may not listen here`)
    }
    return c.text('Ask for a WebSocket here\n', 426, { upgrade: 'websocket', connection: 'Upgrade' })
  })
}
