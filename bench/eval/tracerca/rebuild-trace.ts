// The set's spans have no ids, and their times are of clocks that differ by seconds up to minutes, so a trace is put together by
// who calls whom and by what fits into what: a server's span into the call that it answers, a call into the span that makes it.
import { createHash } from 'node:crypto'
import type { SentSpan } from '../through-product.ts'

/** A span of the set. Where caller and callee are one, it is the callee's own span of the call. */
export interface SetSpan {
  caller: string
  callee: string
  startUs: number
  latencyUs: number
  status: number
}

interface Node extends SetSpan {
  spanId: string
  isServer: boolean
  parent: Node | undefined
  /** Time of its calls so far. */
  takenUs: number
  calls: Map<string, number>
}

/** The trace as its services would have sent it. Its beginning is the root's; calls follow each other where they fit. */
export function rebuildTrace(traceId: string, spans: readonly SetSpan[], { shiftUs }: { shiftUs: number }): SentSpan[] {
  const nodes = spans
    .toSorted((a, b) => b.latencyUs - a.latencyUs || a.startUs - b.startUs)
    .map((span, index): Node => ({
      ...span,
      spanId: spanIdOf(traceId, index),
      isServer: span.caller === span.callee,
      parent: undefined,
      takenUs: 0,
      calls: new Map(),
    }))
  const servers = nodes.filter(({ isServer }) => isServer)
  const clients = nodes.filter(({ isServer }) => !isServer)
  for (const server of servers) {
    // The shortest call that is long enough: the longest server spans choose first.
    const fitting = clients.filter(({ callee, calls }) => callee === server.callee && calls.size === 0)
    const call = fitting.findLast(({ latencyUs }) => latencyUs >= server.latencyUs)
    if (call === undefined) continue
    server.parent = call
    call.calls.set(server.callee, 1)
  }
  for (const client of clients) {
    const makers = [
      ...servers.filter(({ callee }) => callee === client.caller),
      // Where the server's own span is lost, the call that it answered stands for it.
      ...clients.filter((other) => other.callee === client.caller && !servers.some(({ parent }) => parent === other)),
    ].filter((maker) => maker !== client && maker.latencyUs >= client.latencyUs && !descendsFrom(maker, client))
    const [maker] = makers.toSorted(
      (a, b) =>
        Number(leftUs(b) >= client.latencyUs) - Number(leftUs(a) >= client.latencyUs) ||
        (a.calls.get(client.callee) ?? 0) - (b.calls.get(client.callee) ?? 0) ||
        leftUs(b) - leftUs(a),
    )
    if (maker === undefined) continue
    client.parent = maker
    maker.takenUs += client.latencyUs
    maker.calls.set(client.callee, (maker.calls.get(client.callee) ?? 0) + 1)
  }
  return placeAll(nodes, traceId, shiftUs)
}

function leftUs({ latencyUs, takenUs }: Node): number {
  return latencyUs - takenUs
}

function descendsFrom(node: Node, ancestor: Node): boolean {
  for (let at: Node | undefined = node; at !== undefined; at = at.parent) if (at === ancestor) return true
  return false
}

function placeAll(nodes: readonly Node[], traceId: string, shiftUs: number): SentSpan[] {
  const children = Map.groupBy(nodes, ({ parent }) => parent)
  const sent: SentSpan[] = []
  const place = (node: Node, startUs: number): void => {
    sent.push(toSent(node, traceId, startUs))
    const own = children.get(node) ?? []
    const takenUs = own.reduce((sum, { latencyUs }) => sum + latencyUs, 0)
    let atUs = startUs + Math.max(0, Math.floor((node.latencyUs - takenUs) / 2))
    for (const child of own.toSorted((a, b) => a.startUs - b.startUs)) {
      place(child, Math.max(startUs, Math.min(atUs, startUs + node.latencyUs - child.latencyUs)))
      atUs += child.latencyUs
    }
  }
  for (const root of children.get(undefined) ?? []) place(root, root.startUs + shiftUs)
  return sent
}

function toSent(node: Node, traceId: string, startUs: number): SentSpan {
  const { caller, callee, isServer, latencyUs, status } = node
  return {
    traceId,
    spanId: node.spanId,
    parentSpanId: node.parent?.spanId ?? '',
    service: isServer ? callee : caller,
    name: callee,
    kind: isServer ? 'server' : 'client',
    startNs: BigInt(Math.round(startUs)) * 1_000n,
    durationNs: BigInt(Math.round(latencyUs)) * 1_000n,
    attributes: {
      ...(isServer ? {} : { 'service.peer.name': callee }),
      ...(status === 0 ? {} : { 'http.response.status_code': status }),
    },
    // No status at all: the connection broke.
    isFailed: status === 0 || status >= 500,
  }
}

function spanIdOf(traceId: string, index: number): string {
  return createHash('sha256').update(`${traceId}/${index}`).digest('hex').slice(0, 16)
}
