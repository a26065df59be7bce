// What requests may carry, read once at the door. Messages name the mend; the answer adds field and value.
import { z } from '@hono/zod-openapi'
import type { Cursor, Window } from '@headwater/store'
import { type ErrorDetail, errorShape, Refusal } from './errors.ts'

const timeMend = 'use RFC 3339, such as 2026-01-31T12:00:00Z'

/** A point in time, RFC 3339. */
export const timeParameter = z.iso
  .datetime({ offset: true, error: timeMend, abort: true })
  .refine((text) => Math.abs(Date.parse(text)) < 4e12, { error: 'use a year from 1970 to 2096' })
  .openapi({ example: '2026-01-31T12:00:00Z' })

/** PostgreSQL's text cannot hold it. */
export const withoutNul = /^[^\0]*$/
export const nulMend = 'leave out the character U+0000'

/** Free text to look for: not empty, bounded. */
export const textParameter = z
  .string({ error: 'give one value' })
  .min(1, { error: 'leave it out, or give a value' })
  .max(500, { error: 'use at most 500 characters' })
  .regex(withoutNul, { error: nulMend })

/** A text in a body: not empty, bounded. */
export function bodyText(most: number) {
  return z
    .string({ error: 'give a text' })
    .min(1, { error: 'leave it out, or give a text' })
    .max(most, { error: `use at most ${most} characters` })
    .regex(withoutNul, { error: nulMend })
}

/** How many items a page has at most. */
export function limitParameter({ most, usual }: { most: number; usual: number }) {
  const mend = `use a whole number from 1 to ${most}`
  return z
    .string({ error: mend })
    .regex(/^\d{1,6}$/, { error: mend })
    .transform(Number)
    .pipe(z.number().min(1, { error: mend }).max(most, { error: mend }))
    .optional()
    .transform((limit) => limit ?? usual)
    .openapi({ type: 'integer', minimum: 1, maximum: most, default: usual })
}

const cursorMend = 'use the nextCursor of the page before, unchanged, or leave it out'
/** Where a list by time goes on. Opaque to callers. */
export const cursorParameter = cursorWith(
  z
    .string()
    .max(40)
    .regex(/^(19|20)\d\d-\d\d-\d\dT[\d:.]+Z$/)
    .refine((time) => !Number.isNaN(Date.parse(time))),
)

/** Where a list by name goes on. Opaque to callers. */
export const nameCursorParameter = cursorWith(z.literal(''))

function cursorWith(at: z.ZodType<string>) {
  const content = z.tuple([at, z.string().max(500).regex(withoutNul)])
  return z
    .string({ error: cursorMend })
    .max(1_000, { error: cursorMend })
    .transform((text, refine): Cursor => {
      const parsed = content.safeParse(jsonOf(text))
      if (parsed.success) return { at: parsed.data[0], id: parsed.data[1] }
      refine.addIssue({ code: 'custom', message: cursorMend })
      return z.NEVER
    })
    .openapi({ type: 'string', description: 'nextCursor of the page before' })
}

export function writeCursor(cursor: Cursor | null): string | null {
  return cursor && Buffer.from(JSON.stringify([cursor.at, cursor.id])).toString('base64url')
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}

/** A flow or trace ID. */
export const flowIdParameter = z
  .string()
  .regex(/^[0-9a-f]{32}$/, { error: 'use 32 lowercase hex digits' })
  .openapi({ example: '4bf92f3577b34da6a3ce929d0e0e4736' })

/** The ID of a span within its trace. */
export const spanIdParameter = z
  .string()
  .regex(/^[0-9a-f]{16}$/, { error: 'use 16 lowercase hex digits' })
  .openapi({ example: '00f067aa0ba902b7' })

/** The window that `since` and `until` mean; without them the last `usualMs`. */
export function windowOf(
  { since, until }: { since?: string | undefined; until?: string | undefined },
  { nowMs, usualMs }: { nowMs: number; usualMs: number },
): Window {
  const untilMs = until === undefined ? nowMs : Date.parse(until)
  const sinceMs = since === undefined ? untilMs - usualMs : Date.parse(since)
  if (sinceMs >= untilMs) {
    throw invalid([
      { field: 'since', message: `"${since}" is not before until: use an earlier since or a later until` },
    ])
  }
  return { since: new Date(sinceMs), until: new Date(untilMs) }
}

/** A 400 that names each field. */
export function invalid(details: ErrorDetail[]): Refusal {
  const fields = details.map(({ field }) => field).join(', ')
  return new Refusal(400, 'invalid_request', `The request cannot be understood: see ${fields}`, { details })
}

/** What a failed validation tells: per field its value and the mend. `input` is what was validated. */
export function detailsOf(error: z.ZodError, input: unknown): ErrorDetail[] {
  return error.issues.slice(0, 20).flatMap((issue): ErrorDetail[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys
        .slice(0, 20)
        .map((key) => ({ field: [...issue.path, key].join('.'), message: 'is not known here: leave it out' }))
    }
    const value = issue.path.reduce<unknown>(
      (at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
      input,
    )
    const shown = value === undefined ? 'missing' : JSON.stringify(value).slice(0, 200)
    return [{ field: issue.path.join('.') || 'body', message: `${shown}: ${issue.message}` }]
  })
}

/** The answers that every route may give besides its own. */
export const refusals = {
  400: refusal('A parameter or the body cannot be understood; details name the field, its value and the mend'),
  401: refusal('The token is missing or wrong'),
  403: refusal('The request comes from a page or to a name that is not ours'),
  500: refusal('Headwater failed'),
  503: refusal('ClickHouse or PostgreSQL is away; see Retry-After'),
}

export const unknownRefusal = { 404: refusal('There is no such thing') }

export function refusal(description: string) {
  return { description, content: { 'application/json': { schema: errorShape } } }
}

/** The JSON answer of a route. */
export function answer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } }
}

/** A page of a list. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().openapi({ description: 'Null at the end of the list' }),
  })
}
