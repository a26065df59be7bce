// Sends requests, in a process of its own: what that costs is not the receiver's.

import { type Bodies, type BodyOptions, type BodySizes, makeBodies } from './bodies.ts'
import { answerParent } from '../child.ts'
import type { OpenLoop } from '../open-loop.ts'
import { Sender, type Sent, type SentOpenLoop } from './sender.ts'

let bodies: Bodies = { list: [], format: 'protobuf', encoding: 'gzip' }
const senders = new Map<string, Sender>()

function senderTo(url: string, connectionsMax: number): Sender {
  const known = senders.get(url)
  if (known !== undefined) return known
  const sender = new Sender(url, bodies, { connectionsMax, timeoutMs: 15_000 })
  senders.set(url, sender)
  return sender
}

function forget(): void {
  for (const sender of senders.values()) sender.close()
  senders.clear()
}

const answers = {
  /** Makes bodies, instead of those before. */
  make(options: BodyOptions): BodySizes {
    forget()
    const made = makeBodies(options)
    bodies = made.bodies
    return made.sizes
  },
  async send({ url, times, lanes }: { url: string; times: number; lanes: number }): Promise<Sent> {
    return await senderTo(url, lanes).sendAll({ times, lanes })
  },
  async sendOpenLoop({
    url,
    connectionsMax,
    ...loop
  }: OpenLoop & { url: string; connectionsMax: number }): Promise<SentOpenLoop> {
    return await senderTo(url, connectionsMax).sendOpenLoop(loop)
  },
}

export type SenderProgram = typeof answers

answerParent(answers, async () => forget())
