import { createRoute, z } from '@hono/zod-openapi'
import { refusals } from '../parameters.ts'
import type { Api } from './parts.ts'

const show = createRoute({
  method: 'get',
  path: '/metrics',
  summary: "This process's metrics and the service graph, in Prometheus' text format",
  responses: {
    200: { description: 'Metrics', content: { 'text/plain': { schema: z.string() } } },
    401: refusals[401],
  },
})

export function serveMetrics(
  api: Api,
  { graphText, texts }: { graphText: () => Promise<string>; texts: (() => string)[] },
): void {
  api.openapi(show, async (c) => {
    const graph = await graphText()
    const body = texts.map((text) => text()).join('') + graph
    return c.text(body, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  })
}
