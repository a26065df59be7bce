// The WebSocket at /ws. Its request passes the same guards as any other: the API answers it, and only where the answer is
// "426 Upgrade Required" is it upgraded.
import type { IncomingMessage, Server } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Hub } from './hub.ts'

/** Nobody who listens has anything to say. */
const messageBytesMax = 1_024
/** A listener that answered no ping for this long is gone. */
const pingEveryMs = 30_000

/** Lets listeners in at `/ws` of `server`, by leave of `answer`. */
export function acceptListeners(
  server: Server,
  { hub, answer }: { hub: Hub; answer: (request: Request) => Response | Promise<Response> },
): { stop(): void } {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: messageBytesMax, perMessageDeflate: false })
  const alive = new WeakSet<object>()

  server.on('upgrade', (incoming: IncomingMessage, connection: Duplex, head: Buffer) => {
    // A connection that breaks now has nobody else who listens for it.
    connection.on('error', () => connection.destroy())
    void leaveFor(incoming).then((response) => {
      if (response.status !== 426) return refuse(connection, response)
      sockets.handleUpgrade(incoming, connection, head, (socket) => {
        socket.on('error', () => socket.terminate())
        socket.on('close', () => hub.leave(socket))
        socket.on('pong', () => alive.add(socket))
        alive.add(socket)
        if (!hub.join(socket)) socket.close(1013, 'too many listeners: try again later')
      })
      return undefined
    })
  })

  async function leaveFor(incoming: IncomingMessage): Promise<Response> {
    try {
      const headers = new Headers()
      for (const [name, value] of Object.entries(incoming.headers)) {
        if (typeof value === 'string') headers.set(name, value)
      }
      const host = incoming.headers.host ?? 'localhost'
      return await answer(new Request(new URL(incoming.url ?? '/', `http://${host}`), { headers }))
    } catch {
      return new Response('', { status: 400 })
    }
  }

  const pings = setInterval(() => {
    for (const socket of sockets.clients) {
      if (!alive.has(socket)) socket.terminate()
      alive.delete(socket)
      socket.ping()
    }
  }, pingEveryMs).unref()

  return {
    stop() {
      clearInterval(pings)
      hub.stop()
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
    },
  }
}

async function refuse(connection: Duplex, response: Response): Promise<void> {
  const body = await response.text().catch(() => '')
  connection.end(
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? 'Refused'}\r\n` +
      `content-type: application/json\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
