import { Agent, type AgentOptions, type ClientRequest, type ClientRequestArgs } from 'node:http'
import { Socket, connect } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * Connections for the exporter that do not keep the process alive. They also hide an error's code from the exporter, whose
 * own retries would hold the process with timers; ours (span-queue.ts) do not.
 */
export class ReleasingAgent extends Agent {
  constructor(options: AgentOptions = {}) {
    super({ keepAlive: true, ...options })
  }

  override createConnection(options: ClientRequestArgs): Duplex {
    const socket = connect({
      host: options.hostname ?? options.host ?? '127.0.0.1',
      port: Number(options.port ?? 80),
    })
    socket.unref()
    socket.prependListener('error', (error: NodeJS.ErrnoException) => {
      delete error.code
    })
    return socket
  }

  // Node refers to a socket again when it gives it to the next request.
  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    super.reuseSocket(socket, request)
    if (socket instanceof Socket) socket.unref()
  }
}
