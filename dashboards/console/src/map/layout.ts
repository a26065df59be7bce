// Where the nodes of the map stand. ELK (layered, left to right in the direction of the calls) works in a worker of its own,
// loaded when a map is first drawn. The same graph is laid out once, whatever its figures do.
import type { ELK, ElkNode } from 'elkjs/lib/elk-api'
import type { Snapshot } from '../api/live.ts'

export interface Place {
  x: number
  y: number
}

export const nodeWidth = 176
export const nodeHeight = 58

export interface Topology {
  nodes: { id: string }[]
  edges: { id: string; from: string; to: string }[]
}

let engine: Promise<ELK> | undefined

async function load(): Promise<ELK> {
  const [{ default: Elk }, { default: workerUrl }] = await Promise.all([
    import('elkjs/lib/elk-api.js'),
    import('elkjs/lib/elk-worker.min.js?url'),
  ])
  return new Elk({ workerFactory: () => new Worker(trusted(workerUrl)) })
}

/** The page's policy lets no text name a script; this one address comes from the build. */
function trusted(url: string): string {
  const { trustedTypes } = window as { trustedTypes?: TrustedTypes }
  const policy = trustedTypes?.createPolicy('layout', { createScriptURL: (given) => given })
  return (policy?.createScriptURL(url) ?? url) as string
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): unknown }
}

export interface Layout {
  places: Map<string, Place>
  /** The corners of each edge's way around the nodes, by the edge's ID. */
  routes: Map<string, Place[]>
}

/** Places and ways. Rejects when the worker cannot be loaded. */
export async function layOut({ nodes, edges }: Topology): Promise<Layout> {
  engine ??= load()
  engine.catch(() => (engine = undefined))
  const elk = await engine
  const linked = new Set(edges.flatMap(({ from, to }) => [from, to]))
  const graph: ElkNode = {
    id: 'map',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'RIGHT',
      'elk.layered.spacing.nodeNodeBetweenLayers': '60',
      'elk.spacing.nodeNode': '18',
      'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
      'elk.layered.cycleBreaking.strategy': 'GREEDY',
      'elk.edgeRouting': 'ORTHOGONAL',
      'elk.layered.spacing.edgeNodeBetweenLayers': '22',
      'elk.layered.spacing.edgeEdgeBetweenLayers': '9',
      'elk.layered.mergeEdges': 'true',
      'elk.separateConnectedComponents': 'true',
      'elk.aspectRatio': '1.7',
    },
    children: nodes.map(({ id }) => ({
      id,
      width: nodeWidth,
      height: nodeHeight,
      // Those that call nobody and are called by nobody stand below the others.
      ...(!linked.has(id) && { layoutOptions: { 'elk.priority': '0' } }),
    })),
    edges: edges.map(({ id, from, to }) => ({ id, sources: [from], targets: [to] })),
  }
  const { children = [], edges: routed = [] } = await elk.layout(graph)
  return {
    places: new Map(children.map(({ id, x = 0, y = 0 }) => [id, { x, y }])),
    routes: new Map(
      routed.map(({ id, sections = [] }) => [
        id,
        sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]),
      ]),
    ),
  }
}

const cornerPx = 7

/** A way as an SVG path with round corners, and the middle of its longest part. */
export function pathOf(points: readonly Place[]): { path: string; middle: Place } {
  const [first, ...rest] = points
  if (first === undefined) return { path: '', middle: { x: 0, y: 0 } }
  let path = `M${first.x},${first.y}`
  let before = first
  let middle = first
  let longest = -1
  for (const [i, point] of rest.entries()) {
    const length = Math.hypot(point.x - before.x, point.y - before.y)
    if (length > longest) {
      longest = length
      middle = { x: (point.x + before.x) / 2, y: (point.y + before.y) / 2 }
    }
    const next = rest[i + 1]
    if (next === undefined) path += `L${point.x},${point.y}`
    else {
      const near = toward(point, before, Math.min(cornerPx, length / 2))
      const far = toward(point, next, Math.min(cornerPx, Math.hypot(next.x - point.x, next.y - point.y) / 2))
      path += `L${near.x},${near.y}Q${point.x},${point.y} ${far.x},${far.y}`
    }
    before = point
  }
  return { path, middle }
}

function toward(from: Place, to: Place, px: number): Place {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1
  return { x: from.x + ((to.x - from.x) / length) * px, y: from.y + ((to.y - from.y) / length) * px }
}

export type MapNode = Snapshot['nodes'][number]
export type MapEdge = Snapshot['edges'][number]

/** All within `hops` calls of a node, in both directions; all of the map where no node is chosen. */
export function neighbourhood(
  { nodes, edges }: Pick<Snapshot, 'nodes' | 'edges'>,
  focus: string | undefined,
  hops: number,
): { nodes: MapNode[]; edges: MapEdge[] } {
  const centre = nodes.filter(({ id, service }) => id === focus || service === focus)
  if (focus === undefined || centre.length === 0) return { nodes, edges }
  const near = new Set(centre.map(({ id }) => id))
  for (let hop = 0; hop < hops; hop += 1) {
    for (const { from, to } of edges.filter((edge) => near.has(edge.from) !== near.has(edge.to))) {
      near.add(from)
      near.add(to)
    }
  }
  return {
    nodes: nodes.filter(({ id }) => near.has(id)),
    edges: edges.filter(({ from, to }) => near.has(from) && near.has(to)),
  }
}

/**
 * Where several peers are called by one service only, they stand as one: a service with twenty databases is one line, not
 * twenty. Returns which node stands for which others.
 */
export function clusterPeers(
  { nodes, edges }: { nodes: MapNode[]; edges: MapEdge[] },
  most = 3,
): { nodes: MapNode[]; edges: MapEdge[] } {
  const callers = Map.groupBy(edges, ({ to }) => to)
  const only = (node: MapNode): string | undefined => {
    const from = new Set(callers.get(node.id)?.map((edge) => edge.from))
    return node.kind === 'peer' && from.size === 1 ? [...from][0] : undefined
  }
  const groups = Map.groupBy(
    nodes.filter((node) => only(node) !== undefined),
    (node) => only(node) ?? '',
  )
  const standsFor = new Map<string, string>()
  const clusters: MapNode[] = []
  for (const [caller, peers] of groups) {
    if (peers.length <= most) continue
    const id = `peers of ${caller}`
    clusters.push({
      id,
      kind: 'peer',
      service: `${peers.length} peers`,
      namespace: '',
      environment: '',
      state: peers.some(({ state }) => state === 'failing') ? 'failing' : 'ok',
      calls: sum(peers, ({ calls }) => calls),
      errors: sum(peers, ({ errors }) => errors),
      perSecond: sum(peers, ({ perSecond }) => perSecond),
      p50Ms: null,
      p95Ms: Math.max(...peers.map(({ p95Ms }) => p95Ms ?? 0)) || null,
    })
    for (const { id: peer } of peers) standsFor.set(peer, id)
  }
  if (clusters.length === 0) return { nodes, edges }
  const merged = new Map<string, MapEdge>()
  for (const edge of edges) {
    const to = standsFor.get(edge.to) ?? edge.to
    const key = JSON.stringify([edge.from, to, edge.kind])
    const known = merged.get(key)
    merged.set(
      key,
      known === undefined
        ? { ...edge, to }
        : {
            ...known,
            calls: known.calls + edge.calls,
            errors: known.errors + edge.errors,
            perSecond: known.perSecond + edge.perSecond,
            p95Ms: Math.max(known.p95Ms ?? 0, edge.p95Ms ?? 0) || null,
          },
    )
  }
  return { nodes: [...nodes.filter(({ id }) => !standsFor.has(id)), ...clusters], edges: [...merged.values()] }
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}
