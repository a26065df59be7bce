// Reads what became of one traffic from every table and query that counts.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '@headwater/store'
import { z } from 'zod'
import { apart } from './test-traffic.ts'
import type { Facts } from './test-verdict.ts'

const settlesWithinMs = 90_000
/** Traces that the API is asked for: those with rows more than once first. */
const tracesShown = 20

async function ask<Row>(
  store: Store,
  row: z.ZodType<Row>,
  query: string,
  params: Record<string, unknown>,
): Promise<Row[]> {
  const answer = await store.clickhouse.query({ query, query_params: params, format: 'JSONCompactEachRow' })
  return z.array(row).parse(await answer.json())
}

const count = z.coerce.number()

/** Rows of otel_traces by span. */
export async function readCopies(store: Store, traffic: string): Promise<Map<string, number>> {
  const query =
    'SELECT SpanId, count() FROM otel_traces WHERE startsWith(TraceId, {traffic:String}) GROUP BY TraceId, SpanId'
  return new Map(await ask(store, z.tuple([z.string(), count]), query, { traffic }))
}

/** Rows of otel_traces, whoever sent them. */
export async function countRows(store: Store): Promise<number> {
  const [row] = await ask(store, z.tuple([count]), 'SELECT count() FROM otel_traces', {})
  return row?.[0] ?? 0
}

/** Waits until all that is stored has settled, as far as that happens. */
async function settled(store: Store, traffic: string): Promise<void> {
  const spans = (await readCopies(store, traffic)).size
  const endsAtMs = performance.now() + settlesWithinMs
  const query = 'SELECT sum(Spans) FROM chain_execution_traces FINAL WHERE startsWith(TraceId, {traffic:String})'
  for (;;) {
    const [row] = await ask(store, z.tuple([count]), query, { traffic })
    if ((row?.[0] ?? 0) >= spans || performance.now() > endsAtMs) return
    await sleep(500)
  }
}

/** Everything about one traffic, once it has settled. */
export async function readFacts(
  { store, apiUrl }: { store: Store; apiUrl: string },
  traffic: string,
  sinceMs: number,
): Promise<Facts> {
  await settled(store, traffic)
  return {
    ...(await readTables(store, traffic)),
    services: await readServices(apiUrl, traffic, sinceMs),
    shown: await readShown({ store, apiUrl }, traffic),
  }
}

/** What the tables say of one traffic. */
export async function readTables(store: Store, traffic: string): Promise<Omit<Facts, 'services' | 'shown'>> {
  const calls = await ask(
    store,
    z.tuple([z.string(), count, count, count]),
    `SELECT TraceId, count(), uniqExact(SpanId), countIf(Counted) FROM chain_dependency_events FINAL
     WHERE startsWith(TraceId, {traffic:String}) GROUP BY TraceId`,
    { traffic },
  )
  const runs = await ask(
    store,
    z.tuple([z.string(), count, count]),
    `SELECT TraceId, count(), max(Spans) FROM chain_execution_traces FINAL
     WHERE startsWith(TraceId, {traffic:String}) GROUP BY TraceId`,
    { traffic },
  )
  return {
    copies: await readCopies(store, traffic),
    calls: new Map(calls.map(([traceId, rows, spans, counted]) => [traceId, { rows, spans, counted }])),
    runs: new Map(runs.map(([traceId, rows, spans]) => [traceId, { rows, spans }])),
    minutes: await readRollup(store, 'chain_health_metrics', traffic),
    tenSeconds: await readRollup(store, 'chain_health_metrics_10s', traffic),
  }
}

async function readRollup(store: Store, table: string, traffic: string): Promise<{ whole: number; apart: number }> {
  const query = `SELECT sumIf(Calls, NOT isApart), sumIf(Calls, isApart) FROM
    (SELECT Calls, position(Service, {apart:String}) > 0 AS isApart FROM ${table} WHERE position(Service, {traffic:String}) > 0)`
  const [row] = await ask(store, z.tuple([count, count]), query, { traffic, apart })
  return { whole: row?.[0] ?? 0, apart: row?.[1] ?? 0 }
}

const servicesAnswer = z.object({
  items: z.array(z.object({ service: z.string(), calls: z.number() })),
  nextCursor: z.string().nullable(),
})

async function readServices(apiUrl: string, traffic: string, sinceMs: number): Promise<Map<string, number>> {
  const services = new Map<string, number>()
  let cursor: string | null = null
  do {
    const url = new URL('/api/v1/services', apiUrl)
    url.searchParams.set('since', new Date(sinceMs).toISOString())
    url.searchParams.set('until', new Date(Date.now() + 60_000).toISOString())
    if (cursor !== null) url.searchParams.set('cursor', cursor)
    const page = servicesAnswer.parse(await (await fetch(url)).json())
    for (const { service, calls } of page.items) if (service.includes(traffic)) services.set(service, calls)
    cursor = page.nextCursor
  } while (cursor !== null)
  return services
}

const traceAnswer = z.object({ spans: z.array(z.object({ spanId: z.string() })) })

async function readShown(
  { store, apiUrl }: { store: Store; apiUrl: string },
  traffic: string,
): Promise<Map<string, string[]>> {
  const traces = await ask(
    store,
    z.tuple([z.string()]),
    `SELECT TraceId FROM otel_traces WHERE startsWith(TraceId, {traffic:String}) GROUP BY TraceId
     ORDER BY count() - uniqExact(SpanId) DESC, cityHash64(TraceId) LIMIT {tracesShown:UInt32}`,
    { traffic, tracesShown },
  )
  const shown = new Map<string, string[]>()
  for (const [traceId] of traces) {
    const { spans } = traceAnswer.parse(await (await fetch(new URL(`/api/v1/traces/${traceId}`, apiUrl))).json())
    shown.set(
      traceId,
      spans.map(({ spanId }) => spanId),
    )
  }
  return shown
}
