// Where a run's trouble began. An error travels up from the span that failed first to the entry; slowness begins where more
// time went than usual. Both are found by walking the spans of one run, so this is pure and needs no statistics of many.
import type { CauseKind } from './incident.ts'
import { parseService } from './service.ts'

/** A span, as far as origins need it. Services are keys as `formatService` writes them. */
export interface RunSpan {
  traceId: string
  spanId: string
  /** Empty for a root. */
  parentSpanId: string
  service: string
  operation: string
  kind: string
  /** Nanoseconds since the run began. */
  startNs: number
  endNs: number
  failed: boolean
  /** The exception's or the status's message. */
  message: string
  /** Who is called, as far as the span says: key of a service, address, database or queue. Empty where it does not. */
  peerService: string
  peerAddress: string
  destination: string
  links: readonly { traceId: string; spanId: string }[]
}

/** What earlier runs taught. */
export interface Knowledge {
  /** Services that have sent spans of their own. */
  services: ReadonlySet<string>
  /** Who answered at an address. */
  serviceAt: ReadonlyMap<string, string>
  /** Usual self time of a hop, by `normalKey(service, operation)`. */
  selfNs: ReadonlyMap<string, number>
  /** Usual time between a call and its answer that the callee does not account for, by `normalKey(service, operation)`. */
  wireNs: ReadonlyMap<string, number>
  /** Usual wait for a peer that sends no spans, by `normalKey(caller, callerOperation, peer)`. */
  waitNs: ReadonlyMap<string, number>
  /** Set when the run took much longer than it usually does: how long that is, in nanoseconds. */
  slowAgainstNs?: number
}

export const noKnowledge: Knowledge = {
  services: new Set(),
  serviceAt: new Map(),
  selfNs: new Map(),
  wireNs: new Map(),
  waitNs: new Map(),
}

export interface Origin {
  traceId: string
  spanId: string
  service: string
  operation: string
  /** Operation of the hop in which the span is: what the call facts are kept under. */
  hopOperation: string
  kind: CauseKind
  peer?: string
  message?: string
}

export interface OriginFinding {
  status: 'ok' | 'error' | 'slow'
  origin: Origin | null
  /** One step per service hop, from the origin to the entry. */
  path: { service: string; operation: string; spanId: string }[]
  reasons: string[]
}

export function normalKey(...parts: string[]): string {
  return parts.join('\u0000')
}

/** What failed or slowed first in a run, and how it got to the entry. The order of the spans does not matter. */
export function findOrigin(spans: readonly RunSpan[], knowledge: Knowledge = noKnowledge): OriginFinding {
  const tree = growTree(spans)
  const failure = findFailure(tree, knowledge)
  if (failure !== undefined) return { status: 'error', ...tellOrigin(tree, failure, 'failed') }

  const handled = tree.spans.filter(({ failed }) => failed).length
  const reasons = handled === 0 ? [] : [`${counted(handled, 'span')} failed, and the caller coped: no entry failed.`]
  const entry = mainEntry(tree)
  if (knowledge.slowAgainstNs === undefined || entry === undefined) {
    return { status: 'ok', origin: null, path: [], reasons: handled === 0 ? ['Nothing failed.'] : reasons }
  }
  const slow = `The run took ${inMs(durationOf(entry))}; usual are ${inMs(knowledge.slowAgainstNs)}.`
  const found = findSlowness(tree, entry, knowledge)
  if (found === undefined) return { status: 'slow', origin: null, path: [], reasons: [slow, ...reasons] }
  const told = tellOrigin(tree, found, 'was slow')
  return { status: 'slow', ...told, reasons: [slow, ...told.reasons, ...reasons] }
}

/** The spans of a run with their places. */
interface Tree {
  /** By start, so that nothing depends on the order of arrival. */
  spans: RunSpan[]
  /** The span above in the same trace. */
  parents: Map<RunSpan, RunSpan>
  /** The span that a span without a parent continues, over a link. */
  producers: Map<RunSpan, RunSpan>
  children: Map<RunSpan, RunSpan[]>
}

function growTree(given: readonly RunSpan[]): Tree {
  const byId = new Map<string, RunSpan>()
  const ordered = given.toSorted(
    (a, b) =>
      a.startNs - b.startNs || a.endNs - b.endNs || compare(idOf(a), idOf(b)) || compare(a.operation, b.operation),
  )
  for (const span of ordered) if (!byId.has(idOf(span))) byId.set(idOf(span), span)
  const tree: Tree = { spans: [...byId.values()], parents: new Map(), producers: new Map(), children: new Map() }
  for (const span of tree.spans) {
    const parent = byId.get(`${span.traceId}/${span.parentSpanId}`)
    if (parent !== undefined && parent !== span) {
      tree.parents.set(span, parent)
      const siblings = tree.children.get(parent)
      if (siblings === undefined) tree.children.set(parent, [span])
      else siblings.push(span)
      continue
    }
    const link = span.links.find(({ traceId, spanId }) => traceId !== span.traceId && byId.has(`${traceId}/${spanId}`))
    const producer = link && byId.get(`${link.traceId}/${link.spanId}`)
    if (producer !== undefined) tree.producers.set(span, producer)
  }
  return tree
}

/** Children whose outcome and time are their parent's: a consumer works for itself. */
function callsOf({ children }: Tree, span: RunSpan): RunSpan[] {
  return (children.get(span) ?? []).filter(({ kind }) => kind !== 'Consumer')
}

/** A span of its service that nobody of the service called. */
function isEntry({ parents }: Tree, span: RunSpan): boolean {
  return span.kind === 'Server' || span.kind === 'Consumer' || parents.get(span)?.service !== span.service
}

/** The entry of the hop in which a span is. */
function hopOf(tree: Tree, span: RunSpan): RunSpan {
  return climb(span, (at) => (isEntry(tree, at) ? undefined : tree.parents.get(at))).at(-1) ?? span
}

/** The span and those that `next` leads to. Malformed traces have cycles; no span is passed twice. */
function climb(from: RunSpan, next: (span: RunSpan) => RunSpan | undefined): RunSpan[] {
  const passed = new Set<RunSpan>()
  for (let at: RunSpan | undefined = from; at !== undefined && !passed.has(at); at = next(at)) passed.add(at)
  return [...passed]
}

/** The entry that the user waited for: the earliest span above which there is nothing. */
function mainEntry({ spans, parents, producers }: Tree): RunSpan | undefined {
  const tops = spans.filter((span) => !parents.has(span))
  return tops.find((span) => !producers.has(span) && span.kind !== 'Consumer') ?? tops[0]
}

interface Found {
  span: RunSpan
  kind: CauseKind
  peer?: string
  why: string
}

/** The first of the failing spans none of whose calls failed, and whose failure reached an entry. */
function findFailure(tree: Tree, knowledge: Knowledge): Found | undefined {
  const entry = mainEntry(tree)
  const reaching = tree.spans.flatMap((span) => {
    if (!span.failed || callsOf(tree, span).some(({ failed }) => failed)) return []
    const above = climb(span, (at) => (at.kind === 'Consumer' ? undefined : tree.parents.get(at)))
    // Who did not fail although a call did has coped with it.
    return above.every(({ failed }) => failed) ? [{ span, top: above.at(-1), depth: above.length }] : []
  })
  const first = reaching.toSorted(
    (a, b) =>
      Number(a.top !== entry) - Number(b.top !== entry) ||
      a.span.endNs - b.span.endNs ||
      b.depth - a.depth ||
      compare(idOf(a.span), idOf(b.span)),
  )[0]
  return first && judgeFailure(tree, first.span, knowledge)
}

/** A callee that worked for so much of its caller's wait is why the caller gave up. */
const timedOutShare = 0.8

function judgeFailure(tree: Tree, span: RunSpan, knowledge: Knowledge): Found {
  const says = span.message === '' ? '' : `: ${span.message}`
  if (span.kind === 'Producer') {
    const { name } = peerOf(span, knowledge)
    return { span, kind: 'dependency', peer: name, why: `It could not send to ${nameOf(name)}${says}.` }
  }
  if (span.kind !== 'Client') {
    const calls = callsOf(tree, span).length === 0 ? 'It called nobody' : 'None of its calls failed'
    return { span, kind: 'errors', why: `${calls}: the error began there${says}.` }
  }
  const answered = callsOf(tree, span).find(({ kind }) => kind === 'Server')
  if (answered === undefined) {
    if (callsOf(tree, span).length > 0) return { span, kind: 'errors', why: `None of its calls failed${says}.` }
    return judgeUnanswered(span, knowledge)
  }
  if (answered.endNs > span.endNs || durationOf(answered) >= timedOutShare * durationOf(span)) {
    const slowest = findSlowness(tree, answered, knowledge)
    const gaveUp = `${nameOf(span.service)} gave up after ${inMs(durationOf(span))}${says}, while ${nameOf(answered.service)} took ${inMs(durationOf(answered))} and did not fail.`
    if (slowest !== undefined) return { ...slowest, why: `${gaveUp} ${slowest.why}` }
  }
  return {
    span,
    kind: 'errors',
    why: `${nameOf(answered.service)} answered without failing; the caller took the answer for an error${says}.`,
  }
}

function judgeUnanswered(span: RunSpan, knowledge: Knowledge): Found {
  const { name, known } = peerOf(span, knowledge)
  const says = span.message === '' ? '' : `: ${span.message}`
  const peer = name === '' ? {} : { peer: name }
  const call = `${nameOf(span.service)} called ${name === '' ? 'somebody' : nameOf(name)} and got no good answer${says}.`
  if (!known) return { span, kind: 'dependency', ...peer, why: `${call} The callee sends no spans.` }
  return {
    span,
    kind: 'unavailable',
    ...peer,
    why: `${call} ${nameOf(name)} sent no span for this call, though it sends spans.`,
  }
}

/** Who is called, by what the span says and by who answered at the address before. */
function peerOf(span: RunSpan, { services, serviceAt }: Knowledge): { name: string; known: boolean } {
  const name = span.peerService || serviceAt.get(span.peerAddress) || span.destination || span.peerAddress
  return { name, known: services.has(name) || (span.peerService === '' && serviceAt.has(span.peerAddress)) }
}

/** Where below `top` the most time went beyond what is usual. */
function findSlowness(tree: Tree, top: RunSpan, knowledge: Knowledge): Found | undefined {
  let found: (Found & { excessNs: number }) | undefined
  const suspect = (excessNs: number, candidate: () => Found) => {
    if (excessNs > (found?.excessNs ?? 0)) found = { ...candidate(), excessNs }
  }
  const hops = new Map<RunSpan, RunSpan[]>()
  for (const span of below(tree, top)) {
    const hop = hopOf(tree, span)
    if (span.kind === 'Client') {
      suspectWait(tree, { span, hop }, knowledge, suspect)
    } else if (span.kind !== 'Producer') {
      hops.set(hop, [...(hops.get(hop) ?? []), span])
    }
  }
  for (const [hop, own] of hops) {
    const selfNs = own.reduce((sum, span) => sum + selfNsOf(tree, span), 0)
    const usualNs = knowledge.selfNs.get(normalKey(hop.service, hop.operation))
    suspect(selfNs - (usualNs ?? 0), () => ({
      span: own.reduce((most, span) => (selfNsOf(tree, span) > selfNsOf(tree, most) ? span : most)),
      kind: 'latency',
      why: `${hop.operation} in ${nameOf(hop.service)} spent ${inMs(selfNs)} on its own work${against(usualNs)}.`,
    }))
  }
  return found
}

function suspectWait(
  tree: Tree,
  { span, hop }: { span: RunSpan; hop: RunSpan },
  knowledge: Knowledge,
  suspect: (excessNs: number, candidate: () => Found) => void,
): void {
  const callee = callsOf(tree, span).find(({ kind }) => kind === 'Server')
  if (callee !== undefined) {
    const wireNs = Math.max(0, durationOf(span) - durationOf(callee))
    const usualNs = knowledge.wireNs.get(normalKey(callee.service, callee.operation))
    suspect(wireNs - (usualNs ?? 0), () => ({
      span: callee,
      kind: 'latency',
      why: `${inMs(wireNs)} passed between the call of ${nameOf(hop.service)} and the work of ${nameOf(callee.service)}${against(usualNs)}: the network, or a callee too busy to begin.`,
    }))
  } else if (callsOf(tree, span).length === 0) {
    const { name } = peerOf(span, knowledge)
    const usualNs = knowledge.waitNs.get(normalKey(hop.service, hop.operation, name))
    suspect(durationOf(span) - (usualNs ?? 0), () => ({
      span,
      kind: 'dependency',
      ...(name !== '' && { peer: name }),
      why: `${nameOf(hop.service)} waited ${inMs(durationOf(span))} for ${name === '' ? 'somebody' : nameOf(name)}${against(usualNs)}.`,
    }))
  }
}

/** A span and its calls, and theirs. */
function below(tree: Tree, top: RunSpan): Set<RunSpan> {
  const reached = new Set([top])
  for (const span of reached) for (const child of callsOf(tree, span)) reached.add(child)
  return reached
}

/** Duration minus the union of the calls' times, clipped to the span. */
function selfNsOf(tree: Tree, span: RunSpan): number {
  let covered = 0
  let until = span.startNs
  for (const { startNs, endNs } of callsOf(tree, span)) {
    const end = Math.min(endNs, span.endNs)
    covered += Math.max(0, end - Math.max(startNs, until))
    until = Math.max(until, end)
  }
  return Math.max(0, durationOf(span) - covered)
}

function tellOrigin(tree: Tree, { span, kind, peer, why }: Found, verb: string): Omit<OriginFinding, 'status'> {
  const hops = climb(hopOf(tree, span), (hop) => {
    const above = tree.parents.get(hop) ?? tree.producers.get(hop)
    return above && hopOf(tree, above)
  })
  const hop = hops[0] ?? span
  const path = hops.map(({ service, operation, spanId }) => ({ service, operation, spanId }))
  const reasons = [`${span.operation} in ${nameOf(span.service)} ${verb} first. ${why}`]
  const entry = hops.at(-1)
  if (entry !== undefined && entry !== hop) {
    const between = hops.slice(1, -1).map(({ service }) => nameOf(service))
    const over = between.length === 0 ? '' : ` over ${between.join(', ')}`
    reasons.push(`From there it reached the entry ${entry.operation} of ${nameOf(entry.service)}${over}.`)
  }
  if (hops.some((at) => !tree.parents.has(at) && tree.producers.has(at))) {
    reasons.push('The way leads over a message: the sender had its own outcome.')
  }
  const origin: Origin = {
    traceId: span.traceId,
    spanId: span.spanId,
    service: span.service,
    operation: span.operation,
    hopOperation: hop.operation,
    kind,
    ...(peer !== undefined && { peer }),
    ...(span.failed && span.message !== '' && { message: span.message }),
  }
  return { origin, path, reasons }
}

function durationOf({ startNs, endNs }: RunSpan): number {
  return Math.max(0, endNs - startNs)
}

function idOf({ traceId, spanId }: RunSpan): string {
  return `${traceId}/${spanId}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

/** The plain name, where the key is a service's; addresses are left as they are. */
function nameOf(key: string): string {
  return parseService(key).name || key
}

function inMs(ns: number): string {
  const ms = ns / 1e6
  return `${ms < 10 ? Math.round(ms * 100) / 100 : Math.round(ms)} ms`
}

function against(usualNs: number | undefined): string {
  return usualNs === undefined ? '' : `, ${inMs(usualNs)} usually`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
