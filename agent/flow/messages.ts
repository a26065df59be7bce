import {
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  type TextMapGetter,
  context,
  createContextKey,
  propagation,
  trace,
} from '@opentelemetry/api'
import { guarded } from '../capture/channel.ts'
import { leaveQueue, throughQueue } from '../propagation/flow-propagator.ts'
import { inSpan } from './flows.ts'
import { hopOf, newHop, withHop } from './hop.ts'

/** A message's attributes or headers, as the queue's client hands them over. */
export type Carrier = Readonly<Record<string, unknown>>

/** Where messages go, in the words of OpenTelemetry's conventions for messaging. */
export interface Queue {
  /** `messaging.destination.name`: the queue or topic. */
  destination: string
  /** `messaging.system`: `kafka`, `rabbitmq`, `aws_sqs`, … */
  system: string
}

/** Of a larger batch only so many messages are linked; the rest is counted by `messaging.batch.message_count`. */
const linkedMessagesMax = 128

/** Writes the current trace and flow into a message's attributes (`traceparent`, `tracestate`, `baggage`). */
export function inject<C extends Record<string, unknown>>(carrier: C): C {
  // A carrier that cannot be changed goes without.
  guarded('a message', () => propagation.inject(throughQueue(context.active()), carrier))
  return carrier
}

/**
 * The context in which a message is to be handled: the same flow, a new trace, and a link to the span that sent it. A queue
 * is trusted, unless HEADWATER_SHARED_KEY is set: then what the message states must be signed.
 */
export function extract(carrier: Carrier | null | undefined): Context {
  // Messages without any headers come without an object for them.
  const extracted = leaveQueue(propagation.extract(throughQueue(ROOT_CONTEXT), carrier ?? {}, attributes))
  const sender = trace.getSpanContext(extracted)
  const hop = hopOf(extracted)
  if (sender && hop) hop.links = [...hop.links, { context: sender }]
  return trace.deleteSpan(extracted)
}

/** Sends a message: `send` gets the attributes to send with it, and runs in a PRODUCER span. */
export function withProducer<T>(queue: Queue, send: (carrier: Record<string, string>) => T): T {
  const { name, attributes } = describeOperation('send', queue)
  return inSpan(name, { kind: SpanKind.PRODUCER, parent: context.active(), attributes }, () => send(inject({})))
}

/**
 * Handles a message in a CONSUMER span that continues its flow in a new trace. A batch, given as an array of carriers, starts a run
 * of its own that is linked to all. Where a capture has made the span already, `handle` runs in that one.
 */
export function withConsumer<T>(carrier: Carrier | readonly Carrier[], queue: Queue, handle: () => T): T {
  if (isBeingHandled(carrier)) return handle()
  const { name, attributes } = describeOperation('process', queue)
  const count = isBatch(carrier) ? { 'messaging.batch.message_count': carrier.length } : {}
  const span = { kind: SpanKind.CONSUMER, attributes: { ...attributes, ...count } }
  return inSpan(name, { ...span, parent: contextOf(carrier) }, handle)
}

/** The context for the span of who handles a message, or a batch of them. */
export function contextOf(carrier: Carrier | readonly Carrier[]): Context {
  if (!isBatch(carrier)) return extract(carrier)
  const links = carrier.slice(0, linkedMessagesMax).flatMap((each) => hopOf(extract(each))?.links ?? [])
  return withHop(ROOT_CONTEXT, newHop({ links }))
}

const handledKey = createContextKey('headwater.handled')

/** `handling` with the note whose message it is: `withConsumer` makes no second span of that one. */
export function asHandled(handling: Context, carrier: Carrier | readonly Carrier[]): Context {
  return handling.setValue(handledKey, carrier)
}

/** The headers of a batch are gathered anew by who calls; each of them is the same object. */
function isBeingHandled(carrier: Carrier | readonly Carrier[]): boolean {
  const handled = context.active().getValue(handledKey)
  if (!isBatch(carrier) || !Array.isArray(handled)) return handled !== undefined && handled === carrier
  return handled.length === carrier.length && carrier.every((each, index) => each === handled[index])
}

/** Name and attributes of a span that sends to a queue or handles what comes from there. One without a name has neither. */
export function describeOperation(operation: 'send' | 'process', { destination, system }: Queue) {
  const attributes: Record<string, string> = {
    'messaging.system': system,
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
  }
  if (destination === '') return { name: operation, attributes }
  attributes['messaging.destination.name'] = destination
  return { name: `${operation} ${destination}`, attributes }
}

function isBatch(carrier: Carrier | readonly Carrier[]): carrier is readonly Carrier[] {
  return Array.isArray(carrier)
}

/** Clients hand attributes over as strings or bytes (Kafka). */
const attributes: TextMapGetter<Carrier> = {
  keys: (carrier) => Object.keys(carrier),
  get(carrier, key) {
    const value = carrier[key]
    if (typeof value === 'string') return value
    return Buffer.isBuffer(value) ? value.toString('utf8') : undefined
  },
}
