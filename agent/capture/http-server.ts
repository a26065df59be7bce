import type { IncomingMessage, ServerResponse } from 'node:http'
import { context } from '@opentelemetry/api'
import { flowIdHeader } from '../propagation/flow-claims.ts'
import type { Capturing } from './capturing.ts'
import { hear } from './channel.ts'
import { follow } from './follow.ts'
import { receiver } from './inbound.ts'

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
}

/** A server span for every request to `node:http` and `node:https`. */
export function captureHttpServer(capturing: Capturing): void {
  const receive = receiver(capturing)

  hear<Exchange>('http.server.request.start', ({ request, response }) => {
    const { socket, headers } = request
    const { active, flowId, end } = receive({
      method: request.method ?? 'GET',
      target: request.url ?? '/',
      scheme: 'encrypted' in socket ? 'https' : 'http',
      authority: headers.host,
      version: request.httpVersion,
      headers,
      socket,
    })
    if (flowId !== undefined) response.setHeader(flowIdHeader, flowId)
    follow(request, active)
    follow(response, active, () => end(response.headersSent ? response.statusCode : undefined))
    context.attach(active)
  })
}
