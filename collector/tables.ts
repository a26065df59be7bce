import { LogBlock, SpanBlock } from '@headwater/store'

/** Where the records of each signal go, and the columns of their blocks. */
export const tables = {
  traces: { table: 'otel_traces', columns: new SpanBlock().block.columns.map(({ name }) => name) },
  logs: { table: 'otel_logs', columns: new LogBlock().block.columns.map(({ name }) => name) },
} as const
