import { createServer } from 'node:http'
import { type Tracer, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { agentCounters, counters } from '../counters.ts'
import { flowSpanProcessor } from './flow-span-processor.ts'
import { ReleasingAgent } from './releasing-agent.ts'
import { type SpanQueue, spanQueue } from './span-queue.ts'
import { listen, startReceiver } from '../testing.ts'

beforeEach(() => {
  counters.spansEnded = counters.spansExported = counters.spansDropped = counters.spansLost = 0
})

function tracing(url: string, queueSpansMax = 10) {
  const clock = { nowMs: 0 }
  const lines: string[] = []
  const queue = spanQueue(
    new OTLPTraceExporter({ url: `${url}/v1/traces`, httpAgentOptions: () => new ReleasingAgent() }),
    {
      batch: { queueSpansMax, batchSpansMax: 2, flushAfterMs: 5, exportTimeoutMs: 0 },
      say: (line) => lines.push(line),
      nowMs: () => clock.nowMs,
    },
  )
  return { clock, lines, queue, tracer: tracerInto(queue) }
}

function tracerInto(queue: SpanQueue): Tracer {
  const sdk = new NodeSDK({
    spanProcessors: [flowSpanProcessor(queue)],
    metricReaders: [],
    logRecordProcessors: [],
    autoDetectResources: false,
  })
  sdk.start()
  onTestFinished(() => trace.disable())
  return trace.getTracer('test')
}

test('what waits is bounded, and what does not fit is counted', async () => {
  const silent = createServer(() => undefined)
  const { tracer, queue } = tracing((await listen(silent)).url, 3)
  for (let span = 0; span < 10; span += 1) tracer.startSpan('work').end()
  // Two are on their way, three wait.
  expect(agentCounters()).toMatchObject({ spansEnded: 10, spansDropped: 5, spansExported: 0, spansLost: 0 })
  const drained = queue.drain()
  silent.close()
  silent.closeAllConnections()
  await drained
  expect(agentCounters()).toMatchObject({ spansEnded: 10, spansDropped: 5, spansExported: 0, spansLost: 5 })
})

test('large spans hold no more than four MiB, and once they are sent there is room again', async () => {
  const silent = createServer(() => undefined)
  const { tracer, queue } = tracing((await listen(silent)).url, 2_048)
  const work = () => tracer.startSpan('work', { attributes: { text: 'é€'.repeat(50_000) } }).end()
  for (let span = 0; span < 100; span += 1) work()
  // Of 200 kB each, at two bytes a character.
  expect(agentCounters()).toMatchObject({ spansEnded: 100, spansDropped: 80 })
  tracer.startSpan('small').end()
  expect(agentCounters()).toMatchObject({ spansEnded: 101, spansDropped: 80 })
  const drained = queue.drain()
  silent.close()
  silent.closeAllConnections()
  await drained
  for (let span = 0; span < 20; span += 1) work()
  expect(agentCounters()).toMatchObject({ spansEnded: 121, spansDropped: 80 })
  await queue.drain()
})

test('every span is exported, dropped or lost', async () => {
  const receiver = await startReceiver()
  const { tracer, queue } = tracing(receiver.url)
  for (let span = 0; span < 7; span += 1) tracer.startSpan('work').end()
  await queue.drain()
  expect(receiver.spans).toHaveLength(7)
  receiver.answer.status = 400
  for (let span = 0; span < 3; span += 1) tracer.startSpan('unwanted').end()
  await queue.drain()
  expect(agentCounters()).toMatchObject({ spansEnded: 10, spansExported: 7, spansDropped: 0, spansLost: 3 })
  expect(queue.hasUnsent()).toBe(false)
})

test('a missing collector is said once, and then once a minute with the count of what was lost', async () => {
  const { tracer, queue, clock, lines } = tracing('http://127.0.0.1:1')
  for (const nowMs of [0, 30_000, 59_999, 60_000, 90_000]) {
    clock.nowMs = nowMs
    tracer.startSpan('work').end()
    await queue.drain()
  }
  expect(lines).toEqual([
    'the collector takes no spans (connect ECONNREFUSED 127.0.0.1:1); 1 span lost, the service is not affected',
    'the collector takes no spans (connect ECONNREFUSED 127.0.0.1:1); 3 spans lost since the last line, the service is not affected',
  ])
})

test('what found no room is told, also where the collector takes all that comes', async () => {
  const receiver = await startReceiver()
  const { tracer, queue, lines } = tracing(receiver.url, 3)
  for (let span = 0; span < 10; span += 1) tracer.startSpan('work').end()
  await queue.drain()
  expect(receiver.spans).toHaveLength(5)
  expect(lines).toEqual([expect.stringMatching(/^5 spans lost: .*, the service is not affected$/)])
})
