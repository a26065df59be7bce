import { createRoute, z } from '@hono/zod-openapi'
import { checkHealth, type EngineHealth, type Store } from '@headwater/store'
import type { Api } from './parts.ts'

/** Whether a part of the process is ready, beside the engines; asked at each `/readyz`. */
export type Readiness = () => Readonly<Record<string, EngineHealth>> | Promise<Readonly<Record<string, EngineHealth>>>

const healthShape = z.union([z.object({ ok: z.literal(true) }), z.object({ ok: z.literal(false), reason: z.string() })])
const readyShape = z
  .object({ ready: z.boolean(), parts: z.record(z.string(), healthShape) })
  .openapi('Readiness', { description: 'What is ready, and why not' })

const live = createRoute({
  method: 'get',
  path: '/livez',
  summary: 'Whether the process answers',
  security: [],
  responses: { 200: { description: 'It does', content: { 'text/plain': { schema: z.string() } } } },
})

const ready = createRoute({
  method: 'get',
  path: '/readyz',
  summary: 'Whether both engines answer',
  security: [],
  responses: {
    200: { description: 'All parts are ready', content: { 'application/json': { schema: readyShape } } },
    503: { description: 'Some are not', content: { 'application/json': { schema: readyShape } } },
  },
})

/** An engine that takes longer than this to say `SELECT 1` is not ready. */
const answerWithinMs = 4_000

export function serveHealth(api: Api, { store, readiness }: { store: Store; readiness?: Readiness | undefined }): void {
  api.openapi(live, (c) => c.text('ok', 200))

  api.openapi(ready, async (c) => {
    const parts = { ...(await within(checkHealth(store))), ...(await readiness?.()) }
    const isReady = Object.values(parts).every(({ ok }) => ok)
    return c.json({ ready: isReady, parts }, isReady ? 200 : 503, isReady ? {} : { 'retry-after': '5' })
  })
}

async function within(health: ReturnType<typeof checkHealth>): ReturnType<typeof checkHealth> {
  const late: EngineHealth = { ok: false, reason: `no answer within ${answerWithinMs} ms` }
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<Awaited<typeof health>>((resolve) => {
    timer = setTimeout(() => resolve({ clickhouse: late, postgres: late }), answerWithinMs)
  })
  try {
    return await Promise.race([health, deadline])
  } finally {
    clearTimeout(timer)
  }
}
