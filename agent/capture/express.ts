// Express 5.3 and later have a channel; before, its layers are patched.

import type { IncomingMessage } from 'node:http'
import { context } from '@opentelemetry/api'
import { noteException } from '../flow/exception.ts'
import { hopOf } from '../flow/hop.ts'
import { guarded, hear } from './channel.ts'
import { type MountedPatterns, enterMount, routeBelow } from './mounted-routes.ts'
import { claimPatch } from './on-load.ts'

type Pattern = string | RegExp | readonly (string | RegExp)[] | undefined

interface ExpressRequest extends IncomingMessage {
  baseUrl?: string
  route?: { path?: Pattern }
}

/** A middleware, a mounted router, or, with a method, a handler of a route. */
interface Layer {
  route?: object | undefined
  method?: string | undefined
  /** Since Express 5.3, as its channel. */
  rawPath?: Pattern
}

interface RequestMessage {
  req: ExpressRequest
  layer: Layer
  /** The pattern that has matched: of the route for a handler, else of the mount path. */
  route?: Pattern
  param?: string
  errorHandler?: boolean
  error?: unknown
}

/** The route of each request to Express 5.3 and later, and what its handlers throw. */
export function captureExpressChannel(): void {
  hear<RequestMessage>('tracing:express.router.request:start', ({ req, layer, route, param, errorHandler }) => {
    if (param === undefined && errorHandler !== true) enterLayer(req, layer, route)
  })
  hear<RequestMessage>('tracing:express.router.request:error', ({ error }) => noteException(error))
}

const mountsByRequest = new WeakMap<ExpressRequest, MountedPatterns>()

function enterLayer(request: ExpressRequest, layer: Layer, pattern: Pattern): void {
  const { baseUrl = '' } = request
  if ('method' in layer) {
    const routed = hopOf(context.active())?.request
    if (!routed) return
    routed.route = routeBelow(mountsByRequest.get(request) ?? noMounts, baseUrl, pattern)
    routed.isRouted = true
  } else if (baseUrl !== '' && pattern !== '/') {
    const mounts: MountedPatterns = mountsByRequest.get(request) ?? new Map<string, string>()
    mountsByRequest.set(request, mounts)
    enterMount(mounts, baseUrl, pattern)
  }
}

const noMounts: MountedPatterns = new Map()

type Next = (error?: unknown) => void
type Handle = (this: Layer, request: ExpressRequest, response: unknown, next: Next) => unknown
type Use = (this: Router, ...args: unknown[]) => unknown
interface Router {
  stack: Layer[]
  use: Use
}

/** Express 5, then Express 4. */
const handleNames = ['handleRequest', 'handle_request'] as const
type LayerPrototype = Partial<Record<(typeof handleNames)[number], Handle>>

/** The same for versions without the channel. */
export function patchExpress(exports: unknown): void {
  const { Router } = exports as { Router: () => Router }
  const router = Router()
  router.use(() => undefined)
  const layer = router.stack[0]
  if (layer === undefined || 'rawPath' in layer) return
  const prototype = Object.getPrototypeOf(router) as Router
  if (!claimPatch(prototype)) return
  const mountPaths = new WeakMap<Layer, Pattern>()
  patchUse(prototype, mountPaths)
  patchHandle(Object.getPrototypeOf(layer) as LayerPrototype, mountPaths)
}

function patchUse(prototype: Router, mountPaths: WeakMap<Layer, Pattern>): void {
  const use = prototype.use
  prototype.use = function headwaterUse(...args) {
    const before = this.stack.length
    const result = use.apply(this, args)
    const path = isPattern(args[0]) ? args[0] : '/'
    for (const layer of this.stack.slice(before)) mountPaths.set(layer, path)
    return result
  }
}

/** Handlers may stand in lists, too. */
function isPattern(value: unknown): value is Pattern {
  return Array.isArray(value) ? isPattern(value[0]) : typeof value === 'string' || value instanceof RegExp
}

function patchHandle(prototype: LayerPrototype, mountPaths: WeakMap<Layer, Pattern>): void {
  for (const name of handleNames) {
    const original = prototype[name]
    if (!original) continue
    prototype[name] = function headwaterHandle(request, response, next) {
      if (this.route !== undefined) return original.call(this, request, response, next)
      guarded('express', () =>
        enterLayer(request, this, 'method' in this ? request.route?.path : (mountPaths.get(this) ?? '/')),
      )
      return original.call(this, request, response, (error) => {
        const isException = error !== undefined && error !== null && error !== 'route' && error !== 'router'
        if (isException) guarded('express', () => noteException(error))
        next(error)
      })
    }
  }
}
