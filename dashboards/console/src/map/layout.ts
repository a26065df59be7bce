// Where the nodes of the map stand. ELK (layered, left to right in the direction of the calls) works in a worker of its own,
// loaded when a map is first drawn. The same graph is laid out once, whatever its figures do.
import type { ELK, ElkNode } from 'elkjs/lib/elk-api'
import type { Snapshot } from '../api/live.ts'
import type { Graph, MapNode } from './groups.ts'

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

/** From so many nodes on, places are found sooner, and a little less well. */
const manyNodes = 60
const thorough = { 'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX' }
const quick = { 'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF', 'elk.layered.thoroughness': '3' }

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
      ...(nodes.length >= manyNodes ? quick : thorough),
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

const gapWidth = 70
const gapHeight = 42

/**
 * Rows and columns that fill a window of this aspect, in the order of the calls, column by column; ways go straight, beneath
 * the nodes. For few nodes that call each other crosswise, such as groups: in layers these make a line that nobody can read.
 */
export function inGrid({ nodes, edges }: Graph, aspect: number): Layout {
  const depths = depthsOf({ nodes, edges })
  const order = nodes.toSorted(
    (a, b) =>
      Number(a.kind !== 'service') - Number(b.kind !== 'service') ||
      (depths.get(a.id) ?? 0) - (depths.get(b.id) ?? 0) ||
      (a.id < b.id ? -1 : 1),
  )
  const [width, height] = [nodeWidth + gapWidth, nodeHeight + gapHeight]
  const columns = Math.max(1, Math.round(Math.sqrt((nodes.length * aspect * height) / width)))
  const rows = Math.ceil(nodes.length / columns)
  const places = new Map(
    order.map(({ id }, i) => [id, { x: Math.floor(i / rows) * width, y: (i % rows) * height }] as const),
  )
  return { places, routes: straightRoutes(edges, places) }
}

const rowGapWidth = 24
const rowGapHeight = 34
/** A window narrower than this part of its height is a phone's: layers beside one another would be too small to read there. */
export const tallAspect = 0.8

/**
 * Rows below one another, callers above those whom they call, as many to a row as a tall window has room for. The nodes of one
 * depth fill rows of their own, services before what sends no spans.
 */
export function inRows({ nodes, edges }: Graph, aspect: number): Layout {
  const depths = depthsOf({ nodes, edges })
  const [width, height] = [nodeWidth + rowGapWidth, nodeHeight + rowGapHeight]
  const columns = Math.max(2, Math.round(Math.sqrt((nodes.length * aspect * height) / width)))
  const levels = [...Map.groupBy(nodes, ({ id }) => depths.get(id) ?? Infinity)].toSorted(([a], [b]) => a - b)
  const places = new Map<string, Place>()
  let y = 0
  for (const [, level] of levels) {
    const order = level.toSorted(
      (a, b) => Number(a.kind !== 'service') - Number(b.kind !== 'service') || (a.id < b.id ? -1 : 1),
    )
    for (let at = 0; at < order.length; at += columns, y += height) {
      const row = order.slice(at, at + columns)
      const indent = ((columns - row.length) * width) / 2
      for (const [i, { id }] of row.entries()) places.set(id, { x: indent + i * width, y })
    }
  }
  return { places, routes: straightRoutes(edges, places) }
}

function straightRoutes(edges: Graph['edges'], places: ReadonlyMap<string, Place>): Map<string, Place[]> {
  const routes = new Map<string, Place[]>()
  for (const { from, to } of edges) {
    const [start, end] = [places.get(from), places.get(to)]
    if (start !== undefined && end !== undefined && from !== to) routes.set(linkId({ from, to }), straight(start, end))
  }
  return routes
}

/** Edges of several kinds between two nodes take one way. */
export function linkId({ from, to }: { from: string; to: string }): string {
  return JSON.stringify([from, to])
}

/** How many calls away from those that nobody calls, or that the fewest call. */
function depthsOf({ nodes, edges }: Graph): Map<string, number> {
  const calledBy = new Map(nodes.map(({ id }) => [id, new Set<string>()]))
  const calls = Map.groupBy(edges, ({ from }) => from)
  for (const { from, to } of edges) if (from !== to) calledBy.get(to)?.add(from)
  const fewest = Math.min(...[...calledBy.values()].map(({ size }) => size))
  let level = nodes.filter(({ id }) => calledBy.get(id)?.size === fewest).map(({ id }) => id)
  const depths = new Map<string, number>()
  for (let depth = 0; level.length > 0; depth += 1) {
    for (const id of level) depths.set(id, depth)
    level = [...new Set(level.flatMap((id) => calls.get(id)?.map(({ to }) => to) ?? []))].filter(
      (id) => !depths.has(id),
    )
  }
  for (const { id } of nodes) if (!depths.has(id)) depths.set(id, Infinity)
  return depths
}

/** From the border of one node to that of another, on the line between their middles. */
function straight(start: Place, end: Place): Place[] {
  const from = { x: start.x + nodeWidth / 2, y: start.y + nodeHeight / 2 }
  const to = { x: end.x + nodeWidth / 2, y: end.y + nodeHeight / 2 }
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  // Which part of the way lies within a node, at either end.
  const within = Math.min(nodeWidth / 2 / Math.abs(dx || 1e-9), nodeHeight / 2 / Math.abs(dy || 1e-9), 1)
  return [
    { x: from.x + dx * within, y: from.y + dy * within },
    { x: to.x - dx * within, y: to.y - dy * within },
  ]
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

/** All within `hops` calls of a node, in both directions; all of the map where no node is chosen. */
export function neighbourhood(
  { nodes, edges }: Pick<Snapshot, 'nodes' | 'edges'>,
  focus: string | undefined,
  hops: number,
): Graph {
  const centre = focus === undefined ? [] : nodes.filter((node) => isNamed(node, focus))
  if (centre.length === 0) return { nodes, edges }
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

/** The way of an incident, by names or keys of services. */
export interface Way {
  /** From an entry to the cause, in the direction of the calls. */
  path: readonly string[]
  /** What the cause waits for, where it sends no spans. */
  peer?: string | undefined
  /** Others that are hit. */
  hit: readonly string[]
}

/** The nodes and links of a way on the map. Links are named as {@link linkId} does. */
export interface WayOnMap {
  nodes: ReadonlySet<string>
  links: ReadonlySet<string>
}

/** Where a way lies on the map. Empty where none of its services is there (any more). */
export function wayOn({ nodes, edges }: Graph, { path, peer }: Way): WayOnMap {
  const idsOf = (name: string) => nodes.filter((node) => isNamed(node, name)).map(({ id }) => id)
  const steps = [...path, ...(peer === undefined ? [] : [peer])].map(idsOf)
  const links = edges.filter(({ from, to }) =>
    steps.some((callers, i) => callers.includes(from) && steps[i + 1]?.includes(to) === true),
  )
  return { nodes: new Set(steps.flat()), links: new Set(links.map(linkId)) }
}

/** The part of the map that an incident is about: its way, who else is hit, and whom the cause calls or is called by. */
export function incidentGraph(graph: Graph, way: Way): Graph {
  const cause = way.path.at(-1)
  const near = new Set(wayOn(graph, way).nodes)
  if (cause === undefined || near.size === 0) return graph
  for (const node of graph.nodes) if (way.hit.some((name) => isNamed(node, name))) near.add(node.id)
  if (graph.nodes.some((node) => isNamed(node, cause))) {
    for (const { id } of neighbourhood(graph, cause, 1).nodes) near.add(id)
  }
  return {
    nodes: graph.nodes.filter(({ id }) => near.has(id)),
    edges: graph.edges.filter(({ from, to }) => near.has(from) && near.has(to)),
  }
}

/** A group is named by each of its members. */
function isNamed({ id, service, group }: MapNode, name: string): boolean {
  return id === name || service === name || group?.members.some((member) => isNamed(member, name)) === true
}
