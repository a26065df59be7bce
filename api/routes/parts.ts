import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Store } from '@headwater/store'
import type { RequestVariables } from '../errors.ts'

/** What routes work with. */
export interface Parts {
  store: Store
  now: () => number
}

export type Api = OpenAPIHono<RequestVariables>

export const hourMs = 3_600_000
