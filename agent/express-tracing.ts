import { createRequire, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { context } from '@opentelemetry/api'
import { ExpressInstrumentation, ExpressLayerType } from '@opentelemetry/instrumentation-express'
import { hopOf } from './hop.ts'

/** Express's stock instrumentation for the route, without its spans per middleware, and with the exceptions of handlers. */
export class ExpressTracing extends ExpressInstrumentation {
  constructor() {
    super({ ignoreLayersType: [ExpressLayerType.MIDDLEWARE, ExpressLayerType.REQUEST_HANDLER] })
  }

  override init(): ReturnType<ExpressInstrumentation['init']> {
    return super.init().map((definition) => {
      const patch = definition.patch
      definition.patch = (express: ExpressModule, version) => {
        const patched: ExpressModule = patch?.(express, version) ?? express
        watchExceptions(patched)
        return patched
      }
      return definition
    })
  }
}

/**
 * The stock instrumentation patches what `require('express')` returns, but `import express` does not pass through
 * `require`, and so an ES module's routes go untraced in silence. Here the import is preceded by a `require` of the same
 * file, which both then share.
 */
export function traceImportedExpress(): void {
  const require = createRequire(import.meta.url)
  registerHooks({
    resolve(specifier, hookContext, nextResolve) {
      const resolved = nextResolve(specifier, hookContext)
      if (specifier === 'express' && resolved.url.startsWith('file:')) {
        try {
          require(fileURLToPath(resolved.url))
        } catch {
          // What asked for Express is about to fail in the same way, and tells the service better.
        }
      }
      return resolved
    },
  })
}

type Next = (error?: unknown) => void
type HandleRequest = (this: unknown, request: unknown, response: unknown, next: Next) => unknown
interface LayerPrototype {
  /** Express 5. */
  handleRequest?: HandleRequest
  /** Express 4. */
  handle_request?: HandleRequest
}
interface ExpressModule {
  Router(): { use(handler: () => void): unknown; stack: object[] }
}

const watched = new WeakSet<object>()

/** Notes every error that a handler throws, rejects with or passes to `next`: Express's own spans would have borne it. */
function watchExceptions(express: ExpressModule): void {
  const router = express.Router()
  router.use(() => undefined)
  const layer = router.stack[0]
  const prototype = layer && (Object.getPrototypeOf(layer) as LayerPrototype & object)
  if (!prototype || watched.has(prototype)) return
  watched.add(prototype)
  for (const method of ['handleRequest', 'handle_request'] as const) {
    const original = prototype[method]
    if (!original) continue
    prototype[method] = function handleRequest(request, response, next) {
      return original.call(this, request, response, (error) => {
        const isException = error !== undefined && error !== null && error !== 'route' && error !== 'router'
        if (isException) noteException(error)
        next(error)
      })
    }
  }
}

/** Keeps `error` for the request at hand, until its response shows whether the server failed. The first one counts. */
export function noteException(error: unknown): void {
  const hop = hopOf(context.active())
  if (hop) hop.exception ??= { error, at: new Date() }
}
