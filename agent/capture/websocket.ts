// Each message that a server of `ws` gets is a piece of work of its own. It begins a run, or, where a trusted peer has opened the
// connection as a part of one, goes on with that.

import type { IncomingMessage } from 'node:http'
import { type Context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { inSpan } from '../flow/flows.ts'
import { hopOf, newHop, withHop } from '../flow/hop.ts'
import type { Capturing } from './capturing.ts'
import { guarded } from './channel.ts'
import { carriedHeaders, peerTrust } from './inbound.ts'
import { pathOf } from './http-conventions.ts'
import { claimPatch } from './on-load.ts'

type Emit = (this: object, event: string | symbol, ...args: unknown[]) => boolean
type Connected = (socket: object, request: IncomingMessage) => void
type HandleUpgrade = (this: object, request: IncomingMessage, socket: unknown, head: unknown, done: Connected) => void

interface WebSocketModule {
  prototype: { emit: Emit }
  WebSocketServer?: { prototype: { handleUpgrade: HandleUpgrade } }
}

/** What is known of a connection since it was opened. */
interface Connection {
  opened: Context
  attributes: Record<string, string>
}

/** A span for each message that comes in, for as long as its listeners run. */
export function patchWebSocket(exports: unknown, { propagator, trust }: Capturing): void {
  // `import` gets the class as the default export.
  const loaded = exports as WebSocketModule & { default?: WebSocketModule }
  const WebSocket = loaded.default ?? loaded
  const Server = WebSocket.WebSocketServer ?? loaded.WebSocketServer
  if (Server === undefined || !claimPatch(Server)) return
  const trustOf = peerTrust(trust)
  const connections = new WeakMap<object, Connection>()

  const handleUpgrade = Server.prototype.handleUpgrade
  Server.prototype.handleUpgrade = function headwaterUpgrade(request, socket, head, done) {
    handleUpgrade.call(this, request, socket, head, (webSocket, ...rest) => {
      guarded('a WebSocket', () => {
        const opened = propagator.receive(carriedHeaders(request.headers), trustOf(request))
        const attributes = { 'network.protocol.name': 'websocket', 'url.path': pathOf(request.url ?? '/') }
        connections.set(webSocket, { opened, attributes })
      })
      done(webSocket, ...rest)
    })
  }

  const emit = WebSocket.prototype.emit
  WebSocket.prototype.emit = function headwaterEmit(event, ...args) {
    const connection = event === 'message' ? connections.get(this) : undefined
    if (connection === undefined) return emit.call(this, event, ...args)
    return handled(connection, () => emit.call(this, event, ...args))
  }
}

function handled({ opened, attributes }: Connection, work: () => boolean): boolean {
  const sender = trace.getSpanContext(opened)
  const known = hopOf(opened)
  const hop = newHop({
    id: known?.id,
    name: known?.name,
    peer: known?.peer,
    isOrigin: known?.isOrigin ?? true,
    links: [...(known?.links ?? []), ...(sender === undefined ? [] : [{ context: sender }])],
  })
  return inSpan('websocket message', { kind: SpanKind.CONSUMER, parent: withHop(ROOT_CONTEXT, hop), attributes }, work)
}
