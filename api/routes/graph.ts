import { createRoute, z } from '@hono/zod-openapi'
import { edgesMax, readEdges } from '@headwater/store'
import { graphOf } from '../graph-of.ts'
import { answer, refusals, timeParameter, windowOf } from '../parameters.ts'
import { type Api, hourMs, type Parts } from './parts.ts'
import { identityShape } from './services.ts'

const nodeShape = z.object({
  id: z.string().openapi({ description: 'What edges name. A service: its key' }),
  kind: z
    .enum(['service', 'peer', 'queue'])
    .openapi({ description: 'peer: called, but sends no spans; queue: where messages go' }),
  ...identityShape,
})

const edgeShape = z.object({
  from: z.string(),
  to: z.string(),
  kind: z.enum(['sync', 'async', 'peer', 'publish']),
  operations: z.array(z.string()).openapi({ description: "The callee's most called, 20 at most" }),
  calls: z.int(),
  errors: z.int(),
  p95Ms: z.number().nullable(),
})

const graphShape = z
  .object({ nodes: z.array(nodeShape), edges: z.array(edgeShape), truncated: z.boolean() })
  .openapi('Graph')

const show = createRoute({
  method: 'get',
  path: '/api/v1/graph',
  summary: 'Who called whom in a window',
  request: {
    query: z.strictObject({
      since: timeParameter.optional().openapi({ description: 'Default: an hour before until. Whole minutes are read' }),
      until: timeParameter.optional().openapi({ description: 'Default: now' }),
    }),
  },
  responses: { 200: answer(`The ${edgesMax} most used edges and their ends`, graphShape), ...refusals },
})

export function serveGraph(api: Api, { store, now }: Parts): void {
  api.openapi(show, async (c) => {
    const window = windowOf(c.req.valid('query'), { nowMs: now(), usualMs: hourMs })
    const edges = await readEdges(store, window)
    const { nodes, edges: shown } = graphOf(edges.slice(0, edgesMax))
    return c.json({ nodes, edges: shown, truncated: edges.length > edgesMax }, 200)
  })
}
