import { headwater } from '@headwater/agent'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { answerTo } from './problems.ts'
import { serve } from './serve.ts'

/** Serves the routes that `route` adds to a Hono app with Headwater's middleware. */
export async function serveHono(route: (app: Hono) => void): Promise<void> {
  const app = new Hono()
  app.use(headwater())
  route(app)
  app.onError((error, c) => {
    const { status, body } = answerTo(error)
    return c.json(body, status)
  })
  const listener = getRequestListener(app.fetch)
  await serve((request, response) => void listener(request, response))
}
