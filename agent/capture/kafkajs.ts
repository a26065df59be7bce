// kafkajs. Producers and consumers are objects without classes, so each is changed when it is made. Keys of messages are left out
// of spans: they tend to tell who a message is about.

import type { Attributes } from '@opentelemetry/api'
import type { Carrier } from '../flow/messages.ts'
import type { Capturing } from './capturing.ts'
import { type Sending, areWrittenByHand, attempt, beginToHandle, beginToSend, handled, sent } from './messaging.ts'
import { claimPatch } from './on-load.ts'

type Headers = Readonly<Record<string, unknown>>

interface NewMessage {
  key?: unknown
  value?: unknown
  partition?: unknown
  timestamp?: unknown
  headers?: Headers | undefined
}

interface TopicMessages {
  topic: string
  messages: NewMessage[]
}

/** Sends; a transaction does as a producer does. */
interface Sender {
  send: (record: TopicMessages, ...more: unknown[]) => Promise<unknown>
  sendBatch: (batch: { topicMessages?: TopicMessages[] | undefined }, ...more: unknown[]) => Promise<unknown>
}

interface Producer extends Sender {
  transaction: (...options: unknown[]) => Promise<Sender>
}

interface Message {
  value: unknown
  offset: string
  headers?: Headers | undefined
}

interface EachMessage {
  topic: string
  partition: number
  message: Message
}

interface EachBatch {
  batch: { topic: string; partition: number; messages: Message[] }
}

type EachMessageHandler = (this: unknown, payload: EachMessage) => unknown
type EachBatchHandler = (this: unknown, payload: EachBatch) => unknown

interface RunOptions {
  eachMessage?: EachMessageHandler | null
  eachBatch?: EachBatchHandler | null
}

interface Consumer {
  run: (options?: RunOptions, ...more: unknown[]) => Promise<unknown>
}

interface Kafka {
  producer: (this: Kafka, ...options: unknown[]) => Producer
  consumer: (this: Kafka, options?: { groupId?: string }, ...more: unknown[]) => Consumer
}

/** Spans of messages that are sent and consumed. */
export function patchKafkaJs(exports: unknown, capturing: Capturing): void {
  const { prototype } = (exports as { Kafka: { prototype: Kafka } }).Kafka
  if (!claimPatch(prototype)) return
  const { producer, consumer } = prototype

  prototype.producer = function headwaterProducer(...options) {
    const made = producer.apply(this, options)
    attempt('kafkajs', () => watchProducer(made, capturing))
    return made
  }
  prototype.consumer = function headwaterConsumer(options, ...more) {
    const made = consumer.call(this, options, ...more)
    attempt('kafkajs', () => watchConsumer(made, options?.groupId, capturing))
    return made
  }
}

function watchProducer(producer: Producer, capturing: Capturing): void {
  watchSender(producer, capturing)
  const { transaction } = producer
  producer.transaction = async function headwaterTransaction(...options) {
    const made = await transaction.apply(this, options)
    attempt('kafkajs', () => watchSender(made, capturing))
    return made
  }
}

function watchSender(sender: Sender, capturing: Capturing): void {
  const { send, sendBatch } = sender

  sender.send = function headwaterSend(record, ...more) {
    const sending = attempt('kafkajs', () => begin([record], record.messages.length === 1 ? 'message' : 'batch'))
    if (!sending) return send.call(this, record, ...more)
    const changed = attempt('kafkajs', () => copyOf(record, recordFields, topicWith(sending, record))) ?? record
    return sent(
      sending,
      () => send.call(this, changed, ...more),
      (result) => notePlace(sending, result),
    )
  }

  sender.sendBatch = function headwaterSendBatch(batch, ...more) {
    const sending = attempt('kafkajs', () => begin(batch.topicMessages ?? [], 'batch'))
    if (!sending) return sendBatch.call(this, batch, ...more)
    const changed = attempt('kafkajs', () => {
      const topicMessages = batch.topicMessages?.map((each) => copyOf(each, recordFields, topicWith(sending, each)))
      return topicMessages && copyOf(batch, batchFields, { topicMessages })
    })
    return sent(sending, () => sendBatch.call(this, changed ?? batch, ...more))
  }

  function begin(records: TopicMessages[], sort: 'message' | 'batch'): Sending | undefined {
    const messages = records.flatMap((record) => record.messages)
    if (messages.length > 0 && messages.every(({ headers }) => areWrittenByHand(headers))) return undefined
    const topics = new Set(records.map(({ topic }) => topic))
    const [destination = ''] = topics.size === 1 ? topics : []
    const attributes =
      sort === 'batch' ? { 'messaging.batch.message_count': messages.length } : tombstoneOf(messages[0]?.value)
    return beginToSend(capturing, { destination, system: 'kafka' }, attributes)
  }
}

/** What kafkajs reads of each. */
const recordFields = ['topic', 'messages', 'acks', 'timeout', 'compression']
const batchFields = ['topicMessages', 'acks', 'timeout', 'compression']
const messageFields = ['key', 'value', 'partition', 'timestamp']
const runFields = [
  'autoCommit',
  'autoCommitInterval',
  'autoCommitThreshold',
  'eachBatch',
  'eachBatchAutoResolve',
  'eachMessage',
  'partitionsConsumedConcurrently',
]

/** What the user gives is never changed. A class of theirs may have getters, which the copy must have as values. */
function copyOf<T extends object>(original: T, fields: readonly string[], changes: Partial<T>): T {
  const inherited = fields.flatMap((field) =>
    field in original && !Object.hasOwn(original, field) ? [[field, original[field as keyof T]] as const] : [],
  )
  return { ...Object.fromEntries(inherited), ...original, ...changes }
}

function topicWith({ carried }: Sending, { messages }: TopicMessages): { messages: NewMessage[] } {
  if (Object.keys(carried).length === 0) return { messages }
  return { messages: messages.map((message) => messageWith(message, carried)) }
}

/** What kafkajs refuses is left as it is, for its error shows it. */
function messageWith(message: NewMessage, carried: Sending['carried']): NewMessage {
  const { value, headers = {} } = message
  if (value === undefined || typeof headers !== 'object' || headers === null) return message
  if (areWrittenByHand(headers)) return message
  // Headers that were copied from another message carry that one's context.
  const { traceparent: _trace, tracestate: _state, baggage: _baggage, ...others } = headers
  return copyOf(message, messageFields, { headers: { ...others, ...carried } })
}

/** Where the message went. Several may have gone to several partitions. */
function notePlace({ span }: Sending, result: unknown): void {
  const [place, ...others] = result as { partition?: number; baseOffset?: string }[]
  if (place?.partition === undefined || others.length > 0) return
  span.setAttribute('messaging.destination.partition.id', String(place.partition))
  if (place.baseOffset !== undefined) span.setAttribute('messaging.kafka.offset', Number(place.baseOffset))
}

function tombstoneOf(value: unknown): Attributes {
  return value === null ? { 'messaging.kafka.message.tombstone': true } : {}
}

function watchConsumer(consumer: Consumer, group: string | undefined, capturing: Capturing): void {
  const { run } = consumer
  consumer.run = function headwaterRun(options, ...more) {
    const changed = attempt('kafkajs', () => options && copyOf(options, runFields, watchedHandlers(options)))
    return run.call(this, changed ?? options, ...more)
  }

  function watchedHandlers({ eachMessage, eachBatch }: RunOptions): RunOptions {
    return {
      ...(eachMessage ? { eachMessage: watchedEachMessage(eachMessage) } : {}),
      ...(eachBatch ? { eachBatch: watchedEachBatch(eachBatch) } : {}),
    }
  }

  // kafkajs tries again what has failed for a reason that may pass: that attempt fails its span, the next one has its own.

  function watchedEachMessage(eachMessage: EachMessageHandler): EachMessageHandler {
    return function headwaterEachMessage(payload) {
      const work = attempt('kafkajs', () => {
        const { topic, partition, message } = payload
        return begin(topic, message.headers ?? {}, {
          ...tombstoneOf(message.value),
          'messaging.destination.partition.id': String(partition),
          'messaging.kafka.offset': Number(message.offset),
        })
      })
      return work ? handled(work, () => eachMessage.call(this, payload)) : eachMessage.call(this, payload)
    }
  }

  function watchedEachBatch(eachBatch: EachBatchHandler): EachBatchHandler {
    return function headwaterEachBatch(payload) {
      const work = attempt('kafkajs', () => {
        const { topic, partition, messages } = payload.batch
        const carriers = messages.map(({ headers }) => headers ?? {})
        return begin(topic, carriers, {
          'messaging.batch.message_count': messages.length,
          'messaging.destination.partition.id': String(partition),
        })
      })
      return work ? handled(work, () => eachBatch.call(this, payload)) : eachBatch.call(this, payload)
    }
  }

  function begin(topic: string, carrier: Carrier | readonly Carrier[], more: Attributes) {
    return beginToHandle(capturing, {
      queue: { destination: topic, system: 'kafka' },
      carrier,
      attributes: { ...more, 'messaging.consumer.group.name': group },
    })
  }
}
