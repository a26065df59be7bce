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
  useStore,
} from '@xyflow/react'
import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Snapshot } from '../api/live.ts'
import { visible } from '../parts/raw.tsx'
import { State } from '../parts/state.tsx'
import { ms, rate, share } from '../tell.ts'
import { isOpenable, type MapEdge, type MapNode, readableGraph } from './groups.ts'
import {
  incidentGraph,
  inGrid,
  inRows,
  type Layout,
  layOut,
  linkId,
  neighbourhood,
  nodeHeight,
  nodeWidth,
  pathOf,
  type Place,
  tallAspect,
  type Way,
  type WayOnMap,
  wayOn,
} from './layout.ts'

type ServiceNode = Node<
  { node: MapNode; hasEnvironment: boolean; isDim: boolean; isFocus: boolean; isOnWay: boolean },
  'service'
>
type CallEdge = Edge<{ edge: MapEdge; route: Place[]; isDim: boolean; isNear: boolean; isOnWay: boolean }, 'call'>

export interface MapProps {
  snapshot: Pick<Snapshot, 'nodes' | 'edges'>
  /** A node's ID or a service's name: it and its neighbours are shown alone. */
  focus?: string | undefined
  hops?: number
  /** Of an incident: it stands out, and only what the incident is about is shown. */
  way?: Way | undefined
  /** Name of the group that is opened. */
  group?: string | undefined
  /** Nodes whose names hold this stand out. */
  find?: string
  onOpen: (node: MapNode) => void
}

const nowhere: WayOnMap = { nodes: new Set(), links: new Set() }

export function ServiceMap(props: MapProps) {
  return (
    <ReactFlowProvider>
      <Inner {...props} />
    </ReactFlowProvider>
  )
}

function Inner({ snapshot: { nodes: all, edges: calls }, focus, hops = 1, way, group, find = '', onOpen }: MapProps) {
  const { fitView } = useReactFlow()
  const [pointed, setPointed] = useState<string>()
  const shown = useMemo(() => {
    const graph = { nodes: all, edges: calls }
    const part = way === undefined ? neighbourhood(graph, focus, hops) : incidentGraph(graph, way)
    return readableGraph(part, { open: group })
  }, [all, calls, focus, hops, way, group])
  const onWay = useMemo(() => (way === undefined ? nowhere : wayOn(shown, way)), [shown, way])
  const aspect = useStore(({ width, height }) => (height === 0 ? undefined : Math.round((4 * width) / height) / 4))
  // Groups, unless one is open.
  const isGrid = group === undefined && shown.nodes.some(isOpenable)
  const isTall = aspect !== undefined && aspect <= tallAspect
  const plain = useMemo(() => {
    if (aspect === undefined) return undefined
    if (isGrid) return inGrid(shown, aspect)
    return isTall ? inRows(shown, aspect) : undefined
  }, [shown, isGrid, isTall, aspect])
  const found = useLayout(shown, aspect !== undefined && !isGrid && !isTall)
  const layout = isGrid || isTall ? plain : found.layout
  const { failure } = found
  const wanted = find.trim().toLowerCase()

  const kept = useRef(new Map<string, ServiceNode>())
  const nodes = useMemo((): ServiceNode[] => {
    const hasEnvironment =
      new Set(all.flatMap(({ kind, environment }) => (kind === 'service' ? [environment] : []))).size > 1
    const near = pointed === undefined ? undefined : nearOf(shown.edges, pointed)
    return shown.nodes.flatMap((node) => {
      const position = layout?.places.get(node.id)
      if (position === undefined) return []
      const isDim =
        (wanted !== '' &&
          !(node.group?.members ?? [node]).some(({ service }) => service.toLowerCase().includes(wanted))) ||
        (near !== undefined && !near.has(node.id))
      const isFocus = node.id === focus || node.service === focus
      const isOnWay = onWay.nodes.has(node.id)
      const before = kept.current.get(node.id)
      // What is as it was stays the same object, and is not drawn again.
      if (
        before !== undefined &&
        before.position === position &&
        isSame(before.data, { node, hasEnvironment, isDim, isFocus, isOnWay })
      )
        return [before]
      const drawn: ServiceNode = {
        id: node.id,
        type: 'service',
        position,
        width: nodeWidth,
        height: nodeHeight,
        data: { node, hasEnvironment, isDim, isFocus, isOnWay },
        ariaLabel: `${labelOf(node)}${isOnWay ? ', on the way of the incident' : ''}`,
      }
      kept.current.set(node.id, drawn)
      return [drawn]
    })
  }, [all, shown, layout, wanted, pointed, focus, onWay])

  const edges = useMemo((): CallEdge[] => {
    if (layout === undefined) return []
    return shown.edges.flatMap((edge) => {
      const route = layout.routes.get(linkId(edge))
      if (route === undefined) return []
      const isNear = pointed !== undefined && (edge.from === pointed || edge.to === pointed)
      const isOnWay = onWay.links.has(linkId(edge))
      const isBad = isOnWay || (edge.calls >= 5 && edge.errors >= 0.05 * edge.calls)
      return [
        {
          id: edgeId(edge),
          type: 'call' as const,
          source: edge.from,
          target: edge.to,
          data: { edge, route, isDim: pointed !== undefined && !isNear, isNear, isOnWay },
          className: `${edge.kind}${isBad ? ' bad' : ''}${isOnWay ? ' way' : ''}`,
          markerEnd: {
            type: MarkerType.ArrowClosed,
            // Arrows grow with the width of their line.
            width: isOnWay ? 8 : 14,
            height: isOnWay ? 8 : 14,
            color: isBad ? 'var(--bad)' : 'var(--strong-line)',
          },
          focusable: false,
        },
      ]
    })
  }, [shown, layout, pointed, onWay])

  const isMoved = useRef(false)
  const isDrawn = layout !== undefined
  const fit = useCallback(() => {
    const frame = requestAnimationFrame(() => void fitView({ padding: 0.08, maxZoom: 1.15, duration: 0 }))
    return () => cancelAnimationFrame(frame)
  }, [fitView])
  // The map is fitted when its shape changes, not with each figure.
  const shape = `${layout?.places.size ?? 0} ${focus ?? ''} ${hops} ${group ?? ''} ${way === undefined ? '' : 'way'}`
  useEffect(() => {
    if (!isDrawn) return undefined
    isMoved.current = false
    return fit()
  }, [shape, isDrawn, fit])
  const size = useStore(({ width, height }) => `${width} ${height}`)
  useEffect(() => {
    // A window that changes its size shows all of the map again, unless somebody has chosen a part of it.
    return isDrawn && !isMoved.current ? fit() : undefined
  }, [size, isDrawn, fit])

  if (failure !== undefined)
    return <p className="note error">The map cannot be laid out: {failure}. The table has the same.</p>
  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      onNodeClick={(_, { data }) => onOpen(data.node)}
      onMoveStart={(event) => {
        if (event !== null) isMoved.current = true
      }}
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
function useLayout({ nodes, edges }: { nodes: MapNode[]; edges: MapEdge[] }, isWanted: boolean) {
  const shape = JSON.stringify([nodes.map(({ id }) => id), edges.map(({ from, to }) => [from, to])])
  const [layout, setLayout] = useState<Layout>()
  const [failure, setFailure] = useState<string>()
  const latest = useRef({ shape, nodes, edges })
  latest.current = { shape, nodes, edges }
  useEffect(() => {
    if (!isWanted) return
    // The shape says all that matters here of nodes and edges.
    const links = new Map(latest.current.edges.map((edge) => [linkId(edge), edge]))
    const topology = { nodes: latest.current.nodes, edges: [...links].map(([id, { from, to }]) => ({ id, from, to })) }
    layOut(topology).then(
      (found) => {
        return latest.current.shape === shape ? setLayout(found) : undefined
      },
      (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)),
    )
  }, [shape, isWanted])
  return { layout, failure }
}

const nodeTypes = { service: memo(ServiceCard) }
const edgeTypes = { call: memo(Call) }

function ServiceCard({ data: { node, hasEnvironment, isDim, isFocus, isOnWay } }: NodeProps<ServiceNode>) {
  const { kind, state, service, environment, calls, errors, perSecond, p95Ms, group } = node
  const hits = group?.members.filter((member) => member.state === 'hit').length ?? 0
  return (
    <div
      className={`service ${kind} ${state}${group === undefined ? '' : ' group'}${isDim ? ' dim' : ''}${isFocus ? ' focus' : ''}${isOnWay ? ' way' : ''}`}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <strong title={visible(node.id)}>
        <Sign kind={kind} />
        <bdi>{visible(service.slice(0, 60))}</bdi>
        {group !== undefined && kind === 'service' && <small> {group.members.length}</small>}
        {hasEnvironment && environment !== '' && <small> {visible(environment.slice(0, 20))}</small>}
      </strong>
      {hits > 0 ? (
        <State state="hit" word={`${hits} hit`} />
      ) : (
        (state === 'cause' || state === 'hit') && <State state={state} />
      )}
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
  const { edge, route, isDim, isNear, isOnWay } = data
  const { path, middle } = pathOf(route)
  const fails = edge.calls > 0 && edge.errors > 0 ? `${share(edge.errors / edge.calls)} fail` : undefined
  const width = isOnWay ? 4 : edge.calls === 0 ? 1 : 1 + Math.min(3, Math.log10(1 + edge.perSecond) * 1.4)
  return (
    <>
      <BaseEdge
        id={id}
        path={path}
        {...(markerEnd !== undefined && { markerEnd })}
        style={{ strokeWidth: width, opacity: isDim ? 0.15 : edge.calls === 0 && !isOnWay ? 0.45 : 1 }}
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

function isSame(a: ServiceNode['data'], b: ServiceNode['data']): boolean {
  return (
    a.node === b.node &&
    a.hasEnvironment === b.hasEnvironment &&
    a.isDim === b.isDim &&
    a.isFocus === b.isFocus &&
    a.isOnWay === b.isOnWay
  )
}

function nearOf(edges: readonly MapEdge[], id: string): Set<string> {
  return new Set([id, ...edges.flatMap(({ from, to }) => (from === id ? [to] : to === id ? [from] : []))])
}

function edgeId({ from, to, kind }: MapEdge): string {
  return JSON.stringify([from, to, kind])
}

function labelOf({ kind, service, state, calls, errors, perSecond, group }: MapNode): string {
  const figures = calls === 0 ? 'no calls in the last minute' : `${rate(perSecond)}, ${share(errors / calls)} fail`
  const what = group === undefined ? kind : `${group.members.length} ${kind}s`
  return `${what} ${visible(service)}, ${state}: ${figures}`
}
