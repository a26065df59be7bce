/** What the agent refused, lost or sent since it started. */
export interface AgentCounters {
  /** Sampled spans that ended. */
  spansEnded: number
  /** Spans that the collector took. */
  spansExported: number
  /** Spans dropped because the queue was full (OTEL_BSP_MAX_QUEUE_SIZE). */
  spansDropped: number
  /** Spans that the collector did not take, however often they were offered. */
  spansLost: number
  /** Requests whose flow or trace was not continued because the peer, or a proxy before it, is not trusted. */
  flowsUntrusted: number
  /** Flow members without a valid signature, while HEADWATER_SHARED_KEY is set. */
  flowsUnproven: number
  /** Flow members or x-flow-id that could not be read, or baggage over its bounds. */
  flowsMalformed: number
  /** Outgoing requests whose baggage had no room for the flow's members. */
  baggageFull: number
  /** Calls of `user` or `flow`, as given to the middleware, that threw; OTEL_LOG_LEVEL=error shows what. */
  hooksFailed: number
}

export const counters: AgentCounters = {
  spansEnded: 0,
  spansExported: 0,
  spansDropped: 0,
  spansLost: 0,
  flowsUntrusted: 0,
  flowsUnproven: 0,
  flowsMalformed: 0,
  baggageFull: 0,
  hooksFailed: 0,
}

/** A copy of the agent's counters, for the service's own metrics or health page. */
export function agentCounters(): AgentCounters {
  return { ...counters }
}
