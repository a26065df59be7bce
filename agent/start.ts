import { randomUUID } from 'node:crypto'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { hostname } from 'node:os'
import type { TextMapPropagator } from '@opentelemetry/api'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { flushOnExit } from './exit.ts'
import { ExpressTracing, traceImportedExpress } from './express-tracing.ts'
import { flowPropagator } from './flow-propagator.ts'
import { flowSpanProcessor } from './flow-span-processor.ts'
import { fetchTracing, httpTracing } from './http-tracing.ts'
import { ReleasingAgent } from './releasing-agent.ts'
import { type AgentSettings, readSettings } from './settings.ts'
import { type SpanQueue, spanQueue } from './span-queue.ts'

let isStarted = false

/** Starts tracing in this process, once. What goes wrong is said in one line; the service runs on without traces. */
export function startAgent(env: NodeJS.ProcessEnv, options: { serviceName?: string | undefined } = {}): void {
  if (isStarted) return
  isStarted = true
  try {
    const settings = readSettings(env)
    for (const warning of settings.warnings) say(warning)
    if (settings.enabled) startTracing(settings, options)
  } catch (error) {
    say(`cannot start tracing: ${error instanceof Error ? error.message : String(error)}; the service runs untraced`)
  }
}

/** Writes a line for the operator. */
function say(line: string): void {
  process.stderr.write(`headwater: ${line}\n`)
}

function startTracing(settings: AgentSettings, options: { serviceName?: string | undefined }): void {
  const resource = defaultResource().merge(
    resourceFromAttributes({
      'service.instance.id': randomUUID(),
      'process.pid': process.pid,
      'host.name': hostname(),
      'telemetry.distro.name': 'headwater',
    }),
  )
  const fromEnv = detectResources({ detectors: [envDetector] })
  const serviceName = options.serviceName ?? String(resource.merge(fromEnv).attributes['service.name'])
  const queue = settings.exports ? queueToCollector(settings) : undefined
  const sdk = new NodeSDK({
    serviceName,
    resource,
    resourceDetectors: [envDetector],
    textMapPropagator: flowPropagator({
      inner: w3cPropagator(settings),
      trust: settings.trust,
      sharedKey: settings.sharedKey,
      serviceName,
      carriesBaggage: settings.carriesBaggage,
    }),
    spanProcessors: [flowSpanProcessor(queue)],
    instrumentations: [httpTracing(settings.trust), fetchTracing(), new ExpressTracing()],
    metricReaders: [],
    logRecordProcessors: [],
  })
  sdk.start()
  patchLoadedHttp()
  traceImportedExpress()
  if (queue) flushOnExit(queue)
}

function queueToCollector({ batch, fallbackTracesUrl, isTls }: AgentSettings): SpanQueue {
  const exporter = new OTLPTraceExporter({
    ...(fallbackTracesUrl === undefined ? {} : { url: fallbackTracesUrl }),
    ...(isTls ? {} : { httpAgentOptions: () => new ReleasingAgent() }),
  })
  return spanQueue(exporter, { batch, say, nowMs: () => performance.now() })
}

function w3cPropagator(settings: AgentSettings): TextMapPropagator {
  return new CompositePropagator({
    propagators: [
      ...(settings.carriesTraceContext ? [new W3CTraceContextPropagator()] : []),
      ...(settings.carriesBaggage ? [new W3CBaggagePropagator()] : []),
    ],
  })
}

/**
 * HTTP is loaded long before us. Requiring it again lets the instrumentation patch it, and ES modules that took
 * `request` from it by name get the patched one.
 */
function patchLoadedHttp(): void {
  const require = createRequire(import.meta.url)
  for (const name of ['http', 'https']) require(name)
  syncBuiltinESMExports()
}
