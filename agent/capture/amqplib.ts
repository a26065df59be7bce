// amqplib, with promises and with callbacks. Its channels are not exported, so they are taken from the files beside its main one.
// Not captured: `get`, which hands a message to whoever asks; `withConsumer(message.properties.headers, …)` handles it in a span.

import { createRequire } from 'node:module'
import { type Span, context } from '@opentelemetry/api'
import { type AmqpChannel, amqpAttributes, amqpQueue, patchConsume } from './amqplib-consume.ts'
import type { Capturing } from './capturing.ts'
import { type Sending, areWrittenByHand, attempt, beginToSend, endWork } from './messaging.ts'
import { type Patch, claimPatch } from './on-load.ts'

type Headers = Readonly<Record<string, unknown>>

interface PublishOptions {
  headers?: Headers | undefined
  messageId?: string | undefined
}

/** Of a channel that confirms: the broker has taken the message, or not. */
type Confirmed = (this: unknown, ...answer: unknown[]) => unknown

interface Channel extends AmqpChannel {
  publish: (this: Channel, ...message: PublishArguments) => unknown
}

type PublishArguments = [
  exchange: string | undefined,
  routingKey: string | undefined,
  content: unknown,
  options?: PublishOptions | undefined,
  confirmed?: Confirmed | undefined,
]

interface ChannelClass {
  new (...options: never[]): Channel
  prototype: Channel
}

/** What is imported, and the file of its channels. Before amqplib 2 every file may be imported, with the end of its name or without. */
const fileOfChannels: Readonly<Record<string, string>> = {
  amqplib: './lib/channel_model.js',
  'amqplib/channel_api': './lib/channel_model.js',
  'amqplib/channel_api.js': './lib/channel_model.js',
  'amqplib/callback_api': './lib/callback_model.js',
  'amqplib/callback_api.js': './lib/callback_model.js',
}

/** Spans of messages that are published and consumed: the patches by module. */
export function amqplibPatches(capturing: Capturing): Record<string, Patch> {
  const patchWith = (file: string): Patch => {
    return (_, { url }) => patchChannels(createRequire(url)(file) as Record<string, ChannelClass>, capturing)
  }
  return Object.fromEntries(Object.entries(fileOfChannels).map(([specifier, file]) => [specifier, patchWith(file)]))
}

function patchChannels({ Channel, ConfirmChannel }: Record<string, ChannelClass>, capturing: Capturing): void {
  if (Channel === undefined || ConfirmChannel === undefined) throw new Error('Cannot find the channels')
  if (!claimPatch(Channel)) return
  // The method of a confirming channel calls the other one.
  patchPublish(Channel.prototype, capturing, (channel) => !(channel instanceof ConfirmChannel))
  patchPublish(ConfirmChannel.prototype, capturing, () => true)
  patchConsume(Channel.prototype, capturing)
}

/** So many spans wait for the broker's answer; further ones do not wait. */
const waitingMax = 1_024
let waiting = 0

function patchPublish(prototype: Channel, capturing: Capturing, isOutermost: (channel: Channel) => boolean): void {
  const { publish } = prototype
  prototype.publish = function headwaterPublish(...message) {
    const sending = isOutermost(this) ? attempt('amqplib', () => begin(capturing, this, message)) : undefined
    if (!sending) return publish.apply(this, message)
    const [exchange, routingKey, content, options, confirmed] = message
    const changed = attempt('amqplib', () => optionsWith(sending, options)) ?? options
    const confirmation = typeof confirmed === 'function' ? awaitConfirmation(sending.span, confirmed) : undefined
    const answered = confirmation?.confirmed ?? confirmed
    try {
      const result = context.with(sending.active, () =>
        publish.call(this, exchange, routingKey, content, changed, answered),
      )
      if (!confirmation) endWork(sending.span)
      return result
    } catch (error) {
      if (confirmation) confirmation.end({ error })
      else endWork(sending.span, { error })
      throw error
    }
  }
}

function begin(capturing: Capturing, channel: Channel, [exchange, routingKey, , options]: PublishArguments) {
  if (areWrittenByHand(options?.headers)) return undefined
  // Routing keys may be as many as there are orders: an exchange is one destination. The default one leads to queues.
  const destination = exchange || routingKey || ''
  return beginToSend(capturing, amqpQueue(destination), {
    ...amqpAttributes(channel, destination),
    'messaging.rabbitmq.destination.routing_key': routingKey || undefined,
    'messaging.message.id': options?.messageId,
  })
}

/** The span ends with the broker's answer, or at once if too many wait. */
function awaitConfirmation(span: Span, confirmed: Confirmed) {
  if (waiting >= waitingMax) return undefined
  waiting += 1
  const parent = context.active()
  let isOver = false
  function end(failure?: { error: unknown }): void {
    if (isOver) return
    isOver = true
    waiting -= 1
    endWork(span, failure)
  }
  function headwaterConfirmed(this: unknown, ...answer: unknown[]): unknown {
    const [error] = answer
    end(error === null || error === undefined ? undefined : { error })
    return context.with(parent, () => confirmed.apply(this, answer))
  }
  return { end, confirmed: headwaterConfirmed }
}

/** Both objects of the user's stay behind the new ones: amqplib looks at what they inherit, too, and leaves out what is undefined. */
function optionsWith({ carried }: Sending, options: PublishOptions | undefined): PublishOptions | undefined {
  const headers = options?.headers ?? null
  if (typeof headers !== 'object' || Object.keys(carried).length === 0) return options
  return inFrontOf(options ?? null, { headers: inFrontOf(headers, { ...noneCarried, ...carried }) })
}

/** An object with `changes` that is otherwise as `original`, which may be frozen. */
function inFrontOf(original: object | null, changes: Record<string, unknown>): Record<string, unknown> {
  return Object.create(original, Object.getOwnPropertyDescriptors(changes)) as Record<string, unknown>
}

/** What headers carry that were copied from another message. */
const noneCarried = { traceparent: undefined, tracestate: undefined, baggage: undefined }
