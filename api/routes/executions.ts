import { createRoute, z } from '@hono/zod-openapi'
import {
  exceptionsMax,
  type FlowRun,
  type RunFilter,
  readRun,
  readRunningRuns,
  readRuns,
  readSpanOutlines,
  readSpans,
  spansMax,
} from '@headwater/store'
import { parseService } from '@headwater/vocabulary'
import { notFound } from '../errors.ts'
import {
  answer,
  cursorParameter,
  flowIdParameter,
  limitParameter,
  listOf,
  refusals,
  textParameter,
  timeParameter,
  unknownRefusal,
  windowOf,
  writeCursor,
} from '../parameters.ts'
import { type Api, hourMs, type Parts } from './parts.ts'
import { spanShape } from './traces.ts'

const executionShape = z
  .object({
    flowId: z.string(),
    flowName: z.string(),
    status: z.enum(['ok', 'error', 'running']),
    startedAt: z.string().openapi({ description: 'RFC 3339 with nanoseconds' }),
    durationMs: z.number().openapi({ description: 'From the entry to the last effect' }),
    services: z.array(z.string()),
    userId: z.string().nullable(),
    traceIds: z.array(z.string()),
  })
  .openapi('Execution')

function executionOf({ flowId, flowName, status, startedAt, durationNs, services, userId, traceIds }: FlowRun) {
  const names = [...new Set(services.map((key) => parseService(key).name))].toSorted()
  return { flowId, flowName, status, startedAt, durationMs: durationNs / 1e6, services: names, userId, traceIds }
}

const list = createRoute({
  method: 'get',
  path: '/api/v1/executions',
  summary: 'Observed flow runs, newest first',
  request: {
    query: z.strictObject({
      flow: textParameter.optional().openapi({ example: 'POST /checkout' }),
      service: textParameter
        .optional()
        .openapi({ description: 'Plain name of a service that took part, or its full key' }),
      user: textParameter.optional(),
      status: z.enum(['ok', 'error', 'running'], { error: 'use ok, error or running' }).optional().openapi({
        description: 'running: nothing of the run is settled yet; such runs are listed only when asked for',
      }),
      since: timeParameter.optional().openapi({ description: 'Default: a day before until' }),
      until: timeParameter.optional().openapi({ description: 'Default: now' }),
      limit: limitParameter({ most: 200, usual: 50 }),
      cursor: cursorParameter.optional(),
    }),
  },
  responses: {
    200: answer('Flow runs that began in the window. A page may be shorter than its limit', listOf(executionShape)),
    ...refusals,
  },
})

const one = createRoute({
  method: 'get',
  path: '/api/v1/executions/{flowId}',
  summary: 'A flow run with the spans of all its traces, by its flow ID or by the ID of any trace of it',
  request: { params: z.object({ flowId: flowIdParameter }) },
  responses: {
    200: answer(
      'The run',
      executionShape.extend({
        traces: z.array(z.object({ traceId: z.string(), spans: z.array(spanShape) })),
        truncated: z.boolean().openapi({
          description: `It has more than ${spansMax} spans, or ${exceptionsMax} exceptions logged with them: the first are here`,
        }),
      }),
    ),
    ...refusals,
    ...unknownRefusal,
  },
})

const outline = createRoute({
  method: 'get',
  path: '/api/v1/executions/{flowId}/outline',
  summary: 'A flow run as a waterfall shows it: quicker to read than the run with all that its spans bear',
  request: { params: z.object({ flowId: flowIdParameter }) },
  responses: {
    200: answer(
      'The run. Its spans are without attributes, events and the like, which each span has by itself',
      executionShape.extend({
        traces: z.array(
          z.object({
            traceId: z.string(),
            spans: z.array(
              spanShape
                .pick({
                  traceId: true,
                  spanId: true,
                  parentSpanId: true,
                  name: true,
                  kind: true,
                  serviceName: true,
                  startTime: true,
                  durationNs: true,
                  statusCode: true,
                })
                .extend({
                  links: z
                    .array(z.object({ traceId: z.string(), spanId: z.string() }))
                    .openapi({ description: 'To spans of other traces of the run' }),
                })
                .openapi('SpanOutline'),
            ),
          }),
        ),
        truncated: z.boolean().openapi({ description: `It has more than ${spansMax} spans: the first are here` }),
      }),
    ),
    ...refusals,
    ...unknownRefusal,
  },
})

export function serveExecutions(api: Api, { store, now }: Parts): void {
  api.openapi(list, async (c) => {
    const { since, until, limit, cursor, status, flow, service, user } = c.req.valid('query')
    const window = windowOf({ since, until }, { nowMs: now(), usualMs: 24 * hourMs })
    if (status === 'running') {
      const running = (await readRunningRuns(store, { limit })).filter(matcherOf({ flow, service, user }))
      return c.json({ items: running.map(executionOf), nextCursor: null }, 200)
    }
    const filter: RunFilter = {
      ...window,
      ...(flow !== undefined && { flow }),
      ...(service !== undefined && { service: { service } }),
      ...(user !== undefined && { user }),
      ...(status !== undefined && { status }),
    }
    const page = await readRuns(store, { filter, limit, ...(cursor && { cursor }) })
    return c.json({ items: page.items.map(executionOf), nextCursor: writeCursor(page.next) }, 200)
  })

  api.openapi(one, async (c) => {
    const { flowId } = c.req.valid('param')
    const run = await readRun(store, flowId)
    if (run === undefined) throw unknownExecution(flowId)
    const { spans, truncated } = await readSpans(store, run.traceIds)
    return c.json({ ...executionOf(run), traces: tracesOf(run, spans), truncated }, 200)
  })

  api.openapi(outline, async (c) => {
    const { flowId } = c.req.valid('param')
    const run = await readRun(store, flowId)
    if (run === undefined) throw unknownExecution(flowId)
    const { spans, truncated } = await readSpanOutlines(store, run.traceIds)
    return c.json({ ...executionOf(run), traces: tracesOf(run, spans), truncated }, 200)
  })
}

function tracesOf<Span extends { traceId: string }>({ traceIds }: FlowRun, spans: readonly Span[]) {
  const byTrace = Map.groupBy(spans, ({ traceId }) => traceId)
  return traceIds.map((traceId) => ({ traceId, spans: byTrace.get(traceId) ?? [] }))
}

export function unknownExecution(id: string) {
  return notFound('flow run or trace', id, 'it never came, its retention is over, or its spans are still on their way')
}

interface Wanted {
  flow?: string | undefined
  service?: string | undefined
  user?: string | undefined
}

function matcherOf({ flow, service, user }: Wanted): (run: FlowRun) => boolean {
  return (run) =>
    (flow === undefined || run.flowName === flow) &&
    (user === undefined || run.userId === user) &&
    (service === undefined || run.services.some((key) => key === service || parseService(key).name === service))
}
