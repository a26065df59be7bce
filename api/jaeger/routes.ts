// Jaeger's query API, so that Grafana's Jaeger data source and Jaeger's own UI work with nothing else. They ask at `/api`,
// beside our `/api/v1`. Services have their plain names here, as in Jaeger; which environment is a tag of the process.
import { createRoute, z } from '@hono/zod-openapi'
import { findTraces, readCallCounts, readOperationNames, readServiceNames, spansMax } from '@headwater/store'
import { type MetricSet, parseService } from '@headwater/vocabulary'
import type { Context } from 'hono'
import { Refusal, type RequestVariables } from '../errors.ts'
import type { metrics } from '../metrics.ts'
import { invalid, textParameter } from '../parameters.ts'
import type { Api, Parts } from '../routes/parts.ts'
import { inEnvelope, jaegerAnswer, type JaegerError, jaegerRefusals, jaegerUnknown } from './answers.ts'
import {
  dependencyParameters,
  dependencyWindow,
  filterOf,
  searchParameters,
  spanKindParameter,
  traceIdParameter,
} from './parameters.ts'
import { lately, readTraces } from './read-traces.ts'
import { jaegerTrace } from './trace.ts'

const tagShape = z.object({
  key: z.string(),
  type: z.enum(['string', 'bool', 'int64', 'float64']),
  value: z.union([z.string(), z.boolean(), z.number()]),
})

const traceShape = z
  .object({
    traceID: z.string(),
    spans: z.array(
      z.object({
        traceID: z.string(),
        spanID: z.string(),
        operationName: z.string(),
        references: z.array(
          z.object({
            refType: z.enum(['CHILD_OF', 'FOLLOWS_FROM']).openapi({ description: 'Parent, or link' }),
            traceID: z.string(),
            spanID: z.string(),
          }),
        ),
        startTime: z.int().openapi({ description: 'Microseconds since 1970' }),
        duration: z.int().openapi({ description: 'Microseconds' }),
        tags: z.array(tagShape),
        logs: z.array(z.object({ timestamp: z.int(), fields: z.array(tagShape) })),
        processID: z.string(),
        warnings: z.array(z.string()).nullable(),
      }),
    ),
    processes: z.record(z.string(), z.object({ serviceName: z.string(), tags: z.array(tagShape) })),
    warnings: z.array(z.string()).nullable(),
  })
  .openapi('JaegerTrace')

const tags = ['Jaeger']

const services = createRoute({
  method: 'get',
  path: '/api/services',
  tags,
  summary: 'Jaeger: names of services that sent spans in the last week',
  responses: { 200: jaegerAnswer('In their order', z.array(z.string())), ...jaegerRefusals },
})

const operationsOf = createRoute({
  method: 'get',
  path: '/api/services/{service}/operations',
  tags,
  summary: "Jaeger: names of a service's spans of the last week",
  request: { params: z.object({ service: textParameter }) },
  responses: { 200: jaegerAnswer('In their order', z.array(z.string())), ...jaegerRefusals },
})

const operations = createRoute({
  method: 'get',
  path: '/api/operations',
  tags,
  summary: "Jaeger: names and kinds of a service's spans of the last week",
  request: { query: z.object({ service: textParameter, spanKind: spanKindParameter }) },
  responses: {
    200: jaegerAnswer('In their order', z.array(z.object({ name: z.string(), spanKind: z.string() }))),
    ...jaegerRefusals,
  },
})

const search = createRoute({
  method: 'get',
  path: '/api/traces',
  tags,
  summary: 'Jaeger: traces with a span that is meant, the newest first; or traces by their IDs',
  request: { query: searchParameters },
  responses: {
    200: jaegerAnswer(`Whole traces, ${spansMax} spans at most; total tells how many were found`, z.array(traceShape)),
    ...jaegerRefusals,
  },
})

const one = createRoute({
  method: 'get',
  path: '/api/traces/{traceID}',
  tags,
  summary: 'Jaeger: a trace',
  request: { params: z.object({ traceID: traceIdParameter }) },
  responses: {
    200: jaegerAnswer(`The trace, with ${spansMax} spans at most`, z.array(traceShape)),
    ...jaegerRefusals,
    ...jaegerUnknown,
  },
})

const dependencies = createRoute({
  method: 'get',
  path: '/api/dependencies',
  tags,
  summary: 'Jaeger: who called whom, and how often',
  request: { query: dependencyParameters },
  responses: {
    200: jaegerAnswer(
      'The most frequent first',
      z.array(z.object({ parent: z.string(), child: z.string(), callCount: z.int() })),
    ),
    ...jaegerRefusals,
  },
})

/** Serves Jaeger's query API under `/api`. */
export function serveJaeger(
  api: Api,
  { store, now, counts }: Parts & { counts: MetricSet<keyof typeof metrics> },
): void {
  api.openapi(services, async (c) => {
    const names = await readServiceNames(store, lately(now()))
    return c.json(inEnvelope(names, { total: names.length }), 200)
  })

  const namesOf = async (service: string) => {
    const found = await readOperationNames(store, { ...lately(now()), service })
    const names = [...new Set(found.map(({ name }) => name))]
    return inEnvelope(names, { total: names.length })
  }
  api.openapi(operationsOf, async (c) => c.json(await namesOf(c.req.valid('param').service), 200))
  // Grafana does not encode slashes of a name.
  api.get('/api/services/:service{.+/.+}/operations', async (c: Context<RequestVariables>) => {
    const service = textParameter.safeParse(c.req.param('service'))
    if (!service.success) throw invalid([{ field: 'service', message: 'use a name of 1 to 500 characters' }])
    return c.json(await namesOf(service.data), 200)
  })

  api.openapi(operations, async (c) => {
    const { service, spanKind } = c.req.valid('query')
    const found = await readOperationNames(store, { ...lately(now()), service, kind: spanKind })
    const named = found.map(({ name, kind }) => ({ name, spanKind: kind.toLowerCase() }))
    return c.json(inEnvelope(named, { total: named.length }), 200)
  })

  api.openapi(search, async (c) => {
    const asked = c.req.valid('query')
    if (asked.traceID.length > 0) {
      const ids = [...new Set(asked.traceID)]
      const { traces: found, leftOut, warnings } = await readTraces(store, ids)
      const traces = found.map(({ traceId, spans }) => jaegerTrace(traceId, spans, warnings))
      counts.add('headwater_jaeger_traces_left_out_total', leftOut.size)
      const known = new Set(traces.map(({ traceID }) => traceID))
      const errors = ids.flatMap((traceID): JaegerError[] => {
        if (leftOut.has(traceID)) return [{ msg: `left out of ${spansMax} spans: ask for it alone`, traceID }]
        return known.has(traceID) ? [] : [{ msg: 'trace not found', traceID }]
      })
      return c.json(inEnvelope(traces, { total: traces.length, errors }), 200)
    }
    const found = await findTraces(store, { filter: filterOf(asked, now()), limit: asked.limit })
    const { traces: read, leftOut, warnings } = await readTraces(store, found)
    const traces = read.map(({ traceId, spans }) => jaegerTrace(traceId, spans, warnings))
    counts.add('headwater_jaeger_traces_left_out_total', leftOut.size)
    // No `errors`: Jaeger's UI would show them in place of what was found.
    return c.json(inEnvelope(traces, { total: found.length, limit: asked.limit }), 200)
  })

  api.openapi(one, async (c) => {
    const { traceID } = c.req.valid('param')
    const { traces, warnings } = await readTraces(store, [traceID])
    if (traces.length === 0) throw new Refusal(404, 'not_found', 'trace not found')
    const shown = traces.map(({ traceId, spans }) => jaegerTrace(traceId, spans, warnings))
    return c.json(inEnvelope(shown, { total: 1 }), 200)
  })

  api.openapi(dependencies, async (c) => {
    const asked = c.req.valid('query')
    const calls = await readCallCounts(store, dependencyWindow(asked, now()))
    const links = new Map<string, { parent: string; child: string; callCount: number }>()
    for (const { caller, service, calls: callCount } of calls) {
      const [parent, child] = [parseService(caller).name, parseService(service).name]
      if (asked.service !== undefined && asked.service !== parent && asked.service !== child) continue
      const key = JSON.stringify([parent, child])
      links.set(key, { parent, child, callCount: callCount + (links.get(key)?.callCount ?? 0) })
    }
    return c.json(inEnvelope([...links.values()], { total: links.size }), 200)
  })
}
