// Explains one run: where its trouble began, by its own spans; what is usual and who else is hit, by the facts; and the
// incident that it belongs to, if there is one.
import {
  type FlowRun,
  readAlsoHit,
  readCallees,
  readIncidentsDuring,
  readRunSpans,
  readUsual,
  type SameCause,
  type Store,
  type Usual,
} from '@headwater/store'
import {
  type Explanation,
  findOrigin,
  type Incident,
  normalKey,
  type Origin,
  type OriginFinding,
  parseService,
  type RunSpan,
} from '@headwater/vocabulary'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** So few calls say nothing of what is usual. */
const usualCallsMin = 20

/** How much longer than the median a run takes that is called slow: by itself, and while its services are in an incident. */
const slowFactor = 2
const slowFactorInIncident = 1.5

/** Others hit by the same cause are looked for this long before and after the run. */
const aroundMs = 15 * minuteMs

/** Of an incident, the causes that a run may show: the further ones are weak. */
const causesTold = 3

/** What went wrong first in this run, how it got to the entry, and who else is hit. */
export async function explainRun(store: Store, run: FlowRun): Promise<Explanation> {
  const startMs = Date.parse(run.startedAt)
  const endMs = startMs + run.durationNs / 1e6
  const [spans, incidents] = await Promise.all([
    readRunSpans(store, run.traceIds),
    readIncidentsDuring(store, { since: new Date(startMs), until: new Date(endMs + minuteMs) }),
  ])
  const near = incidents.filter(({ causes }) => causes[0] && touches(run, causes[0].service))
  // What was measured during an incident is not what is usual.
  const calmMs = Math.min(startMs, ...near.map(({ since }) => Date.parse(since)))
  const [usual, callees] = await Promise.all([
    readUsual(store, { since: new Date(calmMs - hourMs), until: new Date(calmMs), services: run.services }),
    readCallees(store, {
      since: new Date(startMs - 24 * hourMs),
      until: new Date(endMs + hourMs),
      names: distinct(spans, ({ peerService }) => peerService),
      addresses: distinct(spans, ({ kind, peerAddress }) => (kind === 'Client' ? peerAddress : '')),
    }),
  ])
  const inLatencyIncident = near.some(({ causes }) => causes[0]?.kind === 'latency' || causes[0]?.kind === 'dependency')
  const slowAgainstNs = judgeSlow(run, spans, usual, inLatencyIncident ? slowFactorInIncident : slowFactor)
  const found = findOrigin(spans, {
    ...usual,
    serviceAt: callees.serviceAt,
    services: new Set([...callees.services, ...run.services]),
    ...(slowAgainstNs !== undefined && { slowAgainstNs }),
  })
  const incident = found.origin === null ? undefined : incidents.find((each) => belongsTo(found, each))
  return {
    flowId: run.flowId,
    flowName: run.flowName,
    status: statusOf(run, found),
    origin: found.origin && tellOrigin(found.origin),
    path: found.path.map(({ service, operation, spanId }) => ({ service: nameOf(service), operation, spanId })),
    reasons: reasonsOf(run, spans, found, incident),
    causes: incident?.causes ?? [],
    alsoHit: await findAlsoHit(store, { run, origin: found.origin, usual, incident, startMs, endMs }),
    incidentId: incident?.id ?? null,
  }
}

/** The usual time of the run's entry, where this run took far longer. */
function judgeSlow(run: FlowRun, spans: readonly RunSpan[], { durations }: Usual, factor: number): number | undefined {
  const entry =
    spans.find(({ traceId, parentSpanId }) => traceId === run.traceIds[0] && parentSpanId === '') ?? spans[0]
  const usual = entry && durations.get(normalKey(entry.service, entry.operation))
  if (usual === undefined || usual.calls < usualCallsMin) return undefined
  const limitNs = factor === slowFactor ? Math.max(usual.q99Ns, factor * usual.medianNs) : factor * usual.medianNs
  return run.entryNs > limitNs ? usual.medianNs : undefined
}

function statusOf(run: FlowRun, found: OriginFinding): Explanation['status'] {
  if (run.status === 'running') return 'running'
  return run.status === 'error' ? 'error' : found.status
}

function tellOrigin({ traceId, spanId, service, operation, kind, peer, message }: Origin): Explanation['origin'] {
  return {
    traceId,
    spanId,
    service: nameOf(service),
    operation,
    kind,
    ...(peer !== undefined && { peer: nameOf(peer) }),
    ...(message !== undefined && { message }),
  }
}

function reasonsOf(
  run: FlowRun,
  spans: readonly RunSpan[],
  found: OriginFinding,
  incident: Incident | undefined,
): string[] {
  if (spans.length === 0) return ['The spans of this run are no longer kept, so its origin cannot be told.']
  const reasons = [...found.reasons]
  if (run.status === 'running') reasons.push('The run is not settled yet: more of it may come.')
  if (incident !== undefined) {
    reasons.push(`It shows the cause of incident ${incident.id} (${incident.title}), which began at ${incident.since}.`)
  }
  return reasons
}

/** Whether the run shows one of the incident's first causes. */
function belongsTo({ origin, path }: OriginFinding, { causes }: Incident): boolean {
  return causes.slice(0, causesTold).some(({ service, operation, kind }) => {
    const onPath = path.some(
      (step) => nameOf(step.service) === nameOf(service) && (operation === '' || step.operation === operation),
    )
    // A service that does not answer has no span on the path: it is whom the origin called.
    const called = kind === 'unavailable' && origin?.peer !== undefined && nameOf(origin.peer) === nameOf(service)
    return onPath || called
  })
}

async function findAlsoHit(
  store: Store,
  {
    run,
    origin,
    usual,
    incident,
    startMs,
    endMs,
  }: {
    run: FlowRun
    origin: Origin | null
    usual: Usual
    incident: Incident | undefined
    startMs: number
    endMs: number
  },
): Promise<Explanation['alsoHit']> {
  if (incident !== undefined) {
    const { flows, users } = incident.impact
    const others = flows.map(({ name }) => name).filter((name) => name !== run.flowName)
    return { flows: others, users: Math.max(0, users.affected - (run.userId === null ? 0 : 1)) }
  }
  if (origin === null) return { flows: [], users: 0 }
  const hit = await readAlsoHit(store, {
    since: new Date(startMs - aroundMs),
    until: new Date(endMs + aroundMs),
    cause: sameCause(origin, usual),
    flowId: run.flowId,
    userId: run.userId,
  })
  return { flows: hit.flows.filter((name) => name !== run.flowName), users: hit.users }
}

function sameCause({ kind, service, hopOperation: operation, peer = '' }: Origin, usual: Usual): SameCause {
  if (kind === 'errors') return { kind, service, operation }
  if (kind === 'unavailable') return { kind, peer }
  if (kind === 'latency') {
    const { medianNs = 0, q99Ns = 0 } = usual.durations.get(normalKey(service, operation)) ?? {}
    return { kind, service, operation, slowNs: Math.max(q99Ns, slowFactor * medianNs) }
  }
  const usualNs = usual.waitNs.get(normalKey(service, operation, peer)) ?? Number.MAX_SAFE_INTEGER
  return { kind, service, operation, peer, slowNs: Math.min(Number.MAX_SAFE_INTEGER, slowFactor * usualNs) }
}

function touches(run: FlowRun, service: string): boolean {
  return run.services.some((key) => nameOf(key) === nameOf(service))
}

function distinct(spans: readonly RunSpan[], textOf: (span: RunSpan) => string): string[] {
  return [...new Set(spans.map(textOf))].filter((text) => text !== '').slice(0, 1_000)
}

/** The plain name of a service; addresses are left as they are. */
function nameOf(key: string): string {
  return parseService(key).name || key
}
