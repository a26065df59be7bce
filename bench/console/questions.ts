// What the console asks most, of a day of spans: each question with the values that it is asked with, so that no two are alike.

import type { Engine } from '../ingest/engine.ts'

export interface Question {
  id: string
  /** What is asked, in words. */
  words: string
  /** Processor time of engine and API that 95 of 100 stay below. */
  msMax: number
  paths: string[]
}

const dayMs = 86_400_000
/** Times that a question is asked. */
const timesMost = 60

/** Questions about what is stored, up to `untilMs`. */
export async function questionsAbout({ store }: Engine, untilMs: number): Promise<Question[]> {
  const ask = async <Row>(query: string): Promise<Row[]> => {
    const answer = await store.clickhouse.query({ query, format: 'JSONEachRow' })
    return await answer.json<Row>()
  }
  const runs = await ask<{ flowId: string; traceId: string; flow: string; user: string }>(`
    SELECT FlowId AS flowId, TraceId AS traceId, FlowName AS flow, UserId AS user
    FROM chain_execution_traces WHERE cityHash64(TraceId) % 1009 = 7 ORDER BY cityHash64(TraceId) LIMIT ${timesMost}`)
  const orders = await ask<{ order: string }>(`
    SELECT SpanAttributes['order.id'] AS order FROM otel_traces
    WHERE ParentSpanId = '' AND cityHash64(TraceId) % 1009 = 7 ORDER BY cityHash64(TraceId) LIMIT ${timesMost}`)
  const spans = await ask<{ traceId: string; spanId: string }>(`
    SELECT TraceId AS traceId, SpanId AS spanId FROM otel_traces
    WHERE cityHash64(TraceId) % 1009 = 7 ORDER BY cityHash64(SpanId) LIMIT ${timesMost}`)
  const operations = await ask<{ service: string; operation: string }>(`
    SELECT Service AS service, Operation AS operation FROM chain_health_metrics
    WHERE Kind = 'sync' GROUP BY service, operation ORDER BY cityHash64(service, operation) LIMIT ${timesMost}`)
  const window = { since: new Date(untilMs - dayMs).toISOString(), until: new Date(untilMs).toISOString() }
  const search = (kind: 'spans' | 'executions', filter: Record<string, string>): string =>
    `/api/v1/${kind}?${new URLSearchParams({ ...filter, ...window }).toString()}`
  const ofDay = (i: number): string => {
    const { service = '', operation = '' } = operations[i % operations.length] ?? {}
    const { flow = '', user = '' } = runs[i % runs.length] ?? {}
    const filters = [
      search('spans', { service, status: 'error' }),
      search('spans', { service, operation, minMs: '300' }),
      search('spans', { user }),
      search('spans', { flow, status: 'error' }),
      search('spans', { text: 'answered with 500', service }),
      search('executions', { flow, status: 'error' }),
      search('executions', { user }),
      search('executions', { service }),
    ]
    return filters[i % filters.length] ?? ''
  }
  const byAttribute = (i: number): string => {
    const { order = '' } = orders[i % orders.length] ?? {}
    const attributes = [`order.id=${order}`, `tenant.id=tenant-${i}`, `order.id=nothing-${i}`, `order.id=${order}`]
    return search('spans', { attribute: attributes[i % attributes.length] ?? '' })
  }
  const times = Array.from({ length: timesMost }, (_, i) => i)
  return [
    {
      id: 'api_run',
      words: 'a flow run by its ID, as the console asks for it',
      msMax: 50,
      paths: runs.map(({ flowId }) => `/api/v1/executions/${flowId}/outline`),
    },
    {
      id: 'api_trace',
      words: 'a trace by its ID, as the console asks for it: the run of which it is',
      msMax: 50,
      paths: runs.map(({ traceId }) => `/api/v1/executions/${traceId}/outline`),
    },
    {
      id: 'api_span',
      words: 'a span with all that was sent with it',
      msMax: 50,
      paths: spans.map(({ traceId, spanId }) => `/api/v1/traces/${traceId}/spans/${spanId}`),
    },
    {
      id: 'api_run_whole',
      words: 'a flow run by its ID, with all that was sent with its spans',
      msMax: 50,
      paths: runs.map(({ flowId }) => `/api/v1/executions/${flowId}`),
    },
    {
      id: 'api_trace_whole',
      words: 'a trace by its ID, with all that was sent with its spans',
      msMax: 50,
      paths: runs.map(({ traceId }) => `/api/v1/traces/${traceId}`),
    },
    {
      id: 'api_map',
      words: 'the map of the last hour',
      msMax: 100,
      paths: times.map((i) => `/api/v1/graph?until=${new Date(untilMs - i * 1_000).toISOString()}`),
    },
    { id: 'api_search', words: 'a filtered search over 24 h', msMax: 500, paths: times.map(ofDay) },
    { id: 'api_attribute', words: 'a search by attribute over 24 h', msMax: 500, paths: times.map(byAttribute) },
  ]
}
