import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Mishap, send, type Sent } from './test-senders.ts'
import type { SentRequest, Traffic } from './test-traffic.ts'

export interface LoadOptions {
  url: string
  traffic: Traffic
  spansPerSecond?: number
  senders?: number
  /** What goes wrong with the first attempts of the n-th request. */
  mishapsOf?: (index: number) => readonly Mishap[]
  /** Whether the n-th request is sent once more after it was answered: as if its sender had not heard. */
  resendsOf?: (index: number) => boolean
}

/** Senders at work. */
export interface Load {
  /** What has been answered so far. */
  readonly sent: readonly Sent[]
  /** Makes no new requests; resolves once all are answered, or when it takes too long. */
  end(): Promise<void>
}

const spansMax = 300
const paceMs = 10
const giveUpAfterMs = 180_000
/** Every so many requests a sender sends traces whose other half somebody else sends. */
const apartEvery = 8

/** Starts several senders that together send at a rate. Who is refused sends nothing new until it is taken. */
export function startLoad(options: LoadOptions): Load {
  const { url, traffic, spansPerSecond = 1_000, senders = 6, mishapsOf = () => [], resendsOf = () => false } = options
  const agent = new Agent({ keepAlive: true, maxSockets: 4 * senders })
  const sent: Sent[] = []
  const ending = new AbortController()
  let endsAtMs = Infinity
  let made = 0
  const run = async (sender: number): Promise<void> => {
    let spans = 0
    const startedMs = performance.now()
    while (!ending.signal.aborted) {
      made += 1
      const giveUpAtMs = () => endsAtMs
      const sendOptions = { agent, giveUpAtMs, mishaps: mishapsOf(made) }
      const isSentAgain = resendsOf(made)
      const requests: SentRequest[] =
        made % apartEvery === 0 ? traffic.requestsApart(1 + (made % 7)) : [traffic.request(sizeOf(made))]
      const answered = await Promise.all(requests.map((request) => send(url, request, sendOptions)))
      if (isSentAgain) await Promise.all(requests.map((request) => send(url, request, { agent, giveUpAtMs })))
      sent.push(...answered)
      spans += requests.reduce((sum, request) => sum + request.spans.length, 0)
      // Senders do not beat in step.
      const dueMs = startedMs + ((spans + sender * 7) / spansPerSecond) * senders * 1_000
      while (!ending.signal.aborted && performance.now() < dueMs) await sleep(paceMs)
    }
  }
  const running = Promise.all(Array.from({ length: senders }, (_, sender) => run(sender)))
  return {
    sent,
    async end() {
      endsAtMs = performance.now() + giveUpAfterMs
      ending.abort()
      await running
      agent.destroy()
    },
  }
}

/** From one span to the most, small ones more often, each size at some time. */
function sizeOf(index: number): number {
  return 1 + Math.floor(((index * 0.618_034) % 1) ** 2 * spansMax)
}
