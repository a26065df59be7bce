import { type TextMapPropagator, defaultTextMapGetter, trace } from '@opentelemetry/api'
import { CompositePropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node'
import type { Capturing } from '../capture/capturing.ts'
import { hear } from '../capture/channel.ts'
import { peerTrust } from '../capture/inbound.ts'
import { inheritedContext } from '../capture/inherited-context.ts'
import { startCaptures } from '../capture/start.ts'
import { flushOnExit } from '../export/exit.ts'
import { handleUserIds } from '../flow/user.ts'
import { type FlowPropagator, flowPropagator, notePeer } from '../propagation/flow-propagator.ts'
import { type AgentSettings, readSettings } from '../settings/settings.ts'
import { claimStart, openSpool, refuseSecondStart, say, showDiagnostics } from '../start.ts'
import { emptyContext } from '../trace/linked-context.ts'
import { AsyncContextManager } from '../trace/context-manager.ts'
import { agentVersion } from '../version.ts'
import { flowSampler } from './flow-sampler.ts'
import { flowSpanProcessor } from './flow-span-processor.ts'
import { leaveSpans } from './left-spans.ts'
import { ReleasingAgent } from './releasing-agent.ts'
import { spanQueue } from './span-queue.ts'
import type { SpanExporter, SpanProcessor } from './types.ts'

export interface WithHeadwaterOptions {
  /**
   * Whether Headwater makes the spans of HTTP, `fetch`, frameworks and queues, as it does without an SDK. Then OpenTelemetry's own
   * instrumentations of the same must not; with `false` they do, and the response does not tell its flow ID.
   */
  captures?: boolean
}

/**
 * What `new NodeSDK(…)` takes so that its spans bear their flow and flows are carried on: our propagator and span processor beside
 * those that are there. Without span processors, spans are sent by `traceExporter`, or as OTLP to the endpoint that the
 * environment names.
 */
export function withHeadwater(
  configuration: Partial<NodeSDKConfiguration> = {},
  { captures = true }: WithHeadwaterOptions = {},
): Partial<NodeSDKConfiguration> {
  const settings = readSettings(process.env)
  if (!settings.enabled) return configuration
  if (!claimStart()) {
    refuseSecondStart()
    return configuration
  }
  showDiagnostics(settings)
  for (const warning of settings.warnings) say(warning)
  handleUserIds(settings)
  return addHeadwater(configuration, settings, captures)
}

/** The same, once settings are read. */
export function addHeadwater(
  configuration: Partial<NodeSDKConfiguration>,
  settings: AgentSettings,
  captures: boolean,
): Partial<NodeSDKConfiguration> {
  const serviceName = configuration.serviceName ?? String(settings.resource['service.name'])
  const propagator = flowPropagator({ ...settings, serviceName })
  const theirs = configuration.textMapPropagator
  const tracer = () => trace.getTracer('@headwater/agent', agentVersion)
  if (captures) startCaptures({ ...settings, tracer, propagator, ...(theirs ? beside(theirs, propagator) : {}) })
  else notePeers(settings)
  return {
    contextManager: new AsyncContextManager(inheritedContext(process.env, propagator)),
    ...configuration,
    sampler: configuration.sampler ?? flowSampler(settings),
    textMapPropagator: theirs ? new CompositePropagator({ propagators: [theirs, propagator] }) : propagator,
    spanProcessors: processorsFor(configuration, settings, serviceName),
  }
}

/** Our captures do not ask the global propagator; they carry what the service's own one does as well. */
function beside(theirs: TextMapPropagator, ours: FlowPropagator): Pick<Capturing, 'propagator' | 'extractMore'> {
  const send: FlowPropagator['send'] = (context, target, set) => {
    ours.send(context, target, set)
    theirs.inject(context, undefined, { set: (_carrier, name, value) => set(name, value) })
  }
  return {
    propagator: { ...ours, send },
    extractMore: (headers) => theirs.extract(emptyContext, headers, defaultTextMapGetter),
  }
}

function processorsFor(
  { spanProcessors, traceExporter }: Partial<NodeSDKConfiguration>,
  settings: AgentSettings,
  serviceName: string,
): SpanProcessor[] {
  if (spanProcessors !== undefined) return [flowSpanProcessor(), ...spanProcessors]
  if (!settings.exports) return [flowSpanProcessor()]
  const queue = spanQueue(traceExporter ?? exporterFor(settings), {
    batch: settings.batch,
    say,
    nowMs: () => performance.now(),
  })
  // Where an exporter of the service's own sends spans is its own matter.
  const spool = traceExporter === undefined ? openSpool(settings, serviceName) : undefined
  if (spool === undefined) flushOnExit(queue)
  else leaveSpans(queue, { settings, spool, say })
  return [flowSpanProcessor(queue)]
}

function exporterFor({ endpoint }: AgentSettings): SpanExporter {
  const isTls = endpoint.url.protocol === 'https:'
  return new OTLPTraceExporter({
    url: endpoint.url.href,
    ...(isTls ? {} : { httpAgentOptions: () => new ReleasingAgent() }),
  })
}

/** Other instrumentations hand the propagator headers only; this tells it from whom they came. */
function notePeers({ trust }: AgentSettings): void {
  const trustOf = peerTrust(trust)
  hear<{ request: Parameters<typeof trustOf>[0] }>('http.server.request.start', ({ request }) =>
    notePeer(request.headers, trustOf(request)),
  )
}
