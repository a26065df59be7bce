// What is asked of Jaeger's third version: Jaeger's UI searches with it since 2026, and opens traces; Grafana's data source
// does where its toggle `jaegerEnableGrpcEndpoint` is on. Traces are OTLP's JSON here.
import { createRoute, z } from '@hono/zod-openapi'
import { findTraces, readOperationNames, readServiceNames, spansMax } from '@headwater/store'
import type { MetricSet } from '@headwater/vocabulary'
import { Refusal } from '../errors.ts'
import type { metrics } from '../metrics.ts'
import { answer, textParameter } from '../parameters.ts'
import type { Api, Parts } from '../routes/parts.ts'
import { jaegerRefusals3, jaegerUnknown3 } from './answers.ts'
import { resourceSpansOf } from './otlp.ts'
import { searchOf, spanKindParameter, summaryParameters, traceIdParameter } from './parameters.ts'
import { lately, readTraces } from './read-traces.ts'
import { summaryOf } from './summary.ts'

const tags = ['Jaeger']

const services = createRoute({
  method: 'get',
  path: '/api/v3/services',
  tags,
  summary: 'Jaeger 3: names of services that sent spans in the last week',
  responses: { 200: answer('In their order', z.object({ services: z.array(z.string()) })), ...jaegerRefusals3 },
})

const operations = createRoute({
  method: 'get',
  path: '/api/v3/operations',
  tags,
  summary: "Jaeger 3: names and kinds of a service's spans of the last week",
  request: {
    query: z.object({ service: textParameter, spanKind: spanKindParameter, span_kind: spanKindParameter }),
  },
  responses: {
    200: answer(
      'In their order',
      z.object({ operations: z.array(z.object({ name: z.string(), spanKind: z.string() })) }),
    ),
    ...jaegerRefusals3,
  },
})

const summaries = createRoute({
  method: 'get',
  path: '/api/v3/trace-summaries',
  tags,
  summary: 'Jaeger 3: traces with a span that is meant, the newest first, summed up',
  request: { query: summaryParameters },
  responses: {
    200: answer(
      `Of ${spansMax} spans at most`,
      z.object({
        summaries: z.array(
          z.object({
            traceId: z.string(),
            rootServiceName: z.string(),
            rootOperationName: z.string(),
            minStartTimeUnixNano: z.string(),
            maxEndTimeUnixNano: z.string(),
            spanCount: z.int(),
            errorSpanCount: z.int(),
            orphanSpanCount: z.int().openapi({ description: 'Whose parents are not there' }),
            services: z.array(z.object({ name: z.string(), spanCount: z.int(), errorSpanCount: z.int() })),
          }),
        ),
      }),
    ),
    ...jaegerRefusals3,
  },
})

const one = createRoute({
  method: 'get',
  path: '/api/v3/traces/{traceId}',
  tags,
  summary: "Jaeger 3: a trace as OTLP's JSON",
  request: { params: z.object({ traceId: traceIdParameter }) },
  responses: {
    200: answer(
      `The trace, with ${spansMax} spans at most`,
      z.object({
        result: z.object({
          resourceSpans: z.array(z.looseObject({})).openapi({ description: 'As of opentelemetry.proto.trace.v1' }),
        }),
      }),
    ),
    ...jaegerRefusals3,
    ...jaegerUnknown3,
  },
})

/** Serves what is asked of Jaeger's third version. */
export function serveJaeger3(
  api: Api,
  { store, now, counts }: Parts & { counts: MetricSet<keyof typeof metrics> },
): void {
  api.openapi(services, async (c) => c.json({ services: await readServiceNames(store, lately(now())) }, 200))

  api.openapi(operations, async (c) => {
    const { service, spanKind, span_kind: older } = c.req.valid('query')
    const found = await readOperationNames(store, { ...lately(now()), service, kind: spanKind ?? older })
    return c.json({ operations: found.map(({ name, kind }) => ({ name, spanKind: kind.toLowerCase() })) }, 200)
  })

  api.openapi(summaries, async (c) => {
    const { traces, leftOut } = await readTraces(store, await findTraces(store, searchOf(c.req.valid('query'), now())))
    counts.add('headwater_jaeger_traces_left_out_total', leftOut.size)
    return c.json({ summaries: traces.map(({ traceId, spans }) => summaryOf(traceId, spans)) }, 200)
  })

  api.openapi(one, async (c) => {
    const { traces } = await readTraces(store, [c.req.valid('param').traceId])
    const [trace] = traces
    if (trace === undefined) throw new Refusal(404, 'not_found', 'trace not found')
    return c.json({ result: { resourceSpans: resourceSpansOf(trace.spans).map((each) => ({ ...each })) } }, 200)
  })
}
