// Senders as OTLP wants them: what is refused for now is sent again, with the same bytes, when the collector says so; what
// is refused for good is not.

import { Agent, request as httpRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Wire } from '../otlp/wire.ts'
import type { SentRequest } from './test-traffic.ts'

/** What a sender knows of its request in the end. */
export type Outcome =
  /** Answered 200; so many spans of it were rejected. */
  | { kind: 'acknowledged'; rejected: number }
  | { kind: 'refused'; status: number; message: string }
  /** It gave up; the spans may be stored or not. */
  | { kind: 'unknown' }

export interface Sent {
  request: SentRequest
  outcome: Outcome
  attempts: number
}

/** How one attempt goes wrong on the sender's side. */
export interface Mishap {
  /** Ends the connection after so many bytes of the body. */
  abortAfterBytes?: number
  /** Ends the connection when there is no answer by then. */
  timeoutMs?: number
}

interface Answer {
  status: number
  retryAfterMs: number | undefined
  body: Buffer
}

/** As OpenTelemetry's exporters have it. */
const timeoutMs = 10_000
const retried = new Set([429, 502, 503, 504])
const backOff = { firstMs: 100, mostMs: 2_000 }

/** One attempt; rejects when there is no answer. */
export function attempt(url: string, { body }: SentRequest, agent: Agent, mishap: Mishap = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const headers = {
    'content-type': 'application/x-protobuf',
    'content-encoding': 'gzip',
    'content-length': body.length,
  }
  const outgoing = httpRequest(`${url}/v1/traces`, { method: 'POST', agent, headers })
  const timer = setTimeout(() => outgoing.destroy(new Error('no answer in time')), mishap.timeoutMs ?? timeoutMs)
  outgoing.on('response', (incoming) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('error', reject)
    incoming.on('end', () => {
      const seconds = Number(incoming.headers['retry-after'])
      const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : undefined
      resolve({ status: incoming.statusCode ?? 0, retryAfterMs, body: Buffer.concat(chunks) })
    })
  })
  outgoing.on('error', reject)
  outgoing.on('close', () => {
    clearTimeout(timer)
    reject(new Error('the connection ended'))
  })
  const { abortAfterBytes } = mishap
  if (abortAfterBytes === undefined) outgoing.end(body)
  else outgoing.write(body.subarray(0, abortAfterBytes), () => setTimeout(() => outgoing.destroy(), 5))
  return promise
}

export interface SendOptions {
  agent: Agent
  /** Until when the request may be sent again. */
  giveUpAtMs: () => number
  /** What goes wrong with the first attempts. */
  mishaps?: readonly Mishap[]
}

/** Sends until there is an answer that counts. */
export async function send(url: string, request: SentRequest, options: SendOptions): Promise<Sent> {
  const { agent, giveUpAtMs, mishaps = [] } = options
  for (let attempts = 1; ; attempts += 1) {
    let waitMs = Math.min(backOff.firstMs * 2 ** (attempts - 1), backOff.mostMs)
    try {
      const { status, retryAfterMs, body } = await attempt(url, request, agent, mishaps[attempts - 1])
      if (status === 200) return { request, outcome: { kind: 'acknowledged', rejected: rejectedIn(body) }, attempts }
      if (!retried.has(status))
        return { request, outcome: { kind: 'refused', status, message: body.toString() }, attempts }
      waitMs = retryAfterMs ?? waitMs
    } catch {
      // The connection failed: the spans may have been taken or not, so they are sent again.
      if (mishaps[attempts - 1] !== undefined) waitMs = 0
    }
    if (performance.now() + waitMs > giveUpAtMs()) return { request, outcome: { kind: 'unknown' }, attempts }
    await sleep(waitMs)
  }
}

/** The count of an ExportTracePartialSuccess. */
function rejectedIn(body: Buffer): number {
  const wire = new Wire(body)
  let rejected = 0
  while (wire.at < body.length) {
    wire.tag(body.length)
    const end = wire.fieldEnd(body.length)
    while (wire.at < end) {
      if (wire.tag(end) >>> 3 === 1) rejected = wire.varint(end)
      else wire.at = wire.fieldEnd(end)
    }
  }
  return rejected
}
