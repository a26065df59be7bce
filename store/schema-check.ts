import type { Columns } from './columns.ts'
import type { Store } from './connect.ts'
import {
  chainAnomalies,
  chainDependencyEvents,
  chainExecutionTraces,
  chainHealthMetrics,
  collectorHeartbeats,
  collectorLedger,
  collectorSpanCounts,
  incidentEvents,
} from './tables/facts.ts'
import { otelLogs } from './tables/otel-logs.ts'
import { otelTraces, otelTracesTraceIdTs } from './tables/otel-traces.ts'
import { settledFlows, settledSpans, settledTree } from './tables/settled-spans.ts'

/** Every table as the code reads and writes it. */
const tables: Readonly<Record<string, Columns>> = {
  otel_traces: otelTraces,
  otel_traces_trace_id_ts: otelTracesTraceIdTs,
  otel_logs: otelLogs,
  settled_spans: settledSpans,
  settled_flows: settledFlows,
  settled_tree: settledTree,
  chain_dependency_events: chainDependencyEvents,
  chain_health_metrics: chainHealthMetrics,
  chain_health_metrics_10s: chainHealthMetrics,
  chain_execution_traces: chainExecutionTraces,
  chain_anomalies: chainAnomalies,
  incident_events: incidentEvents,
  collector_heartbeats: collectorHeartbeats,
  collector_ledger: collectorLedger,
  collector_span_counts: collectorSpanCounts,
}

/**
 * Where ClickHouse's tables differ from what the code expects, one line a difference; empty when all is right. A table that
 * another program made before us, such as the OpenTelemetry Collector its own `otel_traces`, shows here.
 */
export async function schemaDifferences(store: Store): Promise<string[]> {
  const answer = await store.clickhouse.query({
    query: `SELECT table, name, type, default_kind AS kind FROM system.columns
            WHERE database = currentDatabase() AND table IN {tables:Array(String)} ORDER BY table, position`,
    query_params: { tables: Object.keys(tables) },
    format: 'JSONEachRow',
  })
  const columns = await answer.json<{ table: string; name: string; type: string; kind: string }>()
  return Object.entries(tables).flatMap(([table, expected]) => {
    const found = columns
      .filter((column) => column.table === table)
      .map(({ name, type, kind }) => `${name} ${type} ${kind}`.trim())
    const wanted = [
      ...linesOf(expected.stored, ''),
      ...linesOf(expected.defaulted ?? {}, 'DEFAULT'),
      ...linesOf(expected.aliased ?? {}, 'ALIAS'),
    ]
    return [
      ...wanted.filter((line) => !found.includes(line)).map((line) => `${table} lacks ${line}`),
      ...found
        .filter((line) => !wanted.includes(line))
        .map((line) => `${table} has ${line}, which this version does not know`),
    ]
  })
}

/** Throws where the tables are not what this version writes. */
export async function requireSchema(store: Store): Promise<void> {
  const differences = (await schemaDifferences(store)).filter((line) => line.includes(' lacks '))
  if (differences.length > 0) {
    throw new Error(
      `Cannot use database "${store.database}": ${differences.slice(0, 3).join('; ')}` +
        `${differences.length > 3 ? ` and ${differences.length - 3} more` : ''}. ` +
        'Another program made these tables: name an empty database in CLICKHOUSE_URL',
    )
  }
}

function linesOf(columns: Readonly<Record<string, string>>, kind: string): string[] {
  return Object.entries(columns).map(([name, type]) => `${name} ${type} ${kind}`.trim())
}
