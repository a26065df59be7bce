// Who may ask. Without a token only this machine can reach us, but so can every web page that its browser shows: a page
// may not name us by a name of its own (DNS rebinding), nor write from elsewhere.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { Refusal, type RequestVariables } from './errors.ts'
import { provesToken } from './session.ts'
import { type ApiSettings, isLoopback } from './settings.ts'

/** Refuses requests that a web page from elsewhere could have caused. */
export function refuseStrangers({ host }: Pick<ApiSettings, 'host'>): MiddlewareHandler<RequestVariables> {
  const onlyHere = isLoopback(host)
  return async (c, next) => {
    const asked = c.req.header('host') ?? new URL(c.req.url).host
    if (onlyHere && !isLoopback(withoutPort(asked))) {
      throw new Refusal(
        403,
        'host_refused',
        `This server answers to its loopback names only, not to "${asked.slice(0, 200)}": use http://localhost, ` +
          'or set HEADWATER_HOST and HEADWATER_TOKEN to serve others',
      )
    }
    const origin = c.req.header('origin')
    if (origin !== undefined && !['GET', 'HEAD'].includes(c.req.method) && hostOf(origin) !== asked) {
      throw new Refusal(403, 'origin_refused', `Pages of "${origin.slice(0, 200)}" may not write here`)
    }
    await next()
  }
}

/** Asks for `Authorization: Bearer <token>`, or the cookie of a session, where a token is set. */
export function requireToken(
  { token }: Pick<ApiSettings, 'token'>,
  now: () => number,
): MiddlewareHandler<RequestVariables> {
  const expected = token === undefined ? undefined : digest(token)
  return async (c, next) => {
    const isKnown = token !== undefined && provesToken(c.req.header('cookie'), { token, nowMs: now() })
    if (expected !== undefined && !isKnown) {
      const given = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
      // Digests have one length, so comparing takes one time.
      if (given === undefined || !timingSafeEqual(digest(given), expected)) {
        throw new Refusal(
          401,
          'unauthorized',
          `The token is ${given === undefined ? 'missing' : 'wrong'}: send Authorization: Bearer with the value of HEADWATER_TOKEN`,
          { headers: { 'www-authenticate': 'Bearer' } },
        )
      }
    }
    await next()
  }
}

/** Of a secret: digests have one length, so comparing them tells nothing of how long the secret is. */
export function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, '')
}

/** The host and port that an `Origin` names. */
export function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
