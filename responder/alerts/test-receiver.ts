// A receiver of webhooks: remembers what comes, and answers as the test says.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: string
  json: unknown
}

export interface TestReceiver {
  url: string
  received: Received[]
  /** How it answers from now on; without one, 204. Gets the raw socket too, for those who do not speak HTTP. */
  answer(how: ((request: Received, response: ServerResponse, socket: Socket) => void) | undefined): void
  close(): Promise<void>
}

export async function startReceiver(port = 0): Promise<TestReceiver> {
  const received: Received[] = []
  let answer: ((request: Received, response: ServerResponse, socket: Socket) => void) | undefined
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const json: unknown = body.startsWith('{') || body.startsWith('[') ? JSON.parse(body) : undefined
      const taken = { path: request.url ?? '', headers: request.headers, body, json }
      received.push(taken)
      if (answer === undefined) response.writeHead(204).end()
      else answer(taken, response, request.socket)
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const at = (server.address() as AddressInfo).port
  return {
    url: `http://127.0.0.1:${at}`,
    received,
    answer(how) {
      answer = how
    },
    async close() {
      server.close()
      server.closeAllConnections()
      if (server.listening) await once(server, 'close')
    },
  }
}
