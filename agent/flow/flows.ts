import { type Context, type Span, SpanKind, context, trace } from '@opentelemetry/api'
import { type FlowId, parseFlowName } from '@headwater/vocabulary'
import { counters } from '../counters.ts'
import { setFailure } from './exception.ts'
import { userIdToSend } from './user.ts'
import { flowIdOf, flowNameOf, hopOf, newHop, withHop } from './hop.ts'

/** The flow run to which the work at hand belongs; its name is unknown until the request is routed. */
export function currentFlow(): { id: FlowId; name: string | undefined } | undefined {
  const id = flowIdOf(context.active())
  const hop = hopOf(context.active())
  return id === undefined ? undefined : { id, name: hop && flowNameOf(hop) }
}

/**
 * Says on whose behalf the run works. `user.id`, a hash of it unless HEADWATER_USER_IDS=plain, is set on this service's entry
 * span and on the spans that it starts from now on; it is not sent to other services.
 */
export function setUser(id: string | number | bigint): void {
  const hop = hopOf(context.active())
  // Callers without types hand over whatever their session holds.
  const isId = typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint'
  if (!hop || !isId || id === '') return
  hop.user = userIdToSend(String(id))
  hop.entry?.setAttribute('user.id', hop.user)
}

/**
 * Names the current run; outside of any, starts a run of that name and ends it when `work` does. An impossible name
 * (empty, longer than 200 characters, with control characters) names nothing and is counted as malformed.
 */
export function withFlow<T>(name: string, work: () => T): T {
  const flowName = parseFlowName(name)
  if (flowName === undefined) {
    counters.flowsMalformed += 1
    return work()
  }
  const hop = hopOf(context.active())
  if (hop) {
    hop.name = flowName
    hop.entry?.setAttribute('flow.name', flowName)
    return work()
  }
  const parent = withHop(context.active(), newHop({ name: flowName }))
  return inSpan(flowName, { kind: SpanKind.INTERNAL, parent: trace.deleteSpan(parent) }, work)
}

/** Runs `work` in a span, which ends with it, be it now or when its promise settles, and bears the error that it throws. */
export function inSpan<T>(
  name: string,
  options: { kind: SpanKind; parent: Context; attributes?: Record<string, string | number> },
  work: (span: Span) => T,
): T {
  const { kind, parent, attributes = {} } = options
  const span = trace.getTracer('@headwater/agent').startSpan(name, { kind, attributes }, parent)
  const fail = (error: unknown) => {
    setFailure(span, error)
    span.end()
  }
  /**
   * The promise that is handed out is the one that is watched: a second look at the service's own would hide a rejection that nobody
   * handles, and run a query twice that runs when it is looked at.
   */
  const watched = <P extends PromiseLike<unknown>>(result: P): P => {
    const settled = result.then(
      (value) => {
        span.end()
        return value
      },
      (error: unknown) => {
        fail(error)
        throw error
      },
    )
    return settled as P
  }
  return context.with(trace.setSpan(parent, span), () => {
    try {
      const result = work(span)
      if (isThenable(result)) return watched(result)
      span.end()
      return result
    } catch (error) {
      fail(error)
      throw error
    }
  })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
