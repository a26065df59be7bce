import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { trace } from '@opentelemetry/api'
import { inheritedContext } from '../capture/inherited-context.ts'
import { AsyncContextManager } from '../trace/context-manager.ts'
import { startCaptures } from '../capture/start.ts'
import { flushOnExit } from '../export/exit.ts'
import { flowPropagator } from '../propagation/flow-propagator.ts'
import type { AgentSettings } from '../settings/settings.ts'
import { say } from '../start.ts'
import { agentVersion } from '../version.ts'
import { flowSpanProcessor } from './flow-span-processor.ts'
import { ReleasingAgent } from './releasing-agent.ts'
import { type SpanQueue, spanQueue } from './span-queue.ts'

/** Starts OpenTelemetry's SDK with our propagator and span processor, and our captures on it. */
export function startSdk(settings: AgentSettings, options: { serviceName?: string | undefined }): void {
  const serviceName = options.serviceName ?? String(settings.resource['service.name'])
  const queue = settings.exports ? queueToCollector(settings) : undefined
  const propagator = flowPropagator({ ...settings, serviceName })
  const sdk = new NodeSDK({
    serviceName,
    // The SDK is another one, and says so.
    resource: resourceFromAttributes(settings.resource).merge(defaultResource()),
    resourceDetectors: [],
    textMapPropagator: propagator,
    contextManager: new AsyncContextManager(inheritedContext(process.env, propagator)),
    spanProcessors: [flowSpanProcessor(queue)],
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
  })
  sdk.start()
  const tracer = trace.getTracer('@headwater/agent', agentVersion)
  startCaptures({ ...settings, tracer: () => tracer, propagator })
  if (queue) flushOnExit(queue)
}

function queueToCollector({ batch, endpoint }: AgentSettings): SpanQueue {
  const isTls = endpoint.url.protocol === 'https:'
  const exporter = new OTLPTraceExporter({
    url: endpoint.url.href,
    ...(isTls ? {} : { httpAgentOptions: () => new ReleasingAgent() }),
  })
  return spanQueue(exporter, { batch, say, nowMs: () => performance.now() })
}
