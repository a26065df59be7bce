import { createRoute, z } from '@hono/zod-openapi'
import { readRun } from '@headwater/store'
import { explainRun } from '../explain.ts'
import { answer, flowIdParameter, refusals, unknownRefusal } from '../parameters.ts'
import { unknownExecution } from './executions.ts'
import { causeKindShape, causeShape } from './incidents.ts'
import type { Api, Parts } from './parts.ts'

const explanationShape = z
  .object({
    flowId: z.string(),
    flowName: z.string(),
    status: z.enum(['ok', 'error', 'slow', 'running']),
    origin: z
      .object({
        traceId: z.string(),
        spanId: z.string(),
        service: z.string(),
        operation: z.string(),
        kind: causeKindShape,
        peer: z.string().optional().openapi({ description: 'Who was called, where the callee sent no span' }),
        message: z.string().optional(),
      })
      .nullable()
      .openapi({ description: 'What failed or slowed first; null when nothing did' }),
    path: z
      .array(z.object({ service: z.string(), operation: z.string(), spanId: z.string() }))
      .openapi({ description: 'One step per service, from the origin to the entry' }),
    reasons: z.array(z.string()),
    causes: z.array(causeShape).openapi({ description: 'Of the incident that the run belongs to' }),
    alsoHit: z.object({
      flows: z.array(z.string()).openapi({ description: 'Other flows that the same cause hits' }),
      users: z.int().openapi({ description: 'Other users that it hits' }),
    }),
    incidentId: z.string().nullable(),
  })
  .openapi('Explanation')

const explain = createRoute({
  method: 'get',
  path: '/api/v1/executions/{flowId}/explain',
  summary: 'What failed or slowed first in a run, the path from there to the entry, and who else is hit',
  request: { params: z.object({ flowId: flowIdParameter }) },
  responses: { 200: answer('The explanation', explanationShape), ...refusals, ...unknownRefusal },
})

export function serveExplain(api: Api, { store }: Parts): void {
  api.openapi(explain, async (c) => {
    const { flowId } = c.req.valid('param')
    const run = await readRun(store, flowId)
    if (run === undefined) throw unknownExecution(flowId)
    return c.json(await explainRun(store, run), 200)
  })
}
