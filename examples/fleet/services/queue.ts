// Messages go through MQTT 3.1.1, which has no headers, so they travel in an envelope. A queue has a lane for each instance
// of the worker: its own session waits for it there while it is away.

import { withConsumer, withProducer } from '@headwater/agent'
import mqtt, { type MqttClient } from 'mqtt'
import { z } from 'zod'
import { callTimeoutMs } from './call.ts'
import { currentDirectory, nextInstance } from './directory.ts'
import { identity } from './identity.ts'
import { CalleeFailed } from './problems.ts'

export type QueueName = 'reports' | 'receipts'

const envelopeForm = z.object({ headers: z.record(z.string(), z.string()), body: z.unknown() })
let sending: Promise<MqttClient> | undefined

/** Sends a message, and is done when the broker has it. */
export async function publish(queue: QueueName, body: object): Promise<void> {
  const { instance } = await nextInstance('worker')
  sending ??= connect(`${identity.name}-${identity.instance}-${process.pid}`)
  const client = await sending
  await withProducer({ destination: queue, system: 'mqtt' }, async (headers) => {
    try {
      await taken(client.publishAsync(`${queue}/${instance}`, JSON.stringify({ headers, body }), { qos: 1 }))
    } catch (cause) {
      throw new CalleeFailed(`Cannot put a message into the queue ${queue}`, { cause })
    }
  })
}

/**
 * Handles the messages of `queue` one after the other, each until it is done. A message that cannot be handled is let go,
 * so that it does not hold up the rest; one that the process dies of comes again.
 */
export async function consume(queue: QueueName, handle: (body: unknown) => Promise<void>): Promise<void> {
  const client = await connect(`worker-${identity.instance}-${queue}`, (payload) => handled(payload, queue, handle))
  await client.subscribeAsync(`${queue}/${identity.instance}`, { qos: 1 })
}

async function handled(payload: string | Buffer, queue: QueueName, handle: (body: unknown) => Promise<void>) {
  try {
    const { headers, body } = envelopeForm.parse(JSON.parse(payload.toString()))
    await withConsumer(headers, { destination: queue, system: 'mqtt' }, () => handle(body))
  } catch (error) {
    process.stderr.write(`message of ${queue} let go: ${String(error)}\n`)
  }
}

async function connect(clientId: string, handle?: (payload: string | Buffer) => Promise<void>): Promise<MqttClient> {
  const { brokerPort } = await currentDirectory()
  const client = mqtt.connect({
    host: '127.0.0.1',
    port: brokerPort,
    clientId,
    clean: handle === undefined,
    reconnectPeriod: 500,
    manualConnect: true,
  })
  client.on('error', (error) => process.stderr.write(`queue: ${error.message}\n`))
  // Before it connects: what has waited in the session comes with the first packet.
  if (handle) client.handleMessage = (packet, done) => void handle(packet.payload).finally(() => done())
  const { promise, resolve } = Promise.withResolvers<void>()
  client.once('connect', () => resolve()).connect()
  await promise
  return client
}

async function taken(publishing: Promise<unknown>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no word from the broker in ${callTimeoutMs} ms`)), callTimeoutMs)
  try {
    await Promise.race([publishing, promise])
  } finally {
    clearTimeout(timer)
  }
}
