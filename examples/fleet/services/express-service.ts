import express, { type ErrorRequestHandler, type Express } from 'express'
import { answerTo } from './problems.ts'
import { serve } from './serve.ts'

/** Serves the routes that `route` adds to an Express app; the agent needs no middleware there. */
export async function serveExpress(route: (app: Express) => void): Promise<void> {
  const app = express()
  app.disable('x-powered-by')
  app.use(express.json({ limit: '256kb' }))
  route(app)
  app.use(tellCaller)
  await serve(app)
}

// Express knows an error handler by its four parameters.
const tellCaller: ErrorRequestHandler = (error, _request, response, _next) => {
  const { status, body } = answerTo(error)
  response.status(status).json(body)
}
