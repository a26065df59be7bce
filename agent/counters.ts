/** What the agent refused, lost or sent since it started. */
export interface AgentCounters {
  /** Sampled spans that ended. */
  spansEnded: number
  /** Spans that the collector took. */
  spansExported: number
  /** Spans dropped because too many waited (2 MiB, or OTEL_BSP_MAX_QUEUE_SIZE), the oldest first, or too large to be sent. */
  spansDropped: number
  /** Spans that the collector refused, or had not taken when the process ended. */
  spansLost: number
  /** Spans that wait for the next start of the service, as this process ends (HEADWATER_SPOOL). */
  spansLeft: number
  /** Spans that earlier processes had left, and that the collector took; these are not among those that ended. */
  spansRecovered: number
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
  /** What the agent could not do in the middle of the service's work, because of an error of its own; shown likewise. */
  capturesFailed: number
}

export const counters: AgentCounters = {
  spansEnded: 0,
  spansExported: 0,
  spansDropped: 0,
  spansLost: 0,
  spansLeft: 0,
  spansRecovered: 0,
  flowsUntrusted: 0,
  flowsUnproven: 0,
  flowsMalformed: 0,
  baggageFull: 0,
  hooksFailed: 0,
  capturesFailed: 0,
}

/** A copy of the agent's counters, for the service's own metrics or health page. */
export function agentCounters(): AgentCounters {
  return { ...counters }
}
