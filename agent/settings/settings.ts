import { DiagLogLevel } from '@opentelemetry/api'
import { type Trust, parseTrust } from '@headwater/vocabulary'
import type { Endpoint } from '../export/post.ts'
import { readEndpoint } from './endpoint.ts'
import { readResource } from './resource.ts'
import { readLimits, readSampler } from './tracing.ts'
import type { SamplerName } from '../trace/sampler.ts'
import type { SpanLimits } from '../trace/span.ts'

/** What the environment says, read once when the agent starts. */
export interface AgentSettings {
  enabled: boolean
  /** On our own tracing, or on OpenTelemetry's SDK. */
  tracing: 'lean' | 'sdk'
  trust: Trust
  /** Proves flow members between services that share it. */
  sharedKey: string | undefined
  /** Whether `user.id` is sent as it is given. */
  userIds: 'hashed' | 'plain'
  /** Whether OpenTelemetry's instrumentations of databases and gRPC are loaded where the service has them. */
  instrumentations: 'auto' | 'none'
  resource: Readonly<Record<string, string | number>>
  endpoint: Endpoint
  compression: 'none' | 'gzip' | 'zstd' | undefined
  exports: boolean
  carriesTraceContext: boolean
  carriesBaggage: boolean
  sampler: { name: SamplerName; ratio: number }
  limits: SpanLimits
  batch: BatchSettings
  /** Where what could not be sent waits for the next start; without a directory, in that for temporary files. */
  spool: { directory: string | undefined } | undefined
  /** Lines of loggers bear the IDs of trace, span and flow. */
  logIds: boolean
  /** What of the agent's own troubles is shown; nothing, unless it is asked for. */
  logLevel: DiagLogLevel | undefined
  /** Lines for the operator: values that could not be used, and how to mend them. */
  warnings: string[]
}

/** The OTEL_BSP_* variables. */
export interface BatchSettings {
  /** `undefined`: as many as have room. */
  queueSpansMax: number | undefined
  batchSpansMax: number
  flushAfterMs: number
  exportTimeoutMs: number
}

/** How variables are read: an empty one counts as unset, and one that cannot be used is warned of. */
export interface Variables {
  text: (name: string) => string | undefined
  count: (name: string, fallback: number, least?: number) => number
  optionalCount: (name: string, least?: number) => number | undefined
  oneOf: <T extends string>(name: string, choices: readonly T[], fallback: T) => T
  warn: (line: string) => void
}

const sharedKeyCharsMin = 16

/** Reads OTEL_* and HEADWATER_* variables; an empty one counts as unset. Never throws: a telemetry typo stops no service. */
export function readSettings(env: NodeJS.ProcessEnv): AgentSettings {
  const warnings: string[] = []
  const variables = variablesOf(env, warnings)
  const { text, count, oneOf, warn } = variables

  const { trust, malformed } = parseTrust(text('HEADWATER_TRUST'))
  for (const entry of malformed) {
    warn(
      `HEADWATER_TRUST: "${entry}" is no host name, suffix (.example.com), address or range (10.1.0.0/16); ` +
        'until it is mended only the ranges that can be read are believed',
    )
  }
  const sharedKey = text('HEADWATER_SHARED_KEY')
  if (sharedKey !== undefined && sharedKey.length < sharedKeyCharsMin) {
    warn(`HEADWATER_SHARED_KEY has ${sharedKey.length} characters, which can be guessed; use 32 random ones`)
  }
  const exporter = oneOf('OTEL_TRACES_EXPORTER', ['otlp', 'none'], 'otlp')
  const propagators = (text('OTEL_PROPAGATORS') ?? 'tracecontext,baggage')
    .split(',')
    .flatMap((name) => name.trim() || [])
  for (const name of propagators) {
    if (!['tracecontext', 'baggage', 'none'].includes(name)) {
      warn(`OTEL_PROPAGATORS: "${name}" is not supported; use tracecontext, baggage or none`)
    }
  }
  const carries = (name: string) => propagators.includes(name) && !propagators.includes('none')
  const queueSpansMax = variables.optionalCount('OTEL_BSP_MAX_QUEUE_SIZE', 1)
  return {
    enabled: text('OTEL_SDK_DISABLED')?.toLowerCase() !== 'true',
    tracing: oneOf('HEADWATER_TRACING', ['lean', 'sdk'], 'lean'),
    trust,
    sharedKey,
    userIds: oneOf('HEADWATER_USER_IDS', ['hashed', 'plain'], 'hashed'),
    instrumentations: oneOf('HEADWATER_INSTRUMENTATIONS', ['auto', 'none'], 'auto'),
    resource: readResource(variables),
    ...readEndpoint(variables),
    exports: exporter !== 'none',
    carriesTraceContext: carries('tracecontext'),
    carriesBaggage: carries('baggage'),
    sampler: readSampler(variables),
    limits: readLimits(variables),
    batch: {
      queueSpansMax,
      batchSpansMax: Math.min(count('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, 1), queueSpansMax ?? 512),
      flushAfterMs: count('OTEL_BSP_SCHEDULE_DELAY', 5_000),
      exportTimeoutMs: count('OTEL_BSP_EXPORT_TIMEOUT', 30_000, 1),
    },
    spool: text('HEADWATER_SPOOL') === 'none' ? undefined : { directory: text('HEADWATER_SPOOL') },
    logIds: oneOf('HEADWATER_LOG_IDS', ['true', 'false'], 'false') === 'true',
    logLevel: text('OTEL_LOG_LEVEL') === undefined ? undefined : logLevels[oneOf('OTEL_LOG_LEVEL', levelNames, 'info')],
    warnings,
  }
}

const logLevels = {
  none: DiagLogLevel.NONE,
  error: DiagLogLevel.ERROR,
  warn: DiagLogLevel.WARN,
  info: DiagLogLevel.INFO,
  debug: DiagLogLevel.DEBUG,
  verbose: DiagLogLevel.VERBOSE,
  all: DiagLogLevel.ALL,
} as const
const levelNames = Object.keys(logLevels) as (keyof typeof logLevels)[]

function variablesOf(env: NodeJS.ProcessEnv, warnings: string[]): Variables {
  const text = (name: string) => env[name]?.trim() || undefined
  const optionalCount = (name: string, least = 0) => {
    const value = text(name)
    if (value === undefined) return undefined
    if (/^\d{1,9}$/.test(value) && Number(value) >= least) return Number(value)
    warnings.push(`${name}: "${value}" is no whole number of at least ${least}; the default is used`)
    return undefined
  }
  return {
    text,
    optionalCount,
    count: (name, fallback, least) => optionalCount(name, least) ?? fallback,
    oneOf(name, choices, fallback) {
      const value = text(name)
      const chosen = value === undefined ? fallback : choices.find((choice) => choice === value.toLowerCase())
      if (chosen !== undefined) return chosen
      warnings.push(`${name}: "${value}" is not supported, "${fallback}" is used; use ${choices.join(', ')}`)
      return fallback
    },
    warn: (line) => warnings.push(line),
  }
}
