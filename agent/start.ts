import { writeSync } from 'node:fs'
import { format } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { context, diag, propagation, trace } from '@opentelemetry/api'
import { doctorVariable } from '@headwater/vocabulary'
import { inheritedContext } from './capture/inherited-context.ts'
import { claimPatch } from './capture/on-load.ts'
import { startCaptures } from './capture/start.ts'
import type { Doctor } from './doctor.ts'
import { flushOnExit } from './export/exit.ts'
import { requestBodies } from './export/request-body.ts'
import { senderFor } from './export/sender-for.ts'
import { SpanRing } from './export/span-ring.ts'
import type { SpanSender } from './export/span-sender.ts'
import { leaveLastWords } from './export/last-words.ts'
import { type Spool, spoolFor } from './export/spool.ts'
import { handleUserIds } from './flow/user.ts'
import { flowPropagator } from './propagation/flow-propagator.ts'
import { type AgentSettings, readSettings } from './settings/settings.ts'
import { AsyncContextManager } from './trace/context-manager.ts'
import { makeSampler } from './trace/sampler.ts'
import { FlowTracerProvider } from './trace/tracer.ts'
import { agentVersion } from './version.ts'

/** Ended spans never take more memory than this, what is on its way to the collector not counted. */
const waitingBytesMax = 2_097_152
const waitingBytesMaxOfThread = 524_288

const packagesOfSdk = [
  '@opentelemetry/sdk-node',
  '@opentelemetry/exporter-trace-otlp-http',
  '@opentelemetry/resources',
  '@opentelemetry/core',
]

let isStarted = false
let doctor: Doctor | undefined

/** Whoever starts tracing is the only one to do so. */
export function claimStart(): boolean {
  const isFirst = !isStarted
  isStarted = true
  return isFirst
}

/**
 * Starts tracing in this process, once: at once, or with OpenTelemetry's SDK as soon as that is loaded. What goes wrong is said
 * in one line; the service runs on without traces.
 */
export async function startAgent(
  env: NodeJS.ProcessEnv,
  options: { serviceName?: string | undefined } = {},
): Promise<void> {
  if (!claimStart()) return
  try {
    const notes = isMainThread ? env[doctorVariable] : undefined
    if (notes) doctor = (await import('./doctor.ts')).callDoctor(notes)
    if (doctor?.isInRunner === true) return
    const settings = readSettings(env)
    for (const warning of settings.warnings) say(warning)
    showDiagnostics(settings)
    if (!settings.enabled) {
      doctor?.switchedOff()
      return
    }
    handleUserIds(settings)
    if (settings.tracing === 'lean') startLean(settings, options)
    else (await import('./sdk/start.ts')).startSdk(settings, options)
    doctor?.started(settings, env)
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    const reason = isMissing
      ? `HEADWATER_TRACING=sdk needs more packages: npm i ${packagesOfSdk.join(' ')}`
      : String(error instanceof Error ? error.message : error)
    say(`cannot start tracing: ${reason}; the service runs untraced`)
    doctor?.failed(reason)
  }
}

/** An SDK is to be traced in a process that is traced already. */
export function refuseSecondStart(): void {
  const reason = 'the agent traces this process already (register), so that withHeadwater adds nothing to its SDK'
  say(`${reason}; use one of them`)
  doctor?.failed(reason)
}

/** A NodeSDK that starts after us gets no spans, and nothing but a debug line of OpenTelemetry's own says so. */
function tellOfOtherSdk(exports: unknown): void {
  const { NodeSDK } = exports as { NodeSDK?: { prototype: { start: () => unknown } } }
  if (NodeSDK === undefined || !claimPatch(NodeSDK)) return
  const { start } = NodeSDK.prototype
  NodeSDK.prototype.start = function headwaterStart() {
    const reason = 'a NodeSDK starts in this process, which the agent traces already (register): the SDK gets no spans'
    say(
      `${reason}; start it with withHeadwater of @headwater/agent/sdk and without register, or leave one of them away`,
    )
    doctor?.failed(reason)
    return start.call(this)
  }
}

/** OTEL_LOG_LEVEL shows what goes wrong inside. */
export function showDiagnostics({ logLevel }: AgentSettings): void {
  if (logLevel === undefined) return
  const show = (...parts: unknown[]) => say(format(...parts))
  diag.setLogger({ error: show, warn: show, info: show, debug: show, verbose: show }, logLevel)
}

/** Writes a line for the operator. One that cannot be written is nobody's trouble; as a stream, stderr would make it the service's. */
export function say(line: string): void {
  try {
    writeSync(process.stderr.fd, `headwater: ${line}\n`)
  } catch {
    // Whoever read it is gone, or does not keep up.
  }
}

function startLean(settings: AgentSettings, options: { serviceName?: string | undefined }): void {
  const resource = {
    ...settings.resource,
    ...(options.serviceName === undefined ? {} : { 'service.name': options.serviceName }),
  }
  const sender = settings.exports ? startSending(settings, resource) : undefined
  const provider = new FlowTracerProvider({
    sampler: makeSampler(settings.sampler.name, settings.sampler.ratio),
    limits: settings.limits,
    ended: (span) => sender?.add(span),
  })
  if (!trace.setGlobalTracerProvider(provider)) {
    throw new Error('another OpenTelemetry SDK runs in this process; add to it what @headwater/agent/sdk exports')
  }
  const propagator = flowPropagator({ ...settings, serviceName: String(resource['service.name']) })
  propagation.setGlobalPropagator(propagator)
  context.setGlobalContextManager(new AsyncContextManager(inheritedContext(process.env, propagator)))
  const tracer = provider.getTracer('@headwater/agent', agentVersion)
  startCaptures({ ...settings, tracer: () => tracer, propagator }, { '@opentelemetry/sdk-node': tellOfOtherSdk })
}

function startSending(settings: AgentSettings, resource: Record<string, string | number>): SpanSender {
  const ring = new SpanRing({
    bytesMax: isMainThread ? waitingBytesMax : waitingBytesMaxOfThread,
    spansMax: settings.batch.queueSpansMax ?? Number.POSITIVE_INFINITY,
  })
  const toBody = requestBodies(resource)
  const sender = senderFor(settings, { ring, toBody, say })
  const spool = openSpool(settings, String(resource['service.name']))
  if (spool === undefined) {
    flushOnExit(sender)
    return sender
  }
  flushOnExit(sender, leaveLastWords({ ...sender, take: (bounds) => ring.take(bounds), toBody, spool, say }))
  sender.sendLeftovers(spool.claim())
  return sender
}

/** Where what `service` cannot send waits for its next start, if anywhere; one that is of no use is told. */
export function openSpool(settings: AgentSettings, service: string): Spool | undefined {
  if (settings.spool === undefined || !isMainThread) return undefined
  const { directory } = settings.spool
  const spool = spoolFor({ service, endpoint: settings.endpoint.url.href, directory })
  const refusal = spool.refusal()
  if (refusal !== undefined) {
    settings.warnings.push(refusal)
    say(refusal)
  }
  return spool
}
