import type { CallState, Store } from '@headwater/store'

/** Writes states into ten seconds and into its minute, as settling does; of what is older than an hour only minutes are kept. */
export async function writeStates(
  store: Store,
  states: { state: CallState; windowMs: number }[],
  tables: ('chain_health_metrics_10s' | 'chain_health_metrics')[] = [
    'chain_health_metrics_10s',
    'chain_health_metrics',
  ],
): Promise<void> {
  for (const table of tables) {
    const windowS = table === 'chain_health_metrics' ? 60 : 10
    await store.clickhouse.insert({
      table,
      format: 'JSONEachRow',
      values: states.map(({ state, windowMs }) => ({
        Window: Math.floor(windowMs / 1_000 / windowS) * windowS,
        Service: state.service,
        Operation: state.operation,
        Kind: state.kind,
        Caller: state.caller,
        CallerOperation: state.callerOperation,
        FlowName: state.flowName,
        Version: state.version,
        Calls: state.calls,
        Errors: state.errors,
        OriginErrors: state.originErrors,
        ClientErrors: state.clientErrors,
        DurationNs: Math.round(state.durationNs),
        SelfNs: Math.round(state.selfNs),
        WireNs: Math.round(state.wireNs),
        Duration: state.duration,
        Self: state.self,
        Wire: state.wire ?? {},
      })),
    })
  }
}
