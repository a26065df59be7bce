// The message broker: MQTT, at least once, with sessions that outlive their connections. It has no agent either.

import { createServer } from 'node:net'
import { Aedes } from 'aedes'

/** More messages than this do not wait for a worker that is away; their senders are refused, and see it. */
const messagesWaitingMax = 10_000

let messagesWaiting = 0
const broker = await Aedes.createBroker({
  authorizePublish(_client, packet, callback) {
    if (messagesWaiting >= messagesWaitingMax) {
      callback(new Error(`Cannot take a message for "${packet.topic}": ${messagesWaiting} are waiting already`))
      return
    }
    messagesWaiting += 1
    callback(null)
  },
})
broker.on('ack', () => {
  messagesWaiting = Math.max(0, messagesWaiting - 1)
})
const server = createServer(broker.handle)
process.on('disconnect', () => process.exit())
server.listen(Number(process.env['PORT']), '127.0.0.1', () => process.send?.({ ready: true }))
