// Jaeger's answers: what was asked for in `data`, and refusals in `errors`, whatever the status.
import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Refusal, RequestVariables } from '../errors.ts'

const errorShape = z.object({
  code: z.int().optional(),
  msg: z.string(),
  traceID: z.string().optional().openapi({ description: 'The trace that it is about' }),
})

function envelopeOf<Data extends z.ZodType>(data: Data) {
  return z.object({
    data,
    total: z.int(),
    limit: z.int().openapi({ description: '0 where none was asked for' }),
    offset: z.int(),
    errors: z.array(errorShape).nullable(),
  })
}

const refusalShape = envelopeOf(z.null()).openapi('JaegerError')

function content<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } }
}

/** The answer of a route, in Jaeger's envelope. */
export function jaegerAnswer<Data extends z.ZodType>(description: string, data: Data) {
  return content(description, envelopeOf(data))
}

/** The answers that every route of Jaeger's may give besides its own. */
export const jaegerRefusals = {
  400: content('A parameter cannot be understood', refusalShape),
  401: content('The token is missing or wrong', refusalShape),
  403: content('The request comes from a page or to a name that is not ours', refusalShape),
  500: content('Headwater failed', refusalShape),
  503: content('ClickHouse is away; see Retry-After', refusalShape),
}

export const jaegerUnknown = { 404: content('There is no such trace', refusalShape) }

export interface JaegerError {
  code?: number
  msg: string
  traceID?: string
}

/** Data in the envelope. */
export function inEnvelope<Data>(
  data: Data,
  { total, limit = 0, errors = [] }: { total: number; limit?: number; errors?: JaegerError[] },
) {
  return { data, total, limit, offset: 0, errors: errors.length === 0 ? null : errors }
}

/** Whether a path is of Jaeger's API: its third version, and all of `/api` but the versions of ours. */
export function isOfJaeger(path: string): boolean {
  return isOfVersion3(path) || /^\/api\/(?!v\d+(\/|$))/.test(path)
}

function isOfVersion3(path: string): boolean {
  return path.startsWith('/api/v3/')
}

const refusalShape3 = z.object({ error: z.object({ httpCode: z.int(), message: z.string() }) }).openapi('JaegerError3')

/** The answers that every route of Jaeger's third version may give besides its own. */
export const jaegerRefusals3 = {
  400: content('A parameter cannot be understood', refusalShape3),
  401: content('The token is missing or wrong', refusalShape3),
  403: content('The request comes from a page or to a name that is not ours', refusalShape3),
  500: content('Headwater failed', refusalShape3),
  503: content('ClickHouse is away; see Retry-After', refusalShape3),
}

export const jaegerUnknown3 = { 404: content('There is no such trace', refusalShape3) }

/** A refusal as Jaeger's clients read it. They show one text, so it has the details, too. */
export function refuseInJaeger(c: Context<RequestVariables>, refusal: Refusal): Response {
  const { message, details, status, headers } = refusal
  const msg = [message, ...details.map(({ field, message: detail }) => `${field}: ${detail}`)].join('; ')
  if (isOfVersion3(c.req.path)) return c.json({ error: { httpCode: status, message: msg } }, status, headers)
  return c.json(inEnvelope(null, { total: 0, errors: [{ code: status, msg }] }), status, headers)
}
