// Express tells a handler's own pattern and the text that its routers were mounted at: `/orders/:id` below `/t1`. The route
// is the pattern of the whole, `/:tenant/orders/:id`, or there would be one for each tenant.

/** The pattern of each mount path that a request has come through, by its text. */
export type MountedPatterns = Map<string, string>

type Pattern = string | RegExp | readonly (string | RegExp)[] | undefined

/** Notes that a request at `baseUrl` has come through a router or middleware that is mounted at `pattern`. */
export function enterMount(mounts: MountedPatterns, baseUrl: string, pattern: Pattern): void {
  if (baseUrl === '') return
  mounts.set(baseUrl, `${patternAt(mounts, parentOf(mounts, baseUrl, pattern))}${textOf(pattern)}`)
}

/** The route of a handler with `pattern` in a router at `baseUrl`. */
export function routeBelow(mounts: MountedPatterns, baseUrl: string, pattern: Pattern): string {
  const base = patternAt(mounts, baseUrl)
  const own = textOf(pattern)
  return own === '' && base === '' ? '/' : `${base}${own}`
}

function patternAt(mounts: MountedPatterns, baseUrl: string): string {
  return baseUrl === '' ? '' : (mounts.get(baseUrl) ?? baseUrl)
}

/** `baseUrl` without what `pattern` has matched of it: so many segments, unless it can match any number. */
function parentOf(mounts: MountedPatterns, baseUrl: string, pattern: Pattern): string {
  if (typeof pattern === 'string' && !/[*?+(){}]/.test(pattern)) {
    const segments = baseUrl.split('/')
    const own = pattern.split('/').filter((segment) => segment !== '').length
    return segments.slice(0, segments.length - own).join('/')
  }
  const above = [...mounts.keys()].filter((base) => baseUrl.startsWith(`${base}/`))
  return above.toSorted((a, b) => b.length - a.length)[0] ?? ''
}

function textOf(pattern: Pattern): string {
  if (pattern === undefined || pattern === '/') return ''
  if (typeof pattern === 'string') return pattern.startsWith('/') ? pattern.replace(/\/$/, '') : `/${pattern}`
  return Array.isArray(pattern) ? pattern.map(String).join('|') : String(pattern)
}
