// Instrumentations of databases write what they please into their spans. Between them and our tracing stands this, which lets no
// values through that come from statements or from what the server says about them, whatever the version of the package.

import {
  type Attributes,
  type AttributeValue,
  type Context,
  type Exception,
  INVALID_SPAN_CONTEXT,
  type Span,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  context,
  isSpanContextValid,
  trace,
} from '@opentelemetry/api'

/** How a database's spans are told. */
export interface Discretion {
  /** A statement as it may be told. */
  statement: (text: string) => string
  /** The code of an error that only its message bears. */
  codeOf?: (message: string) => string | undefined
}

/** Tracers whose spans tell what was done, not with what. What nobody's run does gets no span: it would be a run of its own. */
export function discreetTracing(provider: TracerProvider, discretion: Discretion): TracerProvider {
  return { getTracer: (...scope) => discreetTracer(provider.getTracer(...scope), discretion) }
}

type Work = (span: Span) => unknown

function discreetTracer(tracer: Tracer, discretion: Discretion): Tracer {
  function startSpan(name: string, options: SpanOptions = {}, parent: Context = context.active()): Span {
    const around = trace.getSpanContext(parent)
    if (around === undefined || !isSpanContextValid(around)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
    const { attributes = {} } = options
    const told = { ...options, attributes: discreetAttributes(attributes, discretion) }
    return discreetSpan(tracer.startSpan(discreetName(name, discretion), told, parent), discretion)
  }

  function startActiveSpan(name: string, ...rest: [...unknown[], Work]): unknown {
    const work = rest.at(-1) as Work
    const options = rest.length > 1 ? (rest[0] as SpanOptions) : {}
    const parent = rest.length > 2 ? (rest[1] as Context) : context.active()
    const span = startSpan(name, options, parent)
    return context.with(trace.setSpan(parent, span), () => work(span))
  }

  return { startSpan, startActiveSpan }
}

const statements = new Set(['db.query.text', 'db.statement'])

function discreetValue(key: string, value: AttributeValue, { statement }: Discretion) {
  return statements.has(key) && typeof value === 'string' ? statement(value) : value
}

function discreetAttributes(attributes: Attributes, discretion: Discretion): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [key, discreetValue(key, value, discretion)]),
  )
}

/** Names are made of a statement's first word, which is more than a word where no space follows it. */
function discreetName(name: string, { statement }: Discretion): string {
  return /^[\w .:/@-]*$/.test(name) ? name : statement(name)
}

/** The same span, so that whoever gets it from the context finds our own. */
function discreetSpan(span: Span, discretion: Discretion): Span {
  if (!span.isRecording()) return span
  const setAttribute = span.setAttribute.bind(span)
  const setAttributes = span.setAttributes.bind(span)
  const setStatus = span.setStatus.bind(span)
  const updateName = span.updateName.bind(span)
  let errorType: string | undefined

  function noteError(type: string | undefined): void {
    if (errorType !== undefined && type === undefined) return
    errorType = type ?? '_OTHER'
    setAttribute('error.type', errorType)
  }

  return Object.assign(span, {
    setAttribute: (key: string, value: AttributeValue) => setAttribute(key, discreetValue(key, value, discretion)),
    setAttributes: (attributes: Attributes) => setAttributes(discreetAttributes(attributes, discretion)),
    updateName: (name: string) => updateName(discreetName(name, discretion)),
    // Its message and the first lines of its stack say what the server says.
    recordException: (exception: Exception) => noteError(typeOf(exception, discretion)),
    setStatus({ code, message }: Parameters<Span['setStatus']>[0]): Span {
      if (code !== SpanStatusCode.ERROR) return setStatus({ code })
      noteError(discretion.codeOf?.(message ?? ''))
      return setStatus({ code, ...(message !== undefined && isOfConnection(message) ? { message } : {}) })
    },
  })
}

/** What Node says of a connection, which is nobody's data: `connect ECONNREFUSED 10.0.0.7:5432`. */
function isOfConnection(message: string): boolean {
  return /^[a-z]+ E[A-Z0-9_]{2,30}( [\w.:/[\]-]{1,255})?$/.test(message)
}

function typeOf(exception: Exception, { codeOf }: Discretion): string | undefined {
  // pg's instrumentation hands over a sentence that ends with the code.
  if (typeof exception === 'string') return /\(code: (\w{1,32})\)$/.exec(exception)?.[1] ?? codeOf?.(exception)
  const { code, name, message } = exception
  return code === undefined ? (codeOf?.(message ?? '') ?? name) : String(code)
}
