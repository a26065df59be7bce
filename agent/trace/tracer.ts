import {
  type Context,
  INVALID_SPAN_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  type TracerOptions,
  type TracerProvider,
  context,
  isSpanContextValid,
  trace,
} from '@opentelemetry/api'
import { enterFlow, settleFlow } from '../flow/flow-of-span.ts'
import { type Hop, hopOf, newHop } from '../flow/hop.ts'
import { asText } from './as-text.ts'
import { followSystemClock } from './clock.ts'
import { newSpanId, newTraceId } from './random-ids.ts'
import type { Sampler } from './sampler.ts'
import { RecordedSpan, type Scope, type SpanLimits, type SpanSink } from './span.ts'
import { isTracingSuppressed } from './suppression.ts'

export interface TracingOptions {
  sampler: Sampler
  limits: SpanLimits
  /** Gets every sampled span that ends, and must not throw. */
  ended: (span: RecordedSpan) => void
}

/** Longest list of tracers that are kept; one more is made anew each time that it is asked for. */
const tracersMax = 1_024

/** Tracers by name and version, whose spans bear their flow. */
export class FlowTracerProvider implements TracerProvider {
  readonly #options: TracingOptions
  readonly #tracers = new Map<string, Tracer>()

  constructor(options: TracingOptions) {
    this.#options = options
  }

  getTracer(name: string, version?: string, options?: TracerOptions | null): Tracer {
    const scope = { name: asText(name), version: asText(version), schemaUrl: asText(options?.schemaUrl) }
    const key = `${scope.name}\n${scope.version}\n${scope.schemaUrl}`
    const known = this.#tracers.get(key)
    if (known) return known
    const tracer = new FlowTracer(scope, this.#options)
    if (this.#tracers.size < tracersMax) this.#tracers.set(key, tracer)
    return tracer
  }
}

class FlowTracer implements Tracer {
  readonly #scope: Scope
  readonly #sampler: Sampler
  readonly #limits: SpanLimits
  readonly #sink: SpanSink

  constructor(scope: Scope, { sampler, limits, ended }: TracingOptions) {
    this.#scope = scope
    this.#sampler = sampler
    this.#limits = limits
    this.#sink = { ending: settleFlow, ended }
  }

  startSpan(name: string, given?: SpanOptions, parentContext: Context = context.active()): Span {
    if (isTracingSuppressed(parentContext)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
    const options = given ?? noOptions
    const parent = options.root === true ? undefined : parentIn(parentContext)
    if (parent === undefined || parent.isRemote === true) followSystemClock()

    const hop = hopOf(parentContext) ?? newHop()
    const traceId = parent?.traceId ?? newTraceId()
    hop.id ??= traceId
    const { isSampled, traceState } = this.#sampler(parent, { traceId, flowId: hop.id })
    const spanId = newSpanId()
    // A trace's ID is random if whoever began it says so, and ours are.
    const isRandom = (parent?.traceFlags ?? randomFlag) & randomFlag
    const traceFlags = (isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE) | isRandom
    const spanContext =
      traceState === undefined ? { traceId, spanId, traceFlags } : { traceId, spanId, traceFlags, traceState }
    const kind = kindOf(options)
    if (!isSampled) return enter(trace.wrapSpanContext(spanContext), { name: asText(name), kind }, hop)

    const { startTime } = options
    const start = { name: asText(name), kind, spanContext, parent, startTime, scope: this.#scope }
    const span = new RecordedSpan(start, this.#limits, this.#sink)
    span.attributeList.setAll(options.attributes, this.#limits.span)
    if (options.links) span.addLinks(options.links)
    return enter(span, span, hop)
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, ...rest: ActiveArguments<F>): ReturnType<F> {
    const work = rest.at(-1) as F
    const options = rest.length > 1 ? (rest[0] as SpanOptions) : undefined
    const parentContext = (rest.length > 2 ? (rest[1] as Context | undefined) : undefined) ?? context.active()
    const span = this.startSpan(name, options, parentContext)
    return context.with(trace.setSpan(parentContext, span), () => work(span)) as ReturnType<F>
  }
}

const noOptions: SpanOptions = {}
/** The last 56 bits of the trace's ID are random (W3C Trace Context, level 2). */
const randomFlag = 2

/** The span that is the parent of what begins in `context`. Other propagators may state IDs in capitals. */
function parentIn(parentContext: Context): SpanContext | undefined {
  const span = trace.getSpan(parentContext)
  if (span instanceof RecordedSpan) return span.spanContext()
  const stated = span?.spanContext()
  if (stated === undefined || !isSpanContextValid(stated)) return undefined
  const [traceId, spanId] = [stated.traceId.toLowerCase(), stated.spanId.toLowerCase()]
  return traceId === stated.traceId && spanId === stated.spanId ? stated : { ...stated, traceId, spanId }
}

function kindOf({ kind }: SpanOptions): SpanKind {
  return typeof kind === 'number' && SpanKind[kind] !== undefined ? kind : SpanKind.INTERNAL
}

type ActiveArguments<F> = [work: F] | [options: SpanOptions, work: F] | [options: SpanOptions, parent: Context, work: F]

function enter(span: Span, { name, kind }: { name: string; kind: SpanKind }, hop: Hop): Span {
  enterFlow(span, { name, kind }, hop)
  return span
}
