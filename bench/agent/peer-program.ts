// Whom the service asks, in a process of its own.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerParent } from '../child.ts'

const answers = {
  async start(): Promise<string> {
    // Never closes a connection: it would sometimes do so just when the service uses it again.
    const server = createServer({ keepAliveTimeout: 0 }, (_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end('{"item":7,"left":12}')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
}

export type PeerProgram = typeof answers

answerParent(answers)
