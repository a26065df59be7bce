// What spans were sent of, for those who choose by name. Any span counts, not only those that enter a service.
import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'
import type { Window } from './window.ts'

/** Names that are listed at most, in their order. */
export const namesMax = 10_000

/** The `service.name` of all spans of the window, each once. */
export async function readServiceNames(store: Store, { since, until }: Window): Promise<string[]> {
  const rows = await askClickHouse<{ name: string }>(store, {
    deed: 'list the names of services',
    query: `
      SELECT ServiceName AS name
      FROM otel_traces
      WHERE Timestamp >= {since:DateTime64(9)} AND Timestamp < {until:DateTime64(9)} AND ServiceName != ''
      GROUP BY name ORDER BY name LIMIT {namesMax:UInt32}`,
    params: { since, until, namesMax },
  })
  return rows.map(({ name }) => name)
}

export interface OperationName {
  name: string
  /** As the column has it: `Server`, `Client`, … */
  kind: string
}

/** Names and kinds of the spans that a service (a `service.name`) sent in the window. */
export async function readOperationNames(
  store: Store,
  { since, until, service, kind }: Window & { service: string; kind?: string | undefined },
): Promise<OperationName[]> {
  return await askClickHouse<OperationName>(store, {
    deed: 'list the names of operations',
    query: `
      SELECT SpanName AS name, SpanKind AS kind
      FROM otel_traces
      WHERE ServiceName = {service:String} AND Timestamp >= {since:DateTime64(9)} AND Timestamp < {until:DateTime64(9)}
        ${kind === undefined ? '' : 'AND SpanKind = {kind:String}'}
      GROUP BY name, kind ORDER BY name, kind LIMIT {namesMax:UInt32}`,
    params: { since, until, service, namesMax, ...(kind !== undefined && { kind }) },
  })
}
