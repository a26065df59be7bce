// Hono has no channel, and its classes hide what they do, but each of its routers takes the handlers by a method that can be
// patched.

import { context } from '@opentelemetry/api'
import { noteException } from '../flow/exception.ts'
import { hopOf, isMessageOf } from '../flow/hop.ts'
import { guarded } from './channel.ts'
import { type Patch, claimPatch } from './on-load.ts'

type Handler = (c: unknown, next: unknown) => unknown
/** What Hono gives its router: the handler, and the route as it is declared. */
type Entry = [Handler, { path: string; method: string } & object]
interface Router {
  add: (method: string, path: string, entry: Entry) => void
}

/** What makes applications with a router of Hono's choice. */
const presets = ['hono', 'hono/tiny', 'hono/quick']
/** Routers of the user's choice. */
const routers: Readonly<Record<string, string>> = {
  'hono/router/smart-router': 'SmartRouter',
  'hono/router/reg-exp-router': 'RegExpRouter',
  'hono/router/trie-router': 'TrieRouter',
  'hono/router/linear-router': 'LinearRouter',
  'hono/router/pattern-router': 'PatternRouter',
}

/** The route of each request to Hono, and what its handlers throw: the patches by module. */
export const honoPatches: Readonly<Record<string, Patch>> = {
  ...Object.fromEntries(presets.map((specifier) => [specifier, patchPreset])),
  ...Object.fromEntries(Object.entries(routers).map(([specifier, name]) => [specifier, patchExported(name)])),
}

function patchPreset(exports: unknown): void {
  const { Hono } = exports as { Hono: new () => { router: Router } }
  patchRouter(Object.getPrototypeOf(new Hono().router) as Router)
}

function patchExported(name: string): Patch {
  return (exports) => {
    const Class = (exports as Record<string, { prototype: Router }>)[name]
    if (Class === undefined) throw new Error(`Cannot find ${name}`)
    patchRouter(Class.prototype)
  }
}

const watched = new WeakSet<Handler>()

function patchRouter(prototype: Router): void {
  if (!claimPatch(prototype)) return
  const add = prototype.add
  prototype.add = function headwaterAdd(method, path, entry) {
    // Routers hand entries on to one another; what is not made by Hono is not looked at.
    const isHonos = Array.isArray(entry) && typeof entry[0] === 'function' && typeof entry[1] === 'object'
    const isNew = isHonos && !watched.has(entry[0])
    add.call(this, method, path, isNew ? [watchedHandler(entry[0], method, path), entry[1]] : entry)
  }
}

function watchedHandler(handler: Handler, method: string, path: string): Handler {
  const isMiddleware = method === 'ALL'
  const isExact = !path.endsWith('*')
  function headwaterHandler(this: unknown, c: unknown, next: unknown): unknown {
    if (!isMiddleware || isExact) guarded('hono', () => takeRoute(c, path, !isMiddleware))
    try {
      const result = handler.call(this, c, next)
      if (!(result instanceof Promise)) return result
      return result.catch((error: unknown) => {
        guarded('hono', () => noteException(error))
        throw error
      })
    } catch (error) {
      guarded('hono', () => noteException(error))
      throw error
    }
  }
  watched.add(headwaterHandler)
  return headwaterHandler
}

/** A handler for one method goes before one for all, which may be a middleware. */
function takeRoute(c: unknown, path: string, isHandler: boolean): void {
  const routed = hopOf(context.active())?.request
  const message = (c as { env?: { incoming?: unknown } }).env?.incoming
  // A request that the application makes to itself is another one. Without the message, the first handler is believed.
  const isOther =
    message === undefined ? routed?.isRouted === true : routed !== undefined && !isMessageOf(routed, message)
  if (!routed || isOther || (routed.isRouted && !isHandler)) return
  routed.route = path
  routed.isRouted = isHandler
}
