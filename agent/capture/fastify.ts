import { context } from '@opentelemetry/api'
import { noteException } from '../flow/exception.ts'
import { hopOf, isMessageOf } from '../flow/hop.ts'
import { guarded, hear } from './channel.ts'

interface FastifyRequest {
  raw?: unknown
  routeOptions?: { url?: string | undefined }
}
type Done = () => void

/** As far as it is needed here; both hooks go to every plugin of the application. */
interface Fastify {
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: unknown, done: Done) => void): unknown
  addHook(name: 'onError', hook: (request: unknown, reply: unknown, error: unknown, done: Done) => void): unknown
}

/** The route of each request to Fastify, known before any other hook runs, and the error that a request fails with. */
export function captureFastify(): void {
  hear<{ fastify: Fastify }>('fastify.initialization', ({ fastify }) => {
    fastify.addHook('onRequest', (request, _reply, done) => {
      guarded('fastify', () => {
        const routed = hopOf(context.active())?.request
        const route = request.routeOptions?.url
        // A request that the application injects into itself is another one.
        if (!routed || route === undefined || !isMessageOf(routed, request.raw)) return
        routed.route = route
        routed.isRouted = true
      })
      done()
    })
    fastify.addHook('onError', (_request, _reply, error, done) => {
      guarded('fastify', () => noteException(error))
      done()
    })
  })
}
