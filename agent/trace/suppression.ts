import { type Context, createContextKey } from '@opentelemetry/api'

/** OpenTelemetry's own key: its instrumentations and ours have to mean the same. */
const suppressedKey = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/** `context` in which nothing is traced: for the agent's own requests, which would make spans that make requests. */
export function suppressTracing(context: Context): Context {
  return context.setValue(suppressedKey, true)
}

/** Whether nothing is traced in `context`. */
export function isTracingSuppressed(context: Context): boolean {
  return context.getValue(suppressedKey) === true
}
