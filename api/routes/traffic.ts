import { createRoute, z } from '@hono/zod-openapi'
import { readTraffic, readVersionTraffic } from '@headwater/store'
import { answer, refusals, textParameter, timeParameter, windowOf } from '../parameters.ts'
import { type Api, hourMs, type Parts } from './parts.ts'

/** Points that an answer has at most; longer windows get longer steps. */
const pointsMax = 240

const figures = { calls: z.int(), errors: z.int(), p95Ms: z.number().nullable() }

const trafficShape = z
  .object({
    since: z.string(),
    until: z.string(),
    stepSeconds: z.int(),
    points: z
      .array(z.object({ at: z.string(), ...figures, p50Ms: z.number().nullable(), p99Ms: z.number().nullable() }))
      .openapi({ description: 'Steps without calls are left out' }),
    versions: z
      .array(z.object({ version: z.string(), ...figures, firstSeen: z.string(), lastSeen: z.string() }))
      .openapi({ description: 'Those that answered in the window, the latest first' }),
  })
  .openapi('Traffic')

const show = createRoute({
  method: 'get',
  path: '/api/v1/traffic',
  summary: 'Calls, errors and latency over time: of a service, of an operation of it, or of the entries of a flow',
  request: {
    query: z.strictObject({
      service: textParameter.optional().openapi({ description: 'Plain name, or full key' }),
      operation: textParameter.optional(),
      flow: textParameter.optional(),
      since: timeParameter.optional().openapi({ description: 'Default: an hour before until. Whole minutes are read' }),
      until: timeParameter.optional().openapi({ description: 'Default: now' }),
    }),
  },
  responses: { 200: answer(`At most ${pointsMax} points`, trafficShape), ...refusals },
})

export function serveTraffic(api: Api, { store, now }: Parts): void {
  api.openapi(show, async (c) => {
    const { since, until, service, operation, flow } = c.req.valid('query')
    const window = windowOf({ since, until }, { nowMs: now(), usualMs: hourMs })
    const filter = {
      ...window,
      ...(service !== undefined && { service }),
      ...(operation !== undefined && { operation }),
      ...(flow !== undefined && { flow }),
    }
    const minutes = (window.until.getTime() - window.since.getTime()) / 60_000
    const stepMinutes = Math.max(1, Math.ceil(minutes / pointsMax))
    const [points, versions] = await Promise.all([
      readTraffic(store, { ...filter, stepMinutes }),
      readVersionTraffic(store, filter),
    ])
    return c.json(
      {
        since: window.since.toISOString(),
        until: window.until.toISOString(),
        stepSeconds: stepMinutes * 60,
        points,
        versions,
      },
      200,
    )
  })
}
