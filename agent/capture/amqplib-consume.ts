// A message is handled when its callback is done and it is acknowledged: with callbacks only the second tells of the end. A
// message that is refused has failed, and so has one whose channel closes before, for it will come again.

import { types } from 'node:util'
import { type Attributes, type Span, SpanStatusCode, context } from '@opentelemetry/api'
import type { Capturing } from './capturing.ts'
import { guarded } from './channel.ts'
import { attempt, beginToHandle, endWork, serverAt } from './messaging.ts'

interface Message {
  fields: { deliveryTag: number; routingKey: string }
  properties: { headers?: Readonly<Record<string, unknown>> | undefined; messageId?: string | undefined }
}

/** `null` says that the broker has cancelled the consumer. */
type Consumer = (this: unknown, message: Message | null) => unknown

interface ConsumeOptions {
  noAck?: boolean | undefined
}

/** Of amqplib's channels what is common to both APIs. */
export interface AmqpChannel {
  connection?: { stream?: { remoteAddress?: string | undefined; remotePort?: number | undefined } }
  consume: (
    this: AmqpChannel,
    queue: string | undefined,
    consumer: Consumer,
    options?: ConsumeOptions,
    ...more: unknown[]
  ) => unknown
  ack: (this: AmqpChannel, message: Message, allUpTo?: boolean, ...more: unknown[]) => unknown
  nack: (this: AmqpChannel, message: Message, allUpTo?: boolean, ...more: unknown[]) => unknown
  reject: (this: AmqpChannel, message: Message, ...more: unknown[]) => unknown
  ackAll: (this: AmqpChannel, ...more: unknown[]) => unknown
  nackAll: (this: AmqpChannel, ...more: unknown[]) => unknown
  toClosed: (this: AmqpChannel, ...more: unknown[]) => unknown
}

/** Spans of messages that are consumed. */
export function patchConsume(prototype: AmqpChannel, capturing: Capturing): void {
  const { consume, ack, nack, reject, ackAll, nackAll, toClosed } = prototype

  prototype.consume = function headwaterConsume(queue, consumer, options, ...more) {
    const isFunction = typeof consumer === 'function'
    const watched = isFunction ? watchedConsumer(capturing, this, { queue: queue ?? '', consumer, options }) : consumer
    return consume.call(this, queue, watched, options, ...more)
  }
  prototype.ack = function headwaterAck(message, allUpTo, ...more) {
    const result = ack.call(this, message, allUpTo, ...more)
    settle(this, () => ({ tag: message.fields.deliveryTag, allUpTo }))
    return result
  }
  prototype.nack = function headwaterNack(message, allUpTo, ...more) {
    const result = nack.call(this, message, allUpTo, ...more)
    settle(this, () => ({ tag: message.fields.deliveryTag, allUpTo, failure: 'nack' }))
    return result
  }
  prototype.reject = function headwaterReject(message, ...more) {
    const result = reject.call(this, message, ...more)
    settle(this, () => ({ tag: message.fields.deliveryTag, failure: 'reject' }))
    return result
  }
  prototype.ackAll = function headwaterAckAll(...more) {
    const result = ackAll.apply(this, more)
    settle(this, () => everything)
    return result
  }
  prototype.nackAll = function headwaterNackAll(...more) {
    const result = nackAll.apply(this, more)
    settle(this, () => ({ ...everything, failure: 'nack' }))
    return result
  }
  prototype.toClosed = function headwaterToClosed(...more) {
    settle(this, () => ({ ...everything, failure: 'channel_closed' }))
    return toClosed.apply(this, more)
  }
}

function watchedConsumer(
  capturing: Capturing,
  channel: AmqpChannel,
  { queue, consumer, options }: { queue: string; consumer: Consumer; options: ConsumeOptions | undefined },
): Consumer {
  const isAsync = types.isAsyncFunction(consumer)
  const isAcknowledged = options?.noAck === true

  function begin({ fields, properties }: Message) {
    const work = beginToHandle(capturing, {
      queue: amqpQueue(queue),
      carrier: properties.headers ?? {},
      attributes: {
        ...amqpAttributes(channel, queue),
        'messaging.rabbitmq.destination.routing_key': fields.routingKey || undefined,
        'messaging.rabbitmq.message.delivery_tag': fields.deliveryTag,
        'messaging.message.id': properties.messageId,
      },
    })
    return work && { ...work, delivery: deliver(channel, fields.deliveryTag, { span: work.span, isAcknowledged }) }
  }

  return function headwaterConsumer(message) {
    const work = message === null ? undefined : attempt('amqplib', () => begin(message))
    if (!work) return consumer.call(this, message)
    try {
      const result = context.with(work.active, () => consumer.call(this, message))
      // Of other functions' promises nobody can tell whether somebody else handles their rejection, which watching hides.
      if (!isAsync || !types.isPromise(result)) {
        done(work.delivery)
        return result
      }
      return watchEnd(result, work.delivery)
    } catch (error) {
      failed(work.delivery, error)
      throw error
    }
  }
}

async function watchEnd(result: Promise<unknown>, delivery: Delivery): Promise<void> {
  try {
    await result
  } catch (error) {
    failed(delivery, error)
    throw error
  }
  done(delivery)
}

interface Delivery {
  span: Span
  channel: AmqpChannel
  tag: number
  /** The callback is done. */
  isDone: boolean
  /** Nothing more is awaited from the service: it has acknowledged or refused the message, or need not. */
  isSettled: boolean
}

/** What the service has not settled yet, by the broker's tags. */
const unsettled = new WeakMap<AmqpChannel, Map<number, Delivery>>()
/** So many spans wait to be settled, in all channels; the spans of further messages end with their callbacks. */
const unsettledMax = 1_024
let unsettledCount = 0

function deliver(
  channel: AmqpChannel,
  tag: number,
  { span, isAcknowledged }: { span: Span; isAcknowledged: boolean },
): Delivery {
  const isSettled = isAcknowledged || unsettledCount >= unsettledMax
  const delivery: Delivery = { span, channel, tag, isDone: false, isSettled }
  if (isSettled) return delivery
  const deliveries = unsettled.get(channel) ?? new Map<number, Delivery>()
  unsettled.set(channel, deliveries)
  deliveries.set(tag, delivery)
  unsettledCount += 1
  return delivery
}

function forget({ channel, tag }: Delivery): void {
  if (unsettled.get(channel)?.delete(tag)) unsettledCount -= 1
}

function done(delivery: Delivery): void {
  delivery.isDone = true
  if (delivery.isSettled) endWork(delivery.span)
}

function failed(delivery: Delivery, error: unknown): void {
  if (!delivery.isSettled) forget(delivery)
  endWork(delivery.span, { error })
}

interface Settlement {
  tag: number
  allUpTo?: boolean | undefined
  /** Why the message has not been handled. */
  failure?: string
}

/** The tag of no message stands for all of them. */
const everything = { tag: 0, allUpTo: true }

function settle(channel: AmqpChannel, settlement: () => Settlement): void {
  guarded('amqplib', () => {
    const deliveries = unsettled.get(channel)
    if (!deliveries || deliveries.size === 0) return
    const { tag, allUpTo = false, failure } = settlement()
    const tags = allUpTo ? [...deliveries.keys()].filter((each) => tag === 0 || each <= tag) : [tag]
    for (const delivery of tags.flatMap((each) => deliveries.get(each) ?? [])) {
      forget(delivery)
      delivery.isSettled = true
      if (failure !== undefined) {
        delivery.span.setAttribute('error.type', failure)
        delivery.span.setStatus({ code: SpanStatusCode.ERROR })
      }
      if (delivery.isDone) endWork(delivery.span)
    }
  })
}

/** Names that the broker makes, for one client or one reply, are as many as those. */
const generatedName = /^$|^amq\.(gen-|rabbitmq\.reply-to)/

/** What a span is named after. */
export function amqpQueue(destination: string) {
  return { destination: generatedName.test(destination) ? '' : destination, system: 'rabbitmq' }
}

export function amqpAttributes({ connection }: AmqpChannel, destination: string): Attributes {
  const { remoteAddress, remotePort } = connection?.stream ?? {}
  return {
    ...(generatedName.test(destination) ? { 'messaging.destination.anonymous': true } : {}),
    ...serverAt(remoteAddress, remotePort),
  }
}
