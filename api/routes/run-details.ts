import { createRoute, z } from '@hono/zod-openapi'
import { logsMax, readLogs, readRun, readUsual } from '@headwater/store'
import { parseService } from '@headwater/vocabulary'
import { answer, flowIdParameter, refusals, unknownRefusal } from '../parameters.ts'
import { unknownExecution } from './executions.ts'
import { type Api, hourMs, type Parts } from './parts.ts'

const logs = createRoute({
  method: 'get',
  path: '/api/v1/executions/{flowId}/logs',
  summary: 'Log records that name a trace of a run, by time',
  request: { params: z.object({ flowId: flowIdParameter }) },
  responses: {
    200: answer(
      'The records',
      z.object({
        items: z.array(
          z
            .object({
              traceId: z.string(),
              spanId: z.string(),
              timestamp: z.string(),
              severity: z.string(),
              serviceName: z.string(),
              body: z.string(),
              attributes: z.record(z.string(), z.string()),
            })
            .openapi('LogRecord'),
        ),
        truncated: z.boolean().openapi({ description: `More than ${logsMax} records: the first are here` }),
      }),
    ),
    ...refusals,
    ...unknownRefusal,
  },
})

const usual = createRoute({
  method: 'get',
  path: '/api/v1/executions/{flowId}/usual',
  summary: "How long the operations of a run's services usually take: in the hour before it",
  request: { params: z.object({ flowId: flowIdParameter }) },
  responses: {
    200: answer(
      'Operations with calls in that hour',
      z.object({
        items: z.array(
          z.object({
            service: z.string(),
            operation: z.string(),
            calls: z.int(),
            p50Ms: z.number(),
            p99Ms: z.number(),
          }),
        ),
      }),
    ),
    ...refusals,
    ...unknownRefusal,
  },
})

export function serveRunDetails(api: Api, { store }: Parts): void {
  api.openapi(logs, async (c) => {
    const { flowId } = c.req.valid('param')
    const run = await readRun(store, flowId)
    if (run === undefined) throw unknownExecution(flowId)
    const sinceMs = Date.parse(run.startedAt)
    const records = await readLogs(store, {
      traceIds: run.traceIds,
      sinceMs,
      untilMs: Math.ceil(sinceMs + run.durationNs / 1e6),
    })
    return c.json({ items: records.slice(0, logsMax), truncated: records.length > logsMax }, 200)
  })

  api.openapi(usual, async (c) => {
    const { flowId } = c.req.valid('param')
    const run = await readRun(store, flowId)
    if (run === undefined) throw unknownExecution(flowId)
    const startMs = Date.parse(run.startedAt)
    const { durations } = await readUsual(store, {
      since: new Date(startMs - hourMs),
      until: new Date(startMs),
      services: run.services,
    })
    const items = [...durations].map(([key, { calls, medianNs, q99Ns }]) => {
      const [service = '', operation = ''] = key.split('\u0000')
      return { service: parseService(service).name, operation, calls, p50Ms: toMs(medianNs), p99Ms: toMs(q99Ns) }
    })
    return c.json({ items }, 200)
  })
}

function toMs(ns: number): number {
  return Math.round(ns / 1e3) / 1e3
}
