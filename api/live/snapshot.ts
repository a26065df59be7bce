// What goes on right now, as the map shows it: who called whom in the last hour, how it went in the last minute, and which
// services the open incidents speak of.
import { z } from '@hono/zod-openapi'
import type { EdgeSummary, RecentEdge } from '@headwater/store'
import { addHistogram, type Histogram, type Incident, parseService, quantileNs } from '@headwater/vocabulary'
import { graphOf } from '../graph-of.ts'
import { identityShape } from '../routes/services.ts'

const state = z.enum(['cause', 'hit', 'failing', 'ok', 'quiet']).openapi({
  description:
    'cause: of an open incident; hit: by one; failing: many calls fail, and no incident says so; quiet: no calls in the window',
})

const figures = {
  calls: z.int(),
  errors: z.int(),
  perSecond: z.number(),
  p95Ms: z.number().nullable(),
}

export const snapshotShape = z
  .object({
    at: z.string(),
    since: z.string().openapi({ description: 'The figures are of this time' }),
    until: z.string().openapi({ description: 'What came later is not settled yet' }),
    nodes: z.array(
      z.object({
        id: z.string(),
        kind: z.enum(['service', 'peer', 'queue']),
        ...identityShape,
        state,
        ...figures,
        p50Ms: z.number().nullable(),
      }),
    ),
    edges: z.array(
      z.object({
        from: z.string(),
        to: z.string(),
        kind: z.enum(['sync', 'async', 'peer', 'publish']),
        ...figures,
      }),
    ),
    incidents: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        since: z.string(),
        updatedAt: z.string(),
        cause: z.object({ service: z.string(), operation: z.string(), kind: z.string() }).nullable(),
        services: z.array(z.string()),
        flows: z.int(),
        runsAffected: z.int(),
        usersAffected: z.int(),
      }),
    ),
    truncated: z.boolean(),
  })
  .openapi('Snapshot')

export type Snapshot = z.infer<typeof snapshotShape>

/** A service of which this share of its calls fails is marked, if there are enough calls to say so. */
const failingShare = 0.05
const failingCallsMin = 5

/** Nodes beyond this, those with the fewest calls, are left out: nobody could read them. */
export const nodesMax = 1_000

export function snapshotOf({
  hour,
  recent,
  incidents,
  sinceMs,
  untilMs,
  nowMs,
}: {
  /** Whose ends are shown even while they are quiet. */
  hour: readonly EdgeSummary[]
  recent: readonly RecentEdge[]
  incidents: readonly Incident[]
  sinceMs: number
  untilMs: number
  nowMs: number
}): Snapshot {
  const seconds = Math.max(1, (untilMs - sinceMs) / 1_000)
  const known = new Set(hour.map(edgeKey))
  const fresh = recent.filter((edge) => !known.has(edgeKey(edge)))
  const graph = graphOf([...hour, ...fresh.map((edge) => ({ ...edge, operations: [], p95Ms: null }))])
  const into = new Map<string, Sum>()
  const between = new Map<string, Sum>()
  for (const edge of recent) {
    const to = graph.idOf(edge)
    sum(into, to, edge)
    if (edge.caller !== '' && edge.kind !== 'entry') sum(between, keyOf(edge.caller, to, edge.kind), edge)
  }
  const causes = new Set(
    incidents.flatMap(({ causes: [first] }) => (first === undefined ? [] : [nameOf(first.service)])),
  )
  const hit = new Set(incidents.flatMap(({ impact }) => impact.services.map(nameOf)))

  const nodes = graph.nodes.map((node) => {
    const own = told(into.get(node.id), seconds)
    return { ...node, state: stateOf({ node, own, causes, hit }), ...own }
  })
  const shown = nodes.length <= nodesMax ? nodes : nodes.toSorted((a, b) => b.calls - a.calls).slice(0, nodesMax)
  const ids = new Set(shown.map(({ id }) => id))
  const edges = graph.edges.flatMap(({ from, to, kind }) => {
    const { p50Ms: _, ...own } = told(between.get(keyOf(from, to, kind)), seconds)
    return ids.has(from) && ids.has(to) ? [{ from, to, kind, ...own }] : []
  })
  return {
    at: new Date(nowMs).toISOString(),
    since: new Date(sinceMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    nodes: shown,
    edges,
    incidents: incidents.map(brief),
    truncated: shown.length < nodes.length,
  }
}

function stateOf({
  node,
  own,
  causes,
  hit,
}: {
  node: { kind: string; id: string; service: string }
  own: { calls: number; errors: number }
  causes: ReadonlySet<string>
  hit: ReadonlySet<string>
}): Snapshot['nodes'][number]['state'] {
  if (node.kind === 'service' && causes.has(node.service)) return 'cause'
  if (node.kind === 'service' && hit.has(node.service)) return 'hit'
  if (own.calls >= failingCallsMin && own.errors >= failingShare * own.calls) return 'failing'
  return own.calls === 0 ? 'quiet' : 'ok'
}

function brief({ id, title, since, updatedAt, causes: [first], impact }: Incident): Snapshot['incidents'][number] {
  return {
    id,
    title,
    since,
    updatedAt,
    cause: first === undefined ? null : { service: first.service, operation: first.operation, kind: first.kind },
    services: impact.services,
    flows: impact.flows.length,
    runsAffected: impact.flows.reduce((runs, { runsAffected }) => runs + runsAffected, 0),
    usersAffected: impact.users.affected,
  }
}

interface Sum {
  calls: number
  errors: number
  duration: Histogram
}

function sum(sums: Map<string, Sum>, key: string, { calls, errors, duration }: RecentEdge): void {
  let at = sums.get(key)
  if (at === undefined) sums.set(key, (at = { calls: 0, errors: 0, duration: {} }))
  at.calls += calls
  at.errors += errors
  addHistogram(at.duration, duration)
}

function told(own: Sum | undefined, seconds: number) {
  const { calls, errors, duration } = own ?? { calls: 0, errors: 0, duration: {} }
  return {
    calls,
    errors,
    perSecond: Math.round((calls / seconds) * 100) / 100,
    p50Ms: quantile(duration, 0.5),
    p95Ms: quantile(duration, 0.95),
  }
}

function quantile(duration: Histogram, q: number): number | null {
  const ns = quantileNs(duration, q)
  return ns === undefined ? null : Math.round(ns / 1e3) / 1e3
}

function edgeKey({ caller, service, kind }: { caller: string; service: string; kind: string }): string {
  return keyOf(caller, service, kind)
}

function keyOf(from: string, to: string, kind: string): string {
  return JSON.stringify([from, to, kind])
}

function nameOf(key: string): string {
  return parseService(key).name
}
