import { createRequire, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { guarded } from './channel.ts'

/** Loads a module as the one who asked would get it: for `import` or for `require`. */
export type Load = (specifier: string) => unknown

/** Changes a module before anybody gets it. `asker` is the URL of the module that asked. */
export type Patch = (load: Load, asker: string | undefined) => void

const outcomes = new Map<string, 'patched' | 'failed'>()

/** What became of the patches of a package, once it has been asked for by a name for which there is one. */
export function patchOutcome(packageName: string): 'patched' | 'failed' | undefined {
  const found = [...outcomes].flatMap(([specifier, outcome]) =>
    specifier === packageName || specifier.startsWith(`${packageName}/`) ? [outcome] : [],
  )
  return found.includes('failed') ? 'failed' : found[0]
}

/**
 * Runs `patch` when a module is asked for the first time by `import` or `require`, before whoever asked gets it. The module is
 * loaded ahead of time, and both share it; so only what is changed inside of its exports is seen by all.
 */
export function onLoad(patches: Readonly<Record<string, Patch>>): void {
  const require = createRequire(import.meta.url)
  const patched = new Set<string>()
  registerHooks({
    resolve(specifier, hookContext, nextResolve) {
      const resolved = nextResolve(specifier, hookContext)
      const patch = Object.hasOwn(patches, specifier) ? patches[specifier] : undefined
      if (patch === undefined || !resolved.url.startsWith('file:') || patched.has(resolved.url)) return resolved
      // First, or the module's own imports of itself would come here again.
      patched.add(resolved.url)
      outcomes.set(specifier, 'failed')
      guarded(specifier, () => {
        patch((wanted) => {
          const { url } = wanted === specifier ? resolved : nextResolve(wanted, hookContext)
          return require(fileURLToPath(url)) as unknown
        }, hookContext.parentURL)
        outcomes.set(specifier, 'patched')
      })
      return resolved
    },
  })
}
