// Edges as the store has them, as a graph: services, peers that send no spans, and queues, each once.
import type { EdgeSummary } from '@headwater/store'
import { parseService } from '@headwater/vocabulary'

export interface GraphNode {
  /** A service's key; for others their kind and name. */
  id: string
  kind: 'service' | 'peer' | 'queue'
  service: string
  namespace: string
  environment: string
}

export interface GraphEdge extends Omit<EdgeSummary, 'caller' | 'service' | 'kind'> {
  from: string
  to: string
  kind: 'sync' | 'async' | 'peer' | 'publish'
}

export interface GraphOfEdges {
  nodes: GraphNode[]
  edges: GraphEdge[]
  /** The node that an edge of the store leads to. */
  idOf(edge: Pick<EdgeSummary, 'service' | 'kind'>): string
}

export function graphOf(summaries: readonly EdgeSummary[]): GraphOfEdges {
  const services = new Set<string>()
  for (const { caller, service, kind } of summaries) {
    if (caller !== '') services.add(caller)
    if (kind !== 'peer' && kind !== 'publish') services.add(service)
  }
  // A service and a queue may bear one name; a peer that sends spans elsewhere in the window is the service.
  const nodeOf = ({ service, kind }: Pick<EdgeSummary, 'service' | 'kind'>): GraphNode =>
    services.has(service) && kind !== 'publish' ? serviceNode(service) : strangerOf(service, kind)
  const nodes = new Map<string, GraphNode>()
  const edges: GraphEdge[] = []
  const add = (node: GraphNode) => {
    nodes.set(node.id, node)
    return node.id
  }
  for (const { caller, service, kind, ...figures } of summaries) {
    const to = add(nodeOf({ service, kind }))
    if (caller !== '' && kind !== 'entry') edges.push({ from: add(serviceNode(caller)), to, kind, ...figures })
  }
  return {
    nodes: [...nodes.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    edges,
    idOf: (edge) => nodeOf(edge).id,
  }
}

function serviceNode(key: string): GraphNode {
  const { name, namespace, environment } = parseService(key)
  return { id: key, kind: 'service', service: name, namespace, environment }
}

function strangerOf(name: string, kind: EdgeSummary['kind']): GraphNode {
  const nodeKind = kind === 'publish' ? 'queue' : 'peer'
  return { id: `${nodeKind}:${name}`, kind: nodeKind, service: name, namespace: '', environment: '' }
}
