// A map of two hundred services is read by nobody. Above a number of nodes those that belong together stand as one, until
// somebody opens them. What belongs together is told by names and by who calls whom, never by figures: the map must not
// change its shape with the traffic.
import type { Snapshot } from '../api/live.ts'

/** A node of the map: a service, a peer, a queue, or several that stand as one. */
export type MapNode = Snapshot['nodes'][number] & { group?: Group }
export type MapEdge = Snapshot['edges'][number]

export interface Graph {
  nodes: MapNode[]
  edges: MapEdge[]
}

/** What a node stands for. */
export interface Group {
  name: string
  members: readonly MapNode[]
}

/** More nodes than this are grouped. */
export const nodesReadable = 60
/** Peers of one service beyond this stand as one. */
const ownPeersMost = 3
/** Peers, and queues, beyond this stand as one where services do. */
const sharedMost = 3
/** The words of a name: `orders-api` and `ordersApi` begin with the same. */
const firstWord = /^[a-z\d]+/i

/**
 * The map as it is drawn: grouped where there is too much of it. Of the open group its members are shown, with all that they
 * call or are called by. Causes of incidents always stand alone.
 */
export function readableGraph(
  graph: Graph,
  { most = nodesReadable, open }: { most?: number; open?: string | undefined } = {},
): Graph {
  const clustered = clusterPeers(graph)
  if (clustered.nodes.length <= most) return clustered
  const groups = new Map(groupsOf(graph, most))
  const members = open === undefined ? [] : (groups.get(open) ?? [])
  if (open !== undefined) groups.delete(open)
  const whole = together(
    graph,
    [...groups].map(([name, nodes]) => ({ id: groupId(name), name, nodes })),
  )
  if (members.length === 0) return whole
  const inside = new Set(members.map(({ id }) => id))
  const edges = whole.edges.filter(({ from, to }) => inside.has(from) || inside.has(to))
  const near = new Set([...inside, ...edges.flatMap(({ from, to }) => [from, to])])
  return { nodes: whole.nodes.filter(({ id }) => near.has(id)), edges }
}

/**
 * Where several peers are called by one service only, they stand as one: a service with twenty databases is one line, not
 * twenty.
 */
export function clusterPeers(graph: Graph): Graph {
  const callers = Map.groupBy(graph.edges, ({ to }) => to)
  const onlyCaller = (node: MapNode): string | undefined => {
    const from = new Set(callers.get(node.id)?.map((edge) => edge.from))
    return node.kind === 'peer' && from.size === 1 ? [...from][0] : undefined
  }
  const owned = graph.nodes.filter((node) => onlyCaller(node) !== undefined)
  const groups = [...Map.groupBy(owned, (node) => onlyCaller(node) ?? '')]
    .filter(([, nodes]) => nodes.length > ownPeersMost)
    .map(([caller, nodes]) => ({ id: `peers of ${caller}`, name: `${nodes.length} peers`, nodes }))
  return together(graph, groups)
}

/** Which nodes stand together, by the name of their group: by namespace, else by the first word of their names, else by their caller. */
function groupsOf({ nodes, edges }: Graph, most: number): ReadonlyMap<string, readonly MapNode[]> {
  const services = nodes.filter(({ kind, state }) => kind === 'service' && state !== 'cause')
  const namespaces = new Set(services.map(({ namespace }) => namespace))
  const byName = withoutLoners(
    Map.groupBy(services, ({ namespace, service }) =>
      namespaces.size > 1 && namespace !== '' ? namespace : (firstWord.exec(service)?.[0].toLowerCase() ?? service),
    ),
  )
  const strangers = [
    ['peers', nodes.filter(({ kind }) => kind === 'peer')],
    ['queues', nodes.filter(({ kind }) => kind === 'queue')],
  ] as const
  const groups = new Map<string, readonly MapNode[]>([
    ...byName,
    ...strangers.filter(([, all]) => all.length > sharedMost),
  ])
  const grouped = new Set([...groups.values()].flat())
  const alone = nodes.filter((node) => !grouped.has(node))
  if (groups.size + alone.length <= most) return groups
  const callers = Map.groupBy(edges, ({ to }) => to)
  const byCaller = Map.groupBy(
    alone.filter((node) => node.kind === 'service' && node.state !== 'cause' && callers.has(node.id)),
    ({ id }) =>
      callers
        .get(id)
        ?.map(({ from }) => from)
        .toSorted()[0] ?? '',
  )
  for (const [caller, called] of withoutLoners(byCaller)) groups.set(`called by ${nameOf(nodes, caller)}`, called)
  return groups
}

function withoutLoners(groups: ReadonlyMap<string, MapNode[]>): Map<string, MapNode[]> {
  return new Map([...groups].filter(([, nodes]) => nodes.length > 1))
}

function nameOf(nodes: readonly MapNode[], id: string): string {
  return nodes.find((node) => node.id === id)?.service ?? id
}

/** Whether the members of the group can be shown. */
export function isOpenable({ id, group }: MapNode): boolean {
  return group !== undefined && id === groupId(group.name)
}

function groupId(name: string): string {
  return `group ${name}`
}

/** The graph with each of the groups as one node, and their edges merged. Edges within a group are not shown. */
function together(
  { nodes, edges }: Graph,
  groups: readonly { id: string; name: string; nodes: readonly MapNode[] }[],
): Graph {
  if (groups.length === 0) return { nodes, edges }
  const standsFor = new Map(
    groups.flatMap(({ id, nodes: members }) => members.map((member) => [member.id, id] as const)),
  )
  const merged = new Map<string, MapEdge>()
  for (const edge of edges) {
    const from = standsFor.get(edge.from) ?? edge.from
    const to = standsFor.get(edge.to) ?? edge.to
    if (from === to && from !== edge.from) continue
    const key = JSON.stringify([from, to, edge.kind])
    const known = merged.get(key)
    merged.set(key, known === undefined ? { ...edge, from, to } : added(known, edge))
  }
  return {
    nodes: [
      ...nodes.filter(({ id }) => !standsFor.has(id)),
      ...groups.map(({ id, name, nodes: members }) => asOne(id, name, members)),
    ],
    edges: [...merged.values()],
  }
}

function added(known: MapEdge, edge: MapEdge): MapEdge {
  return {
    ...known,
    calls: known.calls + edge.calls,
    errors: known.errors + edge.errors,
    perSecond: known.perSecond + edge.perSecond,
    p95Ms: Math.max(known.p95Ms ?? 0, edge.p95Ms ?? 0) || null,
  }
}

const worstFirst = ['cause', 'failing', 'hit', 'ok', 'quiet'] as const

function asOne(id: string, name: string, members: readonly MapNode[]): MapNode {
  return {
    id,
    kind: members.every(({ kind }) => kind === 'service') ? 'service' : 'peer',
    service: name,
    namespace: '',
    environment: '',
    state: worstFirst.find((state) => members.some((member) => member.state === state)) ?? 'quiet',
    calls: sum(members, ({ calls }) => calls),
    errors: sum(members, ({ errors }) => errors),
    perSecond: sum(members, ({ perSecond }) => perSecond),
    p50Ms: null,
    p95Ms: Math.max(...members.map(({ p95Ms }) => p95Ms ?? 0)) || null,
    group: { name, members },
  }
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}
