import { timingSafeEqual } from 'node:crypto'
import { createRoute, z } from '@hono/zod-openapi'
import { Refusal } from '../errors.ts'
import { refusal, refusals } from '../parameters.ts'
import { digest } from '../guard.ts'
import { endedSessionCookie, sessionCookie } from '../session.ts'
import type { ApiSettings } from '../settings.ts'
import type { Api } from './parts.ts'

const begin = createRoute({
  method: 'post',
  path: '/api/v1/session',
  summary: 'Gives the token once, for a cookie that stands for it; the console does so',
  security: [],
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject(
            {
              token: z
                .string({ error: 'give the token as a text' })
                .max(1_000, { error: 'use at most 1000 characters' }),
            },
            { error: 'send a JSON object' },
          ),
        },
      },
    },
  },
  responses: { 204: { description: 'The cookie is set' }, ...refusals, 415: refusal('The body is not JSON') },
})

const end = createRoute({
  method: 'delete',
  path: '/api/v1/session',
  summary: 'Ends the session of this browser',
  security: [],
  responses: { 204: { description: 'The cookie is gone' }, ...refusals },
})

export function serveSession(
  api: Api,
  { settings, now }: { settings: Pick<ApiSettings, 'token'>; now: () => number },
): void {
  api.openapi(begin, (c) => {
    const { token } = settings
    if (token === undefined) return c.body(null, 204)
    if (!timingSafeEqual(digest(c.req.valid('json').token), digest(token))) {
      throw new Refusal(401, 'unauthorized', 'This is not the token: use the value of HEADWATER_TOKEN')
    }
    c.header(
      'set-cookie',
      sessionCookie({ token, nowMs: now(), isSecure: isSecure(c.req.url, c.req.header('origin')) }),
    )
    return c.body(null, 204)
  })

  api.openapi(end, (c) => {
    c.header('set-cookie', endedSessionCookie({ isSecure: isSecure(c.req.url, c.req.header('origin')) }))
    return c.body(null, 204)
  })
}

/** Whether the browser came by HTTPS, to us or to a proxy before us: its own word in `Origin` can only make it stricter. */
function isSecure(url: string, origin: string | undefined): boolean {
  return url.startsWith('https:') || (origin ?? '').startsWith('https:')
}
