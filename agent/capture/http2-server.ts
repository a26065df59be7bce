import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { context } from '@opentelemetry/api'
import { flowIdHeader } from '../propagation/flow-claims.ts'
import type { Capturing } from './capturing.ts'
import { hear } from './channel.ts'
import { follow } from './follow.ts'
import { receiver } from './inbound.ts'

interface Stream {
  stream: ServerHttp2Stream
  headers: IncomingHttpHeaders
}

/** A server span for every request to `node:http2`, but none of gRPC, which is another instrumentation's. */
export function captureHttp2Server(capturing: Capturing): void {
  const receive = receiver(capturing)

  hear<Stream>('http2.server.stream.created', ({ stream, headers }) => {
    // A pushed stream is nobody's request.
    if (headers[':method'] === undefined || headers['content-type']?.startsWith('application/grpc')) return
    const { active, flowId, end } = receive({
      method: headers[':method'],
      target: headers[':path'] ?? '/',
      scheme: headers[':scheme'] ?? 'https',
      authority: headers[':authority'] ?? headers.host,
      version: '2',
      headers,
      socket: stream.session?.socket,
    })
    if (flowId !== undefined) tellFlow(stream, flowId)
    follow(stream, active, () => end(statusOf(stream)))
    context.attach(active)
  })
}

/** The answer says of which run it is. Headers given as a list stay as they are. */
function tellFlow(stream: ServerHttp2Stream, flowId: string): void {
  const respond = stream.respond.bind(stream)
  stream.respond = (headers, ...rest) => {
    respond(Array.isArray(headers) ? headers : { [flowIdHeader]: flowId, ...(headers as object) }, ...rest)
  }
}

function statusOf({ sentHeaders }: ServerHttp2Stream): number | undefined {
  const status = (sentHeaders as typeof sentHeaders | undefined)?.[':status']
  return status === undefined ? undefined : Number(status)
}
