import { readFileSync } from 'node:fs'
import type { Agent, IncomingMessage } from 'node:http'
import type { AgentOptions } from 'node:https'
import { context } from '@opentelemetry/api'
import { emptyContext } from '../trace/linked-context.ts'
import { suppressTracing } from '../trace/suppression.ts'
import { rejectedOf } from './partial-success.ts'

/** Where spans go, and how. */
export interface Endpoint {
  url: URL
  headers: Readonly<Record<string, string>>
  timeoutMs: number
  /** Files, in PEM. */
  certificate: string | undefined
  clientKey: string | undefined
  clientCertificate: string | undefined
}

export type Encoding = 'identity' | 'gzip' | 'zstd'

/** What became of a request. `understands` is what the endpoint says that it can decompress. */
export type Answer =
  | { kind: 'taken'; rejected: number; reason: string; understands: string }
  /** It does not want this, however often it is sent. */
  | { kind: 'refused'; reason: string; status: number }
  /** It may want this later. */
  | { kind: 'busy'; reason: string; waitMs: number | undefined }

export type Post = (body: Buffer, encoding: Encoding) => Promise<Answer>

/** Of an answer's body no more is read. */
const answerBytesMax = 65_536
const retryable = new Set([408, 429, 502, 503, 504])
/** Nobody is told to wait longer than this. */
const waitMsMax = 300_000

/** Posts to an endpoint over one connection that stays open and does not keep the process alive. Never rejects. */
export function poster(endpoint: Endpoint): Post {
  const isTls = endpoint.url.protocol === 'https:'
  const options: AgentOptions = { keepAlive: true, maxSockets: 1, ...(isTls ? credentialsOf(endpoint) : {}) }
  let agent: Agent | undefined
  const untraced = suppressTracing(emptyContext)

  function send(body: Buffer, encoding: Encoding, done: (answer: Answer) => void): void {
    // Not imported, and not before they are needed: an import of one of them loads all of undici, a third of what starting costs.
    const http = isTls ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http')
    agent ??= new http.Agent(options)
    const outgoing = http.request(endpoint.url, {
      agent,
      method: 'POST',
      headers: {
        ...endpoint.headers,
        'content-type': 'application/x-protobuf',
        'content-length': body.length,
        'user-agent': 'headwater-agent',
        ...(encoding === 'identity' ? {} : { 'content-encoding': encoding }),
      },
    })
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no answer in ${endpoint.timeoutMs} ms`)),
      endpoint.timeoutMs,
    ).unref()
    const settle = (answer: Answer) => {
      clearTimeout(timer)
      done(answer)
    }
    // Node refers to a socket again when it gives it to the next request.
    outgoing.on('socket', (socket) => socket.unref())
    outgoing.on('error', (error) => settle({ kind: 'busy', reason: error.message, waitMs: undefined }))
    outgoing.on('response', (response) => readAnswer(response, settle))
    outgoing.end(body)
  }

  return (body, encoding) => {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    try {
      context.with(untraced, () => send(body, encoding, resolve))
    } catch (error) {
      // A header that the environment names may be impossible.
      resolve({ kind: 'refused', reason: error instanceof Error ? error.message : String(error), status: 0 })
    }
    return promise
  }
}

function readAnswer(response: IncomingMessage, done: (answer: Answer) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  const status = response.statusCode ?? 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= answerBytesMax) chunks.push(chunk)
    else response.destroy()
  })
  const finish = () => {
    const reason = `${status} ${response.statusMessage ?? ''}`.trim()
    if (status >= 200 && status < 300) {
      const { rejected, message } = rejectedOf(Buffer.concat(chunks))
      const understands = response.headers['accept-encoding'] ?? ''
      done({ kind: 'taken', rejected, reason: message || reason, understands })
    } else if (retryable.has(status)) {
      done({ kind: 'busy', reason, waitMs: waitMsOf(response.headers['retry-after']) })
    } else done({ kind: 'refused', reason, status })
  }
  response.on('close', finish)
  response.on('error', () => undefined)
}

/** Seconds, or a date. */
function waitMsOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), waitMsMax)
}

function credentialsOf({ certificate, clientKey, clientCertificate }: Endpoint): AgentOptions {
  return {
    ...(certificate === undefined ? {} : { ca: readFileSync(certificate) }),
    ...(clientKey === undefined ? {} : { key: readFileSync(clientKey) }),
    ...(clientCertificate === undefined ? {} : { cert: readFileSync(clientCertificate) }),
  }
}
