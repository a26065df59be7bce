// Services that are alike but for how they are traced, and those around them.

import { join } from 'node:path'
import { type Child, startChild } from '../child.ts'
import type { AgentPlan } from './agent-plan.ts'
import type { ArrivedSpan, CollectorProgram, Health } from './collector-program.ts'
import { stockFile } from './installation.ts'
import type { LoadProgram } from './load-program.ts'
import type { PeerProgram } from './peer-program.ts'
import type { ServiceProgram } from './service-program.ts'

/**
 * Not traced; by our agent as it comes, with all that can be switched on, and on OpenTelemetry's SDK; by OpenTelemetry as it
 * comes.
 */
export type Kind = 'bare' | 'lean' | 'full' | 'sdk' | 'stock'

/** What the command line says to be traced like that. */
export const flagsOf: Readonly<Record<Kind, readonly string[]>> = {
  bare: [],
  lean: ['--import', '@headwater/agent/register'],
  full: ['--import', '@headwater/agent/register'],
  sdk: ['--import', '@headwater/agent/register'],
  stock: ['--import', `./${stockFile}`],
}

/** What the environment says. */
export const environmentOf: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  bare: {},
  lean: {},
  full: { HEADWATER_SHARED_KEY: 'f'.repeat(32), HEADWATER_LOG_IDS: 'true' },
  sdk: { HEADWATER_TRACING: 'sdk' },
  stock: {},
}

/** Those with whom a service has to do. */
export interface World {
  peerUrl: string
  collector: Child<CollectorProgram>
  load: Child<LoadProgram>
}

export interface Service {
  kind: Kind
  health: Health
  child: Child<ServiceProgram>
  url: string
  /** A collector for this service alone. */
  collectorUrl: string
}

export interface ServiceOptions {
  kind: Kind
  health?: Health
  flags?: readonly string[]
  env?: Readonly<Record<string, string>>
}

/** Starts peer, collector and users, each in a process of its own, until `cleanup`. */
export async function startWorld(cleanup: AsyncDisposableStack): Promise<World> {
  const peer = await startChild<PeerProgram>('agent/peer-program.ts')
  cleanup.defer(() => peer.end())
  const collector = await startChild<CollectorProgram>('agent/collector-program.ts')
  cleanup.defer(() => collector.end())
  const load = await startChild<LoadProgram>('agent/load-program.ts')
  cleanup.defer(() => load.end())
  return { peerUrl: await peer.ask('start', undefined), collector, load }
}

/** Starts a service in such a world. */
export async function startService(
  { installation, profile }: AgentPlan,
  { collector, peerUrl }: World,
  { kind, health = 'healthy', flags = [], env = {} }: ServiceOptions,
): Promise<Service> {
  const collectorUrl = await collector.ask('open', health)
  const profiling =
    profile === undefined
      ? []
      : ['--cpu-prof', '--cpu-prof-interval', '100', '--cpu-prof-dir', join(profile, `${kind}-${health}`)]
  const child = await startChild<ServiceProgram>(
    'agent/service-program.ts',
    [...flags, ...profiling, ...flagsOf[kind]],
    {
      cwd: installation.directory,
      env: {
        PATH: process.env['PATH'],
        OTEL_SERVICE_NAME: 'shop',
        OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl,
        ...environmentOf[kind],
        ...env,
      },
    },
  )
  return { kind, health, child, url: await child.ask('start', { peerUrl }), collectorUrl }
}

/** Sends requests, at best until V8 has compiled what is hot for the last time, and looks at their spans. */
export async function warmUp(
  { load, collector }: World,
  { kind, health, url, collectorUrl }: Service,
  { requests, lanes }: { requests: number; lanes: number },
): Promise<void> {
  for (let sent = 0; sent < requests; sent += warmUpStep) {
    await load.ask('send', { urls: [url], requests: warmUpStep, lanes })
    const spans = await collector.ask('arrived', collectorUrl)
    if (health === 'healthy') checkSpans(kind, spans)
  }
}

/** So that the collector does not have to keep them all. */
const warmUpStep = 5_000

const [server, client] = [2, 3]
const route = '/orders/:id'
/** Scopes in which stock OpenTelemetry tells of Express. */
const expressScope = '@opentelemetry/instrumentation-express'

/** Throws unless the spans of requests are those that `kind` should make: a contestant that does less would win. */
export function checkSpans(kind: Kind, spans: readonly ArrivedSpan[]): void {
  const isThere = {
    server: spans.some((span) => span.kind === server && span.route === route),
    client: spans.some((span) => span.kind === client),
    express: spans.some((span) => span.scope === expressScope && span.route === route),
  }
  const isRight =
    kind === 'bare' ? spans.length === 0 : isThere.server && isThere.client && (kind !== 'stock' || isThere.express)
  if (!isRight) throw new Error(`Cannot measure ${kind}: its spans are ${JSON.stringify(spans.slice(0, 5))}`)
}
