import { isMainThread } from 'node:worker_threads'
import type { Context } from '@opentelemetry/api'
import type { FlowPropagator } from '../propagation/flow-propagator.ts'
import { emptyContext } from '../trace/linked-context.ts'
import { carrierOfProcess } from './child-process.ts'

/**
 * The context of what a process does on its own account: that of who has started it, or none. A thread has none: most are kept
 * for the work of many.
 */
export function inheritedContext(env: NodeJS.ProcessEnv, propagator: FlowPropagator): Context {
  const { traceparent, tracestate, baggage } = isMainThread ? carrierOfProcess(env) : {}
  if (traceparent === undefined && baggage === undefined) return emptyContext
  return propagator.receive({ traceparent, tracestate, baggage, flowId: undefined }, 'trusted')
}
