// The graph as counters under the names that Grafana's service graph reads. Counters start with the process and only grow:
// hours that are over are added up once, and only the last of them is asked of ClickHouse again.
import { type EdgeTotals, readEdgeTotals, type Store } from '@headwater/store'
import { addHistogram, bucketMiddle, type Histogram, parseService } from '@headwater/vocabulary'

/** Read again after this long. */
const freshForMs = 5_000
/** Minutes take late calls for less than this. */
const openForMs = 3_600_000
/** The most used edges. */
const edgesMax = 1_000
const bucketsSeconds = [0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8]

interface Totals {
  client: string
  server: string
  connectionType: string
  calls: number
  errors: number
  seconds: number
  duration: Histogram
}

type Graph = Map<string, Totals>

/** A function that gives the graph's metrics in Prometheus' text format; what was last read while ClickHouse is away. */
export function serviceGraph({ store, now }: { store: Store; now: () => number }): () => Promise<string> {
  const closed: Graph = new Map()
  let closedUntilMs = Math.floor(now() / 60_000) * 60_000
  let text = textOf(closed)
  let readAtMs = -Infinity
  let reading: Promise<void> | undefined

  async function read(): Promise<void> {
    const nowMs = now()
    const closing = Math.floor((nowMs - openForMs) / 60_000) * 60_000
    // Some minutes at once, so that most readings ask one question.
    if (closing - closedUntilMs > openForMs / 6) {
      add(closed, await totals(closedUntilMs, closing))
      closedUntilMs = closing
    }
    const open: Graph = new Map([...closed].map(([key, edge]) => [key, { ...edge, duration: { ...edge.duration } }]))
    add(open, await totals(closedUntilMs, nowMs + 60_000))
    text = textOf(open)
    readAtMs = nowMs
  }

  function totals(sinceMs: number, untilMs: number): Promise<EdgeTotals[]> {
    return readEdgeTotals(store, { since: new Date(sinceMs), until: new Date(untilMs), edgesMax })
  }

  return async () => {
    if (now() - readAtMs >= freshForMs) {
      reading ??= read().finally(() => (reading = undefined))
      // The last known counters are still true while the engine is away.
      await reading.catch(() => undefined)
    }
    return text
  }
}

function add(graph: Graph, edges: readonly EdgeTotals[]): void {
  for (const { caller, service, kind, calls, errors, durationNs, duration } of edges) {
    const client = caller === '' ? 'user' : nameOf(caller)
    const server = nameOf(service)
    const connectionType =
      kind === 'async' ? 'messaging_system' : kind === 'sync' && caller !== '' ? '' : 'virtual_node'
    const key = JSON.stringify([client, server, connectionType])
    let edge = graph.get(key)
    if (edge === undefined) {
      if (graph.size >= edgesMax) continue
      graph.set(key, (edge = { client, server, connectionType, calls: 0, errors: 0, seconds: 0, duration: {} }))
    }
    edge.calls += calls
    edge.errors += errors
    edge.seconds += durationNs / 1e9
    addHistogram(edge.duration, duration)
  }
}

function textOf(graph: Graph): string {
  const edges = [...graph.values()]
  const counter = (name: string, help: string, value: (edge: Totals) => number) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} counter`,
    ...edges.map((edge) => `${name}{${labelsOf(edge)}} ${value(edge)}`),
  ]
  const lines = [
    ...counter('traces_service_graph_request_total', 'Calls between services', ({ calls }) => calls),
    ...counter('traces_service_graph_request_failed_total', 'Calls that failed', ({ errors }) => errors),
    `# HELP ${secondsName} Time that the callee took`,
    `# TYPE ${secondsName} histogram`,
    ...edges.flatMap(histogramLines),
  ]
  return `${lines.join('\n')}\n`
}

const secondsName = 'traces_service_graph_request_server_seconds'

function histogramLines(edge: Totals): string[] {
  const labels = labelsOf(edge)
  const lines = bucketsSeconds.map(
    (le) => `${secondsName}_bucket{${labels},le="${le}"} ${callsWithin(edge.duration, le)}`,
  )
  lines.push(
    `${secondsName}_bucket{${labels},le="+Inf"} ${edge.calls}`,
    `${secondsName}_sum{${labels}} ${edge.seconds}`,
    `${secondsName}_count{${labels}} ${edge.calls}`,
  )
  return lines
}

function labelsOf({ client, server, connectionType }: Totals): string {
  return `client="${escapeLabel(client)}",server="${escapeLabel(server)}",connection_type="${connectionType}"`
}

function callsWithin(duration: Histogram, seconds: number): number {
  return Object.entries(duration).reduce(
    (sum, [at, calls]) => (bucketMiddle(Number(at)) <= seconds * 1e9 ? sum + calls : sum),
    0,
  )
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

/** The plain name, where the key is a service's. */
function nameOf(key: string): string {
  return parseService(key).name || key
}
