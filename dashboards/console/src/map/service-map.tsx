import '@xyflow/react/dist/base.css'
import './map.css'
import {
  BaseEdge,
  Background,
  Controls,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  Handle,
  MarkerType,
  MiniMap,
  type Node,
  type NodeProps,
  Panel,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from '@xyflow/react'
import { memo, useEffect, useMemo, useRef, useState } from 'react'
import type { Snapshot } from '../api/live.ts'
import { visible } from '../parts/raw.tsx'
import { State } from '../parts/state.tsx'
import { ms, rate, share } from '../tell.ts'
import {
  clusterPeers,
  type Layout,
  layOut,
  type MapEdge,
  type MapNode,
  neighbourhood,
  nodeHeight,
  nodeWidth,
  pathOf,
  type Place,
} from './layout.ts'

type ServiceNode = Node<{ node: MapNode; isDim: boolean; isFocus: boolean }, 'service'>
type CallEdge = Edge<{ edge: MapEdge; route: Place[]; isDim: boolean; isNear: boolean }, 'call'>

export interface MapProps {
  snapshot: Pick<Snapshot, 'nodes' | 'edges'>
  /** A node's ID or a service's name: it and its neighbours are shown alone. */
  focus?: string | undefined
  hops?: number
  /** Nodes whose names hold this stand out. */
  find?: string
  onOpen: (node: MapNode) => void
}

export function ServiceMap(props: MapProps) {
  return (
    <ReactFlowProvider>
      <Inner {...props} />
    </ReactFlowProvider>
  )
}

function Inner({ snapshot, focus, hops = 1, find = '', onOpen }: MapProps) {
  const { fitView } = useReactFlow()
  const [pointed, setPointed] = useState<string>()
  const shown = useMemo(() => clusterPeers(neighbourhood(snapshot, focus, hops)), [snapshot, focus, hops])
  const { layout, failure } = useLayout(shown)
  const wanted = find.trim().toLowerCase()

  const nodes = useMemo((): ServiceNode[] => {
    const near = pointed === undefined ? undefined : nearOf(shown.edges, pointed)
    return shown.nodes.flatMap((node) => {
      const position = layout?.places.get(node.id)
      if (position === undefined) return []
      const isDim =
        (wanted !== '' && !node.service.toLowerCase().includes(wanted)) || (near !== undefined && !near.has(node.id))
      return [
        {
          id: node.id,
          type: 'service' as const,
          position,
          width: nodeWidth,
          height: nodeHeight,
          data: { node, isDim, isFocus: node.id === focus || node.service === focus },
          ariaLabel: labelOf(node),
        },
      ]
    })
  }, [shown, layout, wanted, pointed, focus])

  const edges = useMemo((): CallEdge[] => {
    if (layout === undefined) return []
    return shown.edges.flatMap((edge) => {
      const route = layout.routes.get(linkId(edge))
      if (route === undefined) return []
      const isNear = pointed !== undefined && (edge.from === pointed || edge.to === pointed)
      const isBad = edge.calls >= 5 && edge.errors >= 0.05 * edge.calls
      return [
        {
          id: edgeId(edge),
          type: 'call' as const,
          source: edge.from,
          target: edge.to,
          data: { edge, route, isDim: pointed !== undefined && !isNear, isNear },
          className: `${edge.kind}${isBad ? ' bad' : ''}`,
          markerEnd: {
            type: MarkerType.ArrowClosed,
            width: 14,
            height: 14,
            color: isBad ? 'var(--bad)' : 'var(--strong-line)',
          },
          focusable: false,
        },
      ]
    })
  }, [shown, layout, pointed])

  const fitKey = `${layout?.places.size ?? 0} ${focus ?? ''} ${hops}`
  useEffect(() => {
    if (layout === undefined) return undefined
    const frame = requestAnimationFrame(() => void fitView({ padding: 0.08, maxZoom: 1.15, duration: 0 }))
    return () => cancelAnimationFrame(frame)
    // The map is fitted when its shape changes, not with each figure.
  }, [fitKey, fitView]) // oxlint-disable-line react-hooks/exhaustive-deps

  if (failure !== undefined)
    return <p className="note error">The map cannot be laid out: {failure}. The table has the same.</p>
  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      onNodeClick={(_, { data }) => onOpen(data.node)}
      onNodeMouseEnter={(_, { id }) => setPointed(id)}
      onNodeMouseLeave={() => setPointed(undefined)}
      onKeyDown={(event) => {
        const id = event.key === 'Enter' ? (event.target as HTMLElement).dataset['id'] : undefined
        const node = shown.nodes.find((each) => each.id === id)
        if (node !== undefined) onOpen(node)
      }}
      nodesDraggable={false}
      nodesConnectable={false}
      elementsSelectable={false}
      onlyRenderVisibleElements={shown.nodes.length > 80}
      minZoom={0.08}
      maxZoom={2}
      proOptions={{ hideAttribution: false }}
      aria-label="Map of services"
    >
      <Background gap={24} size={1} />
      <Controls showInteractive={false} />
      {shown.nodes.length > 40 && <MiniMap pannable zoomable ariaLabel="The whole map" nodeClassName={miniClass} />}
      <Panel position="top-right">
        <Legend />
      </Panel>
    </ReactFlow>
  )
}

/** The layout of the graph as it is now; that of before until it is found. */
function useLayout({ nodes, edges }: { nodes: MapNode[]; edges: MapEdge[] }) {
  const shape = JSON.stringify([nodes.map(({ id }) => id), edges.map(({ from, to }) => [from, to])])
  const [layout, setLayout] = useState<Layout>()
  const [failure, setFailure] = useState<string>()
  const latest = useRef(shape)
  latest.current = shape
  useEffect(() => {
    const links = new Map(edges.map((edge) => [linkId(edge), edge]))
    layOut({ nodes, edges: [...links].map(([id, { from, to }]) => ({ id, from, to })) }).then(
      (found) => {
        return latest.current === shape ? setLayout(found) : undefined
      },
      (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)),
    )
    // The shape says all that matters here of nodes and edges.
  }, [shape]) // oxlint-disable-line react-hooks/exhaustive-deps
  return { layout, failure }
}

const nodeTypes = { service: memo(ServiceCard) }
const edgeTypes = { call: memo(Call) }

function ServiceCard({ data: { node, isDim, isFocus } }: NodeProps<ServiceNode>) {
  const { kind, state, service, environment, calls, errors, perSecond, p95Ms } = node
  return (
    <div className={`service ${kind} ${state}${isDim ? ' dim' : ''}${isFocus ? ' focus' : ''}`}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <strong title={visible(node.id)}>
        <Sign kind={kind} />
        <bdi>{visible(service.slice(0, 60))}</bdi>
        {environment !== '' && <small> {visible(environment.slice(0, 20))}</small>}
      </strong>
      {(state === 'cause' || state === 'hit') && <State state={state} />}
      <span className="figures">
        {calls === 0 ? (
          <span className="muted">{kind === 'queue' ? 'queue' : 'quiet'}</span>
        ) : (
          <>
            <span>{rate(perSecond)}</span>
            {kind !== 'queue' && <span>{ms(p95Ms)}</span>}
            {errors > 0 && <b>{share(errors / calls)} fail</b>}
          </>
        )}
      </span>
      {errors > 0 && calls > 0 && (
        <svg className="error-bar" aria-hidden="true" preserveAspectRatio="none">
          <rect width={`${Math.min(1, errors / calls) * 100}%`} height="100%" />
        </svg>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  )
}

function Sign({ kind }: { kind: MapNode['kind'] }) {
  if (kind === 'service') return null
  return (
    <span
      className="sign"
      title={kind === 'queue' ? 'messages go here' : 'is called, but sends no spans'}
      aria-hidden="true"
    >
      {kind === 'queue' ? '≡' : '◇'}
    </span>
  )
}

function Call({ id, markerEnd, data }: EdgeProps<CallEdge>) {
  if (data === undefined) return null
  const { edge, route, isDim, isNear } = data
  const { path, middle } = pathOf(route)
  const fails = edge.calls > 0 && edge.errors > 0 ? `${share(edge.errors / edge.calls)} fail` : undefined
  const width = edge.calls === 0 ? 1 : 1 + Math.min(3, Math.log10(1 + edge.perSecond) * 1.4)
  return (
    <>
      <BaseEdge
        id={id}
        path={path}
        {...(markerEnd !== undefined && { markerEnd })}
        style={{ strokeWidth: width, opacity: isDim ? 0.15 : edge.calls === 0 ? 0.45 : 1 }}
      />
      {edge.calls > 0 && (isNear || (fails !== undefined && !isDim)) && (
        <EdgeLabelRenderer>
          <div
            className={`edge-label${edge.errors > 0 ? ' bad' : ''}`}
            style={{ transform: `translate(-50%, -50%) translate(${middle.x}px, ${middle.y}px)` }}
          >
            {[...(isNear ? [rate(edge.perSecond), ms(edge.p95Ms)] : []), ...(fails === undefined ? [] : [fails])].join(
              ' · ',
            )}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  )
}

function Legend() {
  return (
    <ul className="legend" aria-label="Signs of the map">
      <li>
        <i className="line" /> call
      </li>
      <li>
        <i className="line async" /> by message
      </li>
      <li>◇ sends no spans</li>
      <li>≡ queue</li>
      <li>
        <State state="cause" />
      </li>
      <li>
        <State state="hit" />
      </li>
    </ul>
  )
}

function miniClass({ data }: Node): string {
  const { node } = data as ServiceNode['data']
  return node.state
}

function nearOf(edges: readonly MapEdge[], id: string): Set<string> {
  return new Set([id, ...edges.flatMap(({ from, to }) => (from === id ? [to] : to === id ? [from] : []))])
}

/** Edges of several kinds between two nodes take one way. */
function linkId({ from, to }: MapEdge): string {
  return JSON.stringify([from, to])
}

function edgeId({ from, to, kind }: MapEdge): string {
  return JSON.stringify([from, to, kind])
}

function labelOf({ kind, service, state, calls, errors, perSecond }: MapNode): string {
  const figures = calls === 0 ? 'no calls in the last minute' : `${rate(perSecond)}, ${share(errors / calls)} fail`
  return `${kind} ${visible(service)}, ${state}: ${figures}`
}
