// Libraries without a channel are patched right after they have evaluated themselves: then, and in the order, in which the service
// would have them without us, and before whoever asked gets anything.
//
// Of a CommonJS module Node says when that is: it puts the module into `require.cache` before it evaluates it, and sets its
// `loaded` after it, whoever asked and how. The module itself stays as it is. An ES module leaves no such trace, so that a line is
// added to its source. For that alone there is a `load` hook, and only until the module is loaded; older Nodes do without, since
// imported CommonJS modules suffer from any such hook there.

import { hasSubscribers } from 'node:diagnostics_channel'
import { createRequire, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { guarded, hear } from './channel.ts'

/** Which module it is, and the URL of the first that asked for it. */
export interface Asked {
  readonly url: string
  readonly asker: string | undefined
}

/** Changes what a module exports. */
export type Patch = (exports: unknown, asked: Asked) => void

/** What is done by what is asked for: before the module evaluates itself, and right after that. */
export interface Patches {
  before: Readonly<Record<string, (asker: string | undefined) => void>>
  after: Readonly<Record<string, Patch>>
}

/** One that is awaited may never come: it was only asked where it is. */
export type Outcome = 'awaited' | 'patched' | 'failed'

/** A module that is to be patched. */
interface Awaited extends Asked {
  readonly specifier: string
  outcome: Outcome | 'being patched'
  begins: () => void
  /** Undefined where nothing is done then. */
  ends: ((exports: unknown) => void) | undefined
}

const awaitedByUrl = new Map<string, Awaited>()
const { cache } = createRequire(import.meta.url)

/** What became of the patches of a package, once it has been asked for by a name for which there is one. */
export function patchOutcome(packageName: string): Outcome | undefined {
  const outcomes = new Set<Outcome>()
  for (const module of awaitedByUrl.values()) {
    const { specifier } = module
    if (specifier === packageName || specifier.startsWith(`${packageName}/`)) outcomes.add(outcomeOf(module))
  }
  return (['failed', 'patched', 'awaited'] as const).find((outcome) => outcomes.has(outcome))
}

function outcomeOf({ outcome, url }: Awaited): Outcome {
  if (outcome === 'being patched') return 'awaited'
  const hasComePastUs = outcome === 'awaited' && cache[fileURLToPath(url)]?.loaded === true
  return hasComePastUs ? 'failed' : outcome
}

const listeners: (() => void)[] = []

/** Calls `listener` each time that a library has been patched, or could not be. */
export function onOutcome(listener: () => void): void {
  listeners.push(listener)
}

const claimed = new WeakSet<object>()

/** Whether `target` has not been claimed so far: modules export classes of other modules, and may be evaluated again. */
export function claimPatch(target: object): boolean {
  const isFirst = !claimed.has(target)
  claimed.add(target)
  return isFirst
}

/** Patches modules that are asked for by `import` or `require`. */
export function onLoad({ before, after }: Patches): void {
  registerHooks({
    resolve(specifier, hookContext, nextResolve) {
      const { parentURL } = hookContext
      if (specifier === parentURL && esModules.has(specifier)) return itself(specifier)
      const resolved = nextResolve(specifier, hookContext)
      const isWanted = Object.hasOwn(before, specifier) || Object.hasOwn(after, specifier)
      if (isWanted && resolved.url.startsWith('file:')) {
        guarded(specifier, () => {
          const module = awaitedByUrl.get(resolved.url) ?? newlyAwaited(specifier, resolved.url, parentURL)
          // Whoever asks by `require` is not told the format, but whatever it gets is in the cache.
          if (resolved.format === 'module') awaitEsModule(module)
          else awaitInCache(module)
        })
      }
      return resolved
    },
  })

  function newlyAwaited(specifier: string, url: string, asker: string | undefined): Awaited {
    const patch = Object.hasOwn(after, specifier) ? after[specifier] : undefined
    const module: Awaited = { specifier, url, asker, outcome: 'awaited', begins, ends: patch && ends }
    awaitedByUrl.set(url, module)
    return module

    function begins(): void {
      if (Object.hasOwn(before, specifier)) guarded(specifier, () => before[specifier]?.(asker))
    }

    function ends(exports: unknown): void {
      let outcome: Outcome = 'failed'
      module.outcome = 'being patched'
      guarded(specifier, () => {
        patch?.(exports, module)
        outcome = 'patched'
      })
      module.outcome = outcome
      for (const listener of listeners) guarded(specifier, listener)
    }
  }
}

/** Again each time that it is asked for, as modules may be taken out of the cache. */
function awaitInCache(module: Awaited): void {
  const path = fileURLToPath(module.url)
  const cached = cache[path]
  if (cached !== undefined) awaitLoaded(module, cached)
  else if (!Object.hasOwn(cache, path)) {
    Object.defineProperty(cache, path, {
      configurable: true,
      enumerable: false,
      get: () => undefined,
      set(added: NodeJS.Module) {
        setPlainly(cache, path, added)
        guarded(module.specifier, () => awaitLoaded(module, added))
      },
    })
  }
}

const watched = new WeakSet<NodeJS.Module>()

function awaitLoaded({ begins, ends }: Awaited, cached: NodeJS.Module): void {
  if (watched.has(cached)) return
  watched.add(cached)
  begins()
  const { loaded } = cached
  if (loaded) ends?.(cached.exports)
  if (loaded || !ends) return
  Object.defineProperty(cached, 'loaded', {
    configurable: true,
    enumerable: true,
    get: () => loaded,
    set(value: boolean) {
      setPlainly(cached, 'loaded', value)
      ends(cached.exports)
    },
  })
}

function setPlainly(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { configurable: true, enumerable: true, writable: true, value })
}

const esModules = new Map<string, Awaited>()

function awaitEsModule(module: Awaited): void {
  const { url, begins, ends } = module
  if (esModules.has(url) || module.outcome !== 'awaited') return
  esModules.set(url, module)
  if (!hasGoodLoadHooks(process.versions.node)) {
    loadAhead(module)
    return
  }
  const hooks = registerHooks({
    load(loadedUrl, hookContext, nextLoad) {
      const loaded = nextLoad(loadedUrl, hookContext)
      if (loadedUrl !== url) return loaded
      hooks.deregister()
      const { format, source } = loaded
      if (format !== 'module' || source === undefined || source === null) return loaded
      begins()
      if (!ends) return loaded
      const text = typeof source === 'string' ? source : new TextDecoder().decode(source)
      return { ...loaded, source: `${text}\n${tellingLine(url)}` }
    },
  })
}

const evaluated = 'headwater.evaluated'

/** Last in an ES module: it asks for itself, and hands what it gets to us, over a channel that nobody else has. */
function tellingLine(url: string): string {
  if (!hasSubscribers(evaluated)) {
    hear<{ url: string; exports: unknown }>(evaluated, (module) => esModules.get(module.url)?.ends?.(module.exports))
  }
  const quoted = JSON.stringify(url)
  const imports = `import * as $headwaterSelf from ${quoted};import{channel as $headwaterChannel}from'node:diagnostics_channel'`
  return `;${imports};$headwaterChannel('${evaluated}').publish({url:${quoted},exports:$headwaterSelf})`
}

/** Nobody else's hooks are to lead it elsewhere. */
function itself(url: string) {
  return { url, format: 'module', shortCircuit: true }
}

/** What older Nodes are left with: the module is evaluated as soon as it is asked for, or where it is. */
function loadAhead(module: Awaited): void {
  const { url, begins, ends } = module
  begins()
  if (!ends) return
  module.outcome = 'failed'
  ends(createRequire(import.meta.url)(fileURLToPath(url)))
}

/** By major version: before, a `load` hook takes the cache from an imported CommonJS module's `require`, and fails beside hooks in a thread. */
const goodLoadHooksSince: Readonly<Record<number, readonly [minor: number, patch: number]>> = {
  22: [22, 3],
  24: [11, 1],
  25: [2, 0],
}

function hasGoodLoadHooks(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  const since = goodLoadHooksSince[major]
  if (since === undefined) return major > 25
  return minor > since[0] || (minor === since[0] && patch >= since[1])
}
