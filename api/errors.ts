// Every refusal leaves in one shape, but for Jaeger's clients: {"error":{"code","message","details","requestId","traceId"}}.
import { z } from '@hono/zod-openapi'
import { EngineAway } from '@headwater/store'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { isOfJaeger, refuseInJaeger } from './jaeger/answers.ts'

/** What each request carries for its answer. */
export interface RequestVariables {
  Variables: { requestId: string; traceId: string | null }
}

export interface ErrorDetail {
  field: string
  message: string
}

export const errorShape = z
  .object({
    error: z.object({
      code: z.string().openapi({ example: 'invalid_request' }),
      message: z.string(),
      details: z.array(z.object({ field: z.string(), message: z.string() })),
      requestId: z.string(),
      traceId: z.string().nullable().openapi({ description: 'Of the request, where it came with a traceparent' }),
    }),
  })
  .openapi('Error')

/** An expected refusal: what to answer. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly status: ContentfulStatusCode
  readonly code: string
  readonly details: readonly ErrorDetail[]
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    { details = [], headers = {} }: { details?: ErrorDetail[]; headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
    this.headers = headers
  }
}

/** Nothing has this identity. */
export function notFound(kind: string, id: string, mend: string): Refusal {
  return new Refusal(404, 'not_found', `There is no ${kind} "${id}": ${mend}`)
}

/** Seconds after which an engine that was away is worth another try. */
const retryAfterS = 5

const httpCodes: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  413: 'body_too_large',
  415: 'unsupported_media_type',
}

/** What an error that a handler threw means to the caller. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof EngineAway) {
    const headers = { 'retry-after': String(retryAfterS) }
    return new Refusal(503, 'engine_unavailable', error.message, { headers })
  }
  if (error instanceof HTTPException) {
    const code = httpCodes[error.status] ?? 'refused'
    const mend = error.status === 415 ? ': send the body as application/json' : ''
    return new Refusal(error.status, code, `${error.message}${mend}`)
  }
  return new Refusal(500, 'internal', 'Headwater failed to answer; its log tells why under this requestId')
}

export function answerRefusal(c: Context<RequestVariables>, refusal: Refusal): Response {
  if (isOfJaeger(c.req.path)) return refuseInJaeger(c, refusal)
  const { code, message, details, status, headers } = refusal
  const requestId = c.get('requestId')
  return c.json(
    { error: { code, message, details: [...details], requestId, traceId: c.get('traceId') } },
    status,
    headers,
  )
}
