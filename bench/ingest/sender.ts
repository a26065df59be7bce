import { Agent, request as httpRequest } from 'node:http'
import { type Latency, latencyOf } from '../latency.ts'
import { type OpenLoop, runOpenLoop, type OpenLoopReport } from '../open-loop.ts'
import type { Bodies } from './bodies.ts'
import { stamp } from './payloads.ts'

/** An answer's status, or why there was none. */
type Outcome = number | 'no answer'

/** Requests by what became of them, and the spans of those that were taken. */
export interface Sent {
  outcomes: Record<string, number>
  spansTaken: number
  /** The first answer that was not a success, in its own words. */
  refusal?: string
}

/** What became of requests that left when they were due. */
export interface SentOpenLoop extends Sent, OpenLoopReport {
  /** Of the requests that were taken, from when they were due: what a slow receiver keeps from being sent is late as well. */
  latency: Latency
}

interface Answered {
  outcome: Outcome
  spans: number
  refusal?: string
}

const wordsMax = 500

/** Sends bodies over connections that it keeps. */
export class Sender {
  readonly #bodies: Bodies
  readonly #agent: Agent
  readonly #url: URL
  readonly #headers: Record<string, string>
  readonly #timeoutMs: number
  #sent = 0

  constructor(url: string, bodies: Bodies, limits: { connectionsMax: number; timeoutMs: number }) {
    this.#bodies = bodies
    this.#url = new URL('/v1/traces', url)
    this.#headers = {
      'content-type': bodies.format === 'json' ? 'application/json' : 'application/x-protobuf',
      'content-encoding': bodies.encoding,
    }
    this.#timeoutMs = limits.timeoutMs
    this.#agent = new Agent({ keepAlive: true, maxSockets: limits.connectionsMax })
  }

  /** Sends the next body, one that was never sent in these bytes. */
  async sendNext(): Promise<Answered> {
    const { list, encoding } = this.#bodies
    const body = list[this.#sent % list.length]
    if (body === undefined) throw new Error('Cannot send: no bodies were made')
    this.#sent += 1
    // A copy, since the one before may still be on its way.
    const bytes = Buffer.from(body.bytes)
    stamp(bytes, encoding, this.#sent)
    return { ...(await this.#post(bytes)), spans: body.spans }
  }

  /** Sends every body so many times, on each lane the next one when an answer has come. */
  async sendAll({ times, lanes }: { times: number; lanes: number }): Promise<Sent> {
    const sent: Sent = { outcomes: {}, spansTaken: 0 }
    let left = this.#bodies.list.length * times
    const work = async (): Promise<void> => {
      while (left > 0) {
        left -= 1
        note(sent, await this.sendNext())
      }
    }
    await Promise.all(Array.from({ length: lanes }, work))
    return sent
  }

  /** Sends as many requests a second as asked for. */
  async sendOpenLoop(loop: OpenLoop): Promise<SentOpenLoop> {
    const sent: Sent = { outcomes: {}, spansTaken: 0 }
    const latenciesMs: number[] = []
    const report = await runOpenLoop(async (dueMs) => {
      const answered = await this.sendNext()
      note(sent, answered)
      if (answered.outcome === 200) latenciesMs.push(performance.now() - dueMs)
    }, loop)
    return { ...sent, ...report, latency: latencyOf(latenciesMs) }
  }

  close(): void {
    this.#agent.destroy()
  }

  #post(body: Buffer): Promise<Omit<Answered, 'spans'>> {
    return new Promise((resolve) => {
      const request = httpRequest(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          headers: { ...this.#headers, 'content-length': body.length },
          timeout: this.#timeoutMs,
        },
        (response) => {
          const { statusCode: outcome = 'no answer' } = response
          let words = ''
          if (outcome === 200) response.resume()
          else response.on('data', (chunk: Buffer) => (words = (words + chunk.toString('latin1')).slice(0, wordsMax)))
          response.once('end', () => resolve({ outcome, refusal: words }))
          response.once('error', () => resolve({ outcome: 'no answer' }))
        },
      )
      request.once('timeout', () => request.destroy())
      request.once('error', (error: NodeJS.ErrnoException) => {
        // A receiver may close a connection that was idle just when it is used again.
        if (request.reusedSocket && error.code === 'ECONNRESET') resolve(this.#post(body))
        else resolve({ outcome: 'no answer', refusal: error.message })
      })
      request.end(body)
    })
  }
}

/** Adds one request. */
function note(sent: Sent, { outcome, spans, refusal }: Answered): void {
  sent.outcomes[outcome] = (sent.outcomes[outcome] ?? 0) + 1
  if (outcome === 200) sent.spansTaken += spans
  else sent.refusal ??= `${outcome} ${refusal ?? ''}`
}
