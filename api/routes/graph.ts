import { createRoute, z } from '@hono/zod-openapi'
import { type EdgeSummary, edgesMax, readEdges } from '@headwater/store'
import { answer, refusals, timeParameter, windowOf } from '../parameters.ts'
import { type Api, hourMs, type Parts } from './parts.ts'
import { identityOf, identityShape } from './services.ts'

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
type Graph = z.infer<typeof graphShape>

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
    return c.json({ ...graphOf(edges.slice(0, edgesMax)), truncated: edges.length > edgesMax }, 200)
  })
}

function graphOf(summaries: readonly EdgeSummary[]): Omit<Graph, 'truncated'> {
  const services = new Set<string>()
  for (const { caller, service, kind } of summaries) {
    if (caller !== '') services.add(caller)
    if (kind !== 'peer' && kind !== 'publish') services.add(service)
  }
  const nodes = new Map<string, Graph['nodes'][number]>()
  const edges: Graph['edges'] = []
  const add = (node: Graph['nodes'][number]) => {
    nodes.set(node.id, node)
    return node.id
  }
  const addService = (key: string) => add({ id: key, kind: 'service', ...identityOf(key) })
  for (const { caller, service, kind, ...figures } of summaries) {
    // A service and a queue may bear one name; a peer that sends spans elsewhere in the window is the service.
    const to = services.has(service) && kind !== 'publish' ? addService(service) : add(strangerOf(service, kind))
    if (caller !== '' && kind !== 'entry') edges.push({ from: addService(caller), to, kind, ...figures })
  }
  return { nodes: [...nodes.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)), edges }
}

function strangerOf(name: string, kind: EdgeSummary['kind']): Graph['nodes'][number] {
  const nodeKind = kind === 'publish' ? 'queue' : 'peer'
  return { id: `${nodeKind}:${name}`, kind: nodeKind, service: name, namespace: '', environment: '' }
}
