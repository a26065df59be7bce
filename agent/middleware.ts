import type { IncomingMessage, ServerResponse } from 'node:http'
import { context, diag } from '@opentelemetry/api'
import { counters } from './counters.ts'
import { noteException } from './flow/exception.ts'
import { setUser, withFlow } from './flow/flows.ts'
import { hopOf } from './flow/hop.ts'
import { startAgent } from './start.ts'

export interface HeadwaterOptions {
  /** `service.name`, where the process was not started with `--import @headwater/agent/register`. */
  serviceName?: string | undefined
  /** Names the runs that begin here, instead of `METHOD /route`. */
  flow?: (request: RequestView) => string | undefined
  /** On whose behalf the request comes, if it tells by itself; later, `setUser` says so. */
  user?: (request: RequestView) => string | number | null | undefined
}

/** A request as both Express and Hono can show it. */
export interface RequestView {
  method: string
  path: string
  header(name: string): string | undefined
}

/** What Express gives a middleware. */
export type ExpressRequest = IncomingMessage & { baseUrl?: string; route?: unknown }

/** What Hono gives a middleware, as far as it is needed here. */
export interface HonoContext {
  req: {
    method: string
    path: string
    routeIndex: number
    matchedRoutes: { method: string; path: string }[]
    header(name: string): string | undefined
  }
  error?: Error | undefined
}

/** Middleware for Express and for Hono. */
export interface HeadwaterMiddleware {
  (request: ExpressRequest, response: ServerResponse, next: (error?: unknown) => void): void
  (c: HonoContext, next: () => Promise<void>): Promise<void>
}

/**
 * Middleware that knows the route, names flows and users, and notes what handlers throw; `app.use(headwater())` before the
 * routes. In a process without `register` it starts the agent, too late for what is loaded already: of Express before 5.3
 * mount paths with parameters show their values then, and exceptions are not noted.
 */
export function headwater(options: HeadwaterOptions = {}): HeadwaterMiddleware {
  void startAgent(process.env, options)

  function express(request: ExpressRequest, response: ServerResponse, next: (error?: unknown) => void): void {
    const routed = hopOf(context.active())?.request
    if (routed) response.prependListener('close', () => (routed.route ??= expressRoute(request)))
    begin({
      method: request.method ?? 'GET',
      path: (request.url ?? '/').split('?', 1)[0] ?? '/',
      header: (name) => String(request.headers[name.toLowerCase()] ?? '') || undefined,
    })
    next()
  }

  async function hono(c: HonoContext, next: () => Promise<void>): Promise<void> {
    takeRoute(c.req.matchedRoutes.findLast(({ method }) => method !== 'ALL')?.path)
    begin(c.req)
    await next()
    if (hopOf(context.active())?.request?.route === undefined)
      takeRoute(exactPath(c.req.matchedRoutes[c.req.routeIndex]?.path))
    if (c.error) noteException(c.error)
  }

  function begin(request: RequestView): void {
    const flow = answerOf(options.flow, request)
    const user = answerOf(options.user, request)
    if (flow !== undefined && hopOf(context.active())?.isOrigin) withFlow(flow, () => undefined)
    if (user !== undefined && user !== null) setUser(user)
  }

  function middleware(request: ExpressRequest, response: ServerResponse, next: (error?: unknown) => void): void
  function middleware(c: HonoContext, next: () => Promise<void>): Promise<void>
  function middleware(...call: ExpressCall | HonoCall): void | Promise<void> {
    return call.length === 3 ? express(...call) : hono(...call)
  }
  return middleware
}

type ExpressCall = [request: ExpressRequest, response: ServerResponse, next: (error?: unknown) => void]
type HonoCall = [c: HonoContext, next: () => Promise<void>]

/** What `ask` says of `request`. A question of telemetry that fails must not fail the request. */
function answerOf<A>(ask: ((request: RequestView) => A) | undefined, request: RequestView): A | undefined {
  try {
    return ask?.(request)
  } catch (error) {
    counters.hooksFailed += 1
    diag.error('headwater: an option of the middleware threw', error)
    return undefined
  }
}

/** Tells the server span its route, and the run its name. */
function takeRoute(route: string | undefined): void {
  const routed = hopOf(context.active())?.request
  if (route === undefined || !routed) return
  routed.route = route
  routed.isRouted = true
}

/** A pattern that anything matches is a middleware's, and no route. */
function exactPath(path: string | undefined): string | undefined {
  return path?.endsWith('*') ? undefined : path
}

function expressRoute({ baseUrl = '', route }: ExpressRequest): string | undefined {
  if (typeof route !== 'object' || route === null || !('path' in route)) return undefined
  return typeof route.path === 'string' ? `${baseUrl}${route.path}` : undefined
}
