// Stands for the collector, in a process of its own: answers as ours does, or as one that is in trouble.

import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { answerParent } from '../child.ts'
import { decodeRequest, requestFromJson, type Span } from '../otlp.ts'

export type Health = 'healthy' | Trouble
export type Trouble = 'refused' | 'hung' | 'unavailable' | 'slow'

/** A span, as far as it is looked at. */
export interface ArrivedSpan {
  scope: string
  name: string
  /** As OTLP counts them. */
  kind: number
  route: string
}

interface Body {
  bytes: Buffer
  type: string
  encoding: string
}

const slowMs = 5_000
const keptBytesMax = 268_435_456

interface Kept {
  bodies: Body[]
  /** Connections that were made since it was opened. */
  connections: number
}

const keptByUrl = new Map<string, Kept>()
let keptBytes = 0

const answers = {
  /** Opens a collector for one service; tells its URL. */
  async open(health: Health): Promise<string> {
    const kept: Kept = { bodies: [], connections: 0 }
    const server = health === 'hung' ? hung() : createHttpServer((request, response) => take(request, response))
    server.on('connection', () => (kept.connections += 1))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    keptByUrl.set(url, kept)
    if (health === 'refused') server.close()
    return url

    function take(request: IncomingMessage, response: ServerResponse): void {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { 'content-type': type = '', 'content-encoding': encoding = '' } = request.headers
        if (health === 'unavailable') response.writeHead(503).end()
        else setTimeout(() => answer(response, type), health === 'slow' ? slowMs : 0)
        if (health !== 'unavailable') keep(kept.bodies, { bytes: Buffer.concat(chunks), type, encoding })
      })
    }
  },
  /** The spans that came since this was last asked. They are decoded now, not while somebody is measured. */
  arrived(url: string): ArrivedSpan[] {
    const bodies = keptByUrl.get(url)?.bodies.splice(0) ?? []
    keptBytes -= bodies.reduce((sum, { bytes }) => sum + bytes.length, 0)
    return bodies.flatMap(readSpans)
  },
  connections: (url: string): number => keptByUrl.get(url)?.connections ?? 0,
}

export type CollectorProgram = typeof answers

answerParent(answers)

/** Takes connections, and reads nothing. */
function hung(): Server {
  return createTcpServer({ pauseOnConnect: true }, (socket) => void socket.on('error', () => undefined))
}

function answer(response: ServerResponse, type: string): void {
  const isJson = type === 'application/json'
  response.writeHead(200, { 'content-type': type, 'accept-encoding': 'zstd, gzip' }).end(isJson ? '{}' : undefined)
}

function keep(bodies: Body[], body: Body): void {
  keptBytes += body.bytes.length
  if (keptBytes > keptBytesMax) throw new Error(`Cannot keep more than ${keptBytesMax} bytes of requests`)
  bodies.push(body)
}

function readSpans({ bytes, type, encoding }: Body): ArrivedSpan[] {
  const plain = encoding === 'zstd' ? zstdDecompressSync(bytes) : encoding === 'gzip' ? gunzipSync(bytes) : bytes
  const { resourceSpans } = type === 'application/json' ? requestFromJson(plain) : decodeRequest(plain)
  return resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        scope: scope?.name ?? '',
        name: span.name,
        kind: span.kind,
        route: routeOf(span),
      })),
    ),
  )
}

function routeOf({ attributes }: Span): string {
  return attributes.find(({ key }) => key === 'http.route')?.value?.stringValue ?? ''
}
