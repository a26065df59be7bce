import { createRoute, z } from '@hono/zod-openapi'
import { exceptionsMax, readSpan, readSpans, spansMax } from '@headwater/store'
import { notFound } from '../errors.ts'
import { answer, flowIdParameter, refusals, spanIdParameter, unknownRefusal } from '../parameters.ts'
import type { Api, Parts } from './parts.ts'

const attributes = z.record(z.string(), z.string())
const time = z.string().openapi({ example: '2026-01-31T12:00:00.000000001Z' })

export const spanShape = z
  .object({
    traceId: z.string(),
    spanId: z.string(),
    parentSpanId: z.string(),
    traceState: z.string(),
    name: z.string(),
    kind: z.string().openapi({ example: 'Server' }),
    serviceName: z.string(),
    startTime: time,
    durationNs: z.number(),
    statusCode: z.string().openapi({ example: 'Error' }),
    statusMessage: z.string(),
    spanAttributes: attributes,
    resourceAttributes: attributes,
    scopeName: z.string(),
    scopeVersion: z.string(),
    events: z
      .array(z.object({ name: z.string(), timestamp: time, attributes }))
      .openapi({ description: 'What was sent with the span, and exceptions that were logged with it' }),
    links: z.array(z.object({ traceId: z.string(), spanId: z.string(), traceState: z.string(), attributes })),
    flowId: z.string(),
  })
  .openapi('Span')

const one = createRoute({
  method: 'get',
  path: '/api/v1/traces/{traceId}',
  summary: 'All spans of a trace, each once, in the order of their starts',
  request: { params: z.object({ traceId: flowIdParameter }) },
  responses: {
    200: answer(
      'The trace',
      z.object({
        traceId: z.string(),
        spans: z.array(spanShape),
        truncated: z.boolean().openapi({
          description: `More than ${spansMax} spans, or ${exceptionsMax} exceptions logged with them: the first are here`,
        }),
      }),
    ),
    ...refusals,
    ...unknownRefusal,
  },
})

const oneSpan = createRoute({
  method: 'get',
  path: '/api/v1/traces/{traceId}/spans/{spanId}',
  summary: 'A span with all that was sent with it',
  request: { params: z.object({ traceId: flowIdParameter, spanId: spanIdParameter }) },
  responses: {
    200: answer(
      'The span',
      z.object({
        span: spanShape,
        truncated: z.boolean().openapi({
          description: `More than ${exceptionsMax} exceptions were logged with it: the first are here`,
        }),
      }),
    ),
    ...refusals,
    ...unknownRefusal,
  },
})

export function serveTraces(api: Api, { store }: Parts): void {
  api.openapi(one, async (c) => {
    const { traceId } = c.req.valid('param')
    const { spans, truncated } = await readSpans(store, [traceId])
    if (spans.length === 0) throw notFound('trace', traceId, 'it never came, or its retention is over')
    return c.json({ traceId, spans, truncated }, 200)
  })
  api.openapi(oneSpan, async (c) => {
    const { traceId, spanId } = c.req.valid('param')
    const found = await readSpan(store, { traceId, spanId })
    if (found === undefined) throw notFound('span', spanId, 'it never came, or its retention is over')
    return c.json(found, 200)
  })
}
