// Spans to bytes, by our agent or by OpenTelemetry's own serializer, in a process of their own.

import { SpanKind } from '@opentelemetry/api'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { type ReadableSpan, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { answerParent } from '../child.ts'
import { decodeRequest } from '../otlp.ts'
import { ownUsage, usedBetween } from '../usage.ts'
import { loadPart, type RecordedSpan, type SpanGroup } from './inside-agent.ts'

export type Encoder = 'ours' | 'stock'

/** As both batch spans by default. */
const spansOfBatch = 512
const name = 'GET /orders/:id'
const kind = SpanKind.SERVER

const { FlowTracerProvider } = await loadPart('trace/tracer.ts')
const { makeSampler } = await loadPart('trace/sampler.ts')
const { encodeSpan } = await loadPart('export/encode-span.ts')
const { SpanRing } = await loadPart('export/span-ring.ts')
const { requestBodies } = await loadPart('export/request-body.ts')

/** Spans of our agent, as its server spans are; it adds the flow's ID to each. */
function makeOurSpans(count: number): RecordedSpan[] {
  const spans: RecordedSpan[] = []
  const attributeLimits = { countMax: 128, valueCharsMax: Number.POSITIVE_INFINITY }
  const tracer = new FlowTracerProvider({
    sampler: makeSampler('parentbased_always_on', 1),
    limits: { span: attributeLimits, event: attributeLimits, link: attributeLimits, eventsMax: 128, linksMax: 128 },
    ended: (span) => spans.push(span),
  }).getTracer('@headwater/agent', '0.1.0')
  for (let index = 0; index < count; index += 1) {
    const attributes = {
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'url.path': `/orders/${index}`,
      'server.address': '127.0.0.1',
      'server.port': 8_080,
      'network.peer.address': `10.0.${index % 7}.${index % 250}`,
      'network.peer.port': 32_768 + (index % 28_000),
      'network.protocol.version': '1.1',
      'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    }
    const span = tracer.startSpan(name, { kind, attributes })
    span.setAttribute('http.route', '/orders/:id').setAttribute('http.response.status_code', 200).end()
  }
  return spans
}

/** Spans of OpenTelemetry's SDK with the same contents. */
function makeStockSpans(count: number): ReadableSpan[] {
  const spans: ReadableSpan[] = []
  const collect: SpanProcessor = {
    onStart: () => undefined,
    onEnd: (span) => void spans.push(span),
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  }
  const tracer = new TracerProvider({ spanProcessors: [collect] }).getTracer('@headwater/agent', '0.1.0')
  for (const { attributes } of makeOurSpans(count)) tracer.startSpan(name, { kind, attributes }).end()
  return spans
}

const ring = new SpanRing({ bytesMax: 2_097_152, spansMax: Number.POSITIVE_INFINITY })

/** Into the ring, and out of it as often as a batch is full. */
function encodeOurs(spans: readonly RecordedSpan[]): SpanGroup[] {
  for (const span of spans) ring.add(span.instrumentationScope, encodeSpan(span))
  const groups = ring.take({ spansMax: spansOfBatch, bytesEnough: Number.POSITIVE_INFINITY })
  ring.giveBack()
  return groups
}

let ours: RecordedSpan[][] = []
let stock: ReadableSpan[][] = []

const answers = {
  /** Makes spans; tells the attributes of them all, as they are in a request. */
  prepare({ encoder, batches }: { encoder: Encoder; batches: number }): { attributes: string[] } {
    const count = batches * spansOfBatch
    if (encoder === 'ours') ours = inBatches(makeOurSpans(count))
    else stock = inBatches(makeStockSpans(count))
    const toBody = requestBodies({ 'service.name': 'shop' })
    const bodies = [
      ...ours.map((batch) => toBody(encodeOurs(batch))),
      ...stock.map((batch) => ProtobufTraceSerializer.serializeRequest(batch) ?? new Uint8Array()),
    ]
    return { attributes: bodies.flatMap(attributesIn) }
  },
  /** Encodes all spans so many times; tells the processor time of one. */
  encode({ times }: { times: number }): { spanUs: number } {
    const before = ownUsage()
    for (let time = 0; time < times; time += 1) {
      for (const batch of ours) encodeOurs(batch)
      for (const batch of stock) ProtobufTraceSerializer.serializeRequest(batch)
    }
    const spans = (ours.length + stock.length) * spansOfBatch
    return { spanUs: usedBetween(before, ownUsage()).cpuUs / spans / times }
  },
}

export type EncodeProgram = typeof answers

answerParent(answers)

function inBatches<T>(spans: readonly T[]): T[][] {
  return Array.from({ length: spans.length / spansOfBatch }, (_, batch) =>
    spans.slice(batch * spansOfBatch, (batch + 1) * spansOfBatch),
  )
}

function attributesIn(body: Uint8Array): string[] {
  return decodeRequest(body).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ attributes }) =>
        JSON.stringify(attributes.map(({ key, value }) => [key, value?.value, value?.[value.value ?? 'stringValue']])),
      ),
    ),
  )
}
