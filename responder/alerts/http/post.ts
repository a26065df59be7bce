// One request to a receiver, who may be slow, wrong or hostile: bounded in time and in what is read, and never redirected.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { lookup } from 'node:dns'
import { plainLine } from '../plain-text.ts'
import { AddressRefused, isPublicAddress, lookupWithin, type Reach, refuseLiteral } from './reach.ts'

export type Reply =
  | {
      kind: 'answered'
      status: number
      /** As the header says it. */
      retryAfter: string | undefined
      /** The beginning of the body, as one line. */
      says: string
    }
  /** Nothing that can be understood came back; the request may have been taken all the same. */
  | { kind: 'failed'; reason: string }
  /** The address may not be reached; nothing was sent. */
  | { kind: 'refused'; reason: string }

export interface PostOptions {
  url: string
  headers: Readonly<Record<string, string>>
  body: string
  reach: Reach
  /** For all of it, from the look-up of the name to the answer's end. Standard Webhooks recommends 15 to 30 s. */
  timeoutMs?: number
  /** Gives the request up. */
  signal?: AbortSignal
  /** How names are resolved. */
  resolve?: typeof lookup
}

/** More of an answer is not read. */
const answerBytesMax = 4_096
const saysCharsMax = 200

/** Posts once. It never throws, and it follows no redirect: where one leads is the receiver's choice and not the operator's. */
export async function post({
  url,
  headers,
  body,
  reach,
  timeoutMs = 15_000,
  signal,
  resolve,
}: PostOptions): Promise<Reply> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const given = signal === undefined ? timeout : AbortSignal.any([timeout, signal])
  try {
    return await exchange({ url: new URL(url), headers, body, reach, signal: given, resolve })
  } catch (error) {
    if (error instanceof AddressRefused) return { kind: 'refused', reason: error.message }
    if (timeout.aborted) return { kind: 'failed', reason: `no answer within ${timeoutMs / 1_000} s` }
    if (signal?.aborted === true) return { kind: 'failed', reason: 'given up because Headwater stops' }
    return { kind: 'failed', reason: describe(error) }
  }
}

async function exchange({
  url,
  headers,
  body,
  reach,
  signal,
  resolve,
}: Pick<PostOptions, 'headers' | 'body' | 'reach'> & {
  url: URL
  signal: AbortSignal
  resolve: PostOptions['resolve'] | undefined
}): Promise<Reply> {
  refuseLiteral(url, reach)
  const bytes = Buffer.from(body)
  const { promise, resolve: answered, reject } = Promise.withResolvers<Reply>()
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  const request = send(
    url,
    {
      method: 'POST',
      // A connection of its own: one that was kept may be dying while we write, and then nobody knows what arrived.
      agent: false,
      headers: { 'user-agent': 'Headwater', ...headers, 'content-length': bytes.length },
      lookup: lookupWithin(reach, resolve),
      signal,
    },
    (response) => void read(response).then(answered, reject),
  )
  request.on('error', reject)
  if (reach === 'public') {
    request.on('socket', (socket) =>
      socket.on('connect', () => {
        // Whatever chose the address: this is the one that it became.
        if (isPublicAddress(socket.remoteAddress ?? '')) return
        request.destroy(new AddressRefused(`${socket.remoteAddress} is not an address on the Internet`))
      }),
    )
  }
  request.end(bytes)
  try {
    return await promise
  } finally {
    request.destroy()
  }
}

async function read(response: IncomingMessage): Promise<Reply> {
  const { statusCode: status = 0, headers } = response
  const chunks: Buffer[] = []
  let bytes = 0
  // The status has been given: a body that breaks off or goes on for ever changes nothing about it.
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, answerBytesMax - bytes))
      bytes += chunk.length
      if (bytes >= answerBytesMax) break
    }
  } catch {
    // What was read will do.
  }
  const location = status >= 300 && status < 400 ? headers.location : undefined
  const text =
    location === undefined ? Buffer.concat(chunks).toString() : `redirects to ${location}, which is not followed`
  return {
    kind: 'answered',
    status,
    retryAfter: headers['retry-after'],
    says: plainLine(text, { charsMax: saysCharsMax }),
  }
}

function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(describe).join(', ')
  const text = error instanceof Error ? error.message : String(error)
  return plainLine(text, { charsMax: saysCharsMax })
}
