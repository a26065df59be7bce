import { type Trust, parseTrust } from '@headwater/vocabulary'

/** What the environment says, read once when the agent starts. OTEL_* variables that are not here are read by the SDK. */
export interface AgentSettings {
  enabled: boolean
  trust: Trust
  /** Proves flow members between services that share it. */
  sharedKey: string | undefined
  /** Where spans go if the environment names no usable endpoint; otherwise the exporter reads the variables itself. */
  fallbackTracesUrl: string | undefined
  /** The endpoint speaks TLS, for which the exporter reads certificates from the environment. */
  isTls: boolean
  exports: boolean
  carriesTraceContext: boolean
  carriesBaggage: boolean
  batch: BatchSettings
  /** Lines for the operator: values that could not be used, and how to mend them. */
  warnings: string[]
}

/** The OTEL_BSP_* variables. */
export interface BatchSettings {
  queueSpansMax: number
  batchSpansMax: number
  flushAfterMs: number
  exportTimeoutMs: number
}

const sharedKeyCharsMin = 16
const defaultTracesUrl = 'http://127.0.0.1:4318/v1/traces'

/** Reads OTEL_* and HEADWATER_* variables; an empty one counts as unset. Never throws: a telemetry typo stops no service. */
export function readSettings(env: NodeJS.ProcessEnv): AgentSettings {
  const warnings: string[] = []
  const text = (name: string) => env[name]?.trim() || undefined

  const { trust, malformed } = parseTrust(text('HEADWATER_TRUST'))
  for (const entry of malformed) {
    warnings.push(
      `HEADWATER_TRUST: "${entry}" is no host name, suffix (.example.com), address or range (10.1.0.0/16); ` +
        'until it is mended only the ranges that can be read are believed',
    )
  }
  const sharedKey = text('HEADWATER_SHARED_KEY')
  if (sharedKey !== undefined && sharedKey.length < sharedKeyCharsMin) {
    warnings.push(`HEADWATER_SHARED_KEY has ${sharedKey.length} characters, which can be guessed; use 32 random ones`)
  }
  const exporter = text('OTEL_TRACES_EXPORTER') ?? 'otlp'
  if (exporter !== 'otlp' && exporter !== 'none') {
    warnings.push(`OTEL_TRACES_EXPORTER: "${exporter}" is not supported, "otlp" is used; use otlp or none`)
  }
  const protocol = text('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? text('OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/json'
  if (!protocol.startsWith('http/')) {
    warnings.push(
      `OTEL_EXPORTER_OTLP_PROTOCOL: "${protocol}" is not supported, http/json is used; point it at port 4318`,
    )
  }
  const propagators = (text('OTEL_PROPAGATORS') ?? 'tracecontext,baggage')
    .split(',')
    .flatMap((name) => name.trim() || [])
  for (const name of propagators) {
    if (!['tracecontext', 'baggage', 'none'].includes(name)) {
      warnings.push(`OTEL_PROPAGATORS: "${name}" is not supported; use tracecontext, baggage or none`)
    }
  }
  const carries = (name: string) => propagators.includes(name) && !propagators.includes('none')
  const count = (name: string, fallback: number, least: number) => {
    const value = text(name)
    if (value === undefined) return fallback
    if (/^\d{1,9}$/.test(value) && Number(value) >= least) return Number(value)
    warnings.push(`${name}: "${value}" is no whole number of at least ${least}; ${fallback} is used`)
    return fallback
  }
  const queueSpansMax = count('OTEL_BSP_MAX_QUEUE_SIZE', 2_048, 1)

  const endpointName = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].find(text)
  const endpoint = endpointName === undefined ? undefined : text(endpointName)
  const isUsable = endpoint !== undefined && /^https?:\/\//i.test(endpoint) && URL.canParse(endpoint)
  if (endpoint !== undefined && !isUsable) {
    warnings.push(
      `${endpointName}: "${endpoint}" is no URL of HTTP, ${defaultTracesUrl} is used; write it like http://host:4318`,
    )
  }
  return {
    enabled: text('OTEL_SDK_DISABLED')?.toLowerCase() !== 'true',
    trust,
    sharedKey,
    fallbackTracesUrl: isUsable ? undefined : defaultTracesUrl,
    isTls: isUsable && endpoint.toLowerCase().startsWith('https:'),
    exports: exporter !== 'none',
    carriesTraceContext: carries('tracecontext'),
    carriesBaggage: carries('baggage'),
    batch: {
      queueSpansMax,
      batchSpansMax: Math.min(count('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, 1), queueSpansMax),
      flushAfterMs: count('OTEL_BSP_SCHEDULE_DELAY', 5_000, 0),
      exportTimeoutMs: count('OTEL_BSP_EXPORT_TIMEOUT', 30_000, 1),
    },
    warnings,
  }
}
