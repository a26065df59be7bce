import type { IncomingMessage, ServerResponse } from 'node:http'
import { context } from '@opentelemetry/api'
import { flowIdHeader } from '../propagation/flow-claims.ts'
import type { Capturing } from './capturing.ts'
import { hear } from './channel.ts'
import { follow } from './follow.ts'
import { receiver } from './inbound.ts'
import { mark } from '../flow/mark.ts'

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
      message: request,
      socket,
    })
    if (flowId !== undefined) tellFlow(response, flowId)
    follow(request, active)
    follow(response, active, () => end(response.headersSent ? response.statusCode : undefined))
    context.attach(active)
  })
}

type WriteHead = (this: ServerResponse, ...args: unknown[]) => ServerResponse

const writeHeads = mark<WriteHead>()

/** The answer says of which run it is. Beside a header that is set, Node takes a list of pairs for something else. */
function tellFlow(response: ServerResponse, flowId: string): void {
  response.setHeader(flowIdHeader, flowId)
  const { writeHead } = response as { writeHead: WriteHead }
  writeHeads.set(response, writeHead)
  ;(response as { writeHead: WriteHead }).writeHead = headwaterWriteHead
}

function headwaterWriteHead(this: ServerResponse, ...args: unknown[]): ServerResponse {
  // A proxy of a response has no mark, and the prototype of what it stands for.
  const writeHead = writeHeads.find(this) ?? (Object.getPrototypeOf(this) as { writeHead: WriteHead }).writeHead
  const headers = args.at(-1)
  const isPairs = Array.isArray(headers) && Array.isArray(headers[0])
  return writeHead.apply(this, isPairs ? [...args.slice(0, -1), headers.flat(1)] : args)
}
