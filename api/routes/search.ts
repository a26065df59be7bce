import { createRoute, z } from '@hono/zod-openapi'
import { heatSpansMax, readDifferences, readHeat, searchSpans, type SpanFilter } from '@headwater/store'
import {
  answer,
  cursorParameter,
  limitParameter,
  listOf,
  refusals,
  textParameter,
  timeParameter,
  windowOf,
  writeCursor,
} from '../parameters.ts'
import { type Api, hourMs, type Parts } from './parts.ts'

/** Attributes that one search may ask for. */
const attributesMax = 8
const heatColumns = 60

const msMend = 'use milliseconds, such as 250 or 0.5'
const milliseconds = z
  .string({ error: msMend })
  .regex(/^\d{1,9}(\.\d{1,6})?$/, { error: msMend })
  .transform(Number)
  .optional()
  .openapi({ type: 'number', example: 250 })

const attributeMend = `use name=value, such as http.response.status_code=500, at most ${attributesMax} times`
const attributeForm = /^[^=\0]{1,200}=[^\0]{1,1000}$/
/** One or several; told of as they were given. */
const attributes = z
  .preprocess((given) => (typeof given === 'string' ? [given] : given), z.array(z.string()))
  .refine((all) => all.length <= attributesMax && all.every((each) => attributeForm.test(each)), {
    error: attributeMend,
  })

const status = z.enum(['ok', 'error'], { error: 'use ok or error' }).optional()

const filterForm = {
  flow: textParameter.optional(),
  service: textParameter.optional().openapi({ description: 'Plain name, or full key' }),
  operation: textParameter.optional(),
  user: textParameter.optional(),
  text: textParameter.optional().openapi({ description: "In the span's name, its service's or its status message" }),
  status,
  minMs: milliseconds,
  maxMs: milliseconds,
  attribute: attributes.optional().openapi({
    type: 'array',
    items: { type: 'string' },
    description: 'name=value, of the span or of its resource; may be repeated',
    example: ['http.response.status_code=500'],
  }),
  since: timeParameter.optional().openapi({ description: 'Default: an hour before until' }),
  until: timeParameter.optional().openapi({ description: 'Default: now' }),
}
const filterSchema = z.strictObject(filterForm)

const list = createRoute({
  method: 'get',
  path: '/api/v1/spans',
  summary: 'Spans by what they are of, how they ended and how long they took, newest first',
  request: {
    query: filterSchema.extend({
      limit: limitParameter({ most: 200, usual: 50 }),
      cursor: cursorParameter.optional(),
    }),
  },
  responses: {
    200: answer(
      'Spans that began in the window',
      listOf(
        z
          .object({
            traceId: z.string(),
            spanId: z.string(),
            flowId: z.string(),
            startTime: z.string(),
            durationMs: z.number(),
            service: z.string(),
            name: z.string(),
            kind: z.string(),
            status: z.enum(['ok', 'error']),
            message: z.string(),
            userId: z.string(),
          })
          .openapi('FoundSpan'),
      ),
    ),
    ...refusals,
  },
})

const heat = createRoute({
  method: 'get',
  path: '/api/v1/spans/heat',
  summary: 'How many spans began when and took how long',
  request: { query: filterSchema },
  responses: {
    200: answer(
      `Of at most ${heatSpansMax} spans`,
      z.object({
        since: z.string(),
        until: z.string(),
        columns: z.int(),
        cells: z.array(
          z.object({
            column: z.int(),
            bucket: z.int().openapi({ description: '⌊4 · log2(milliseconds)⌋: four to a doubling' }),
            spans: z.int(),
            errors: z.int(),
          }),
        ),
      }),
    ),
    ...refusals,
  },
})

const differences = createRoute({
  method: 'get',
  path: '/api/v1/spans/differences',
  summary: 'What sets some of the found spans apart: values that they have more, or less, often than the others',
  request: {
    query: filterSchema.extend({
      chosenSince: timeParameter.optional(),
      chosenUntil: timeParameter.optional(),
      chosenMinMs: milliseconds,
      chosenMaxMs: milliseconds,
      chosenStatus: status,
    }),
  },
  responses: {
    200: answer(
      'The largest differences of shares first',
      z.object({
        chosen: z.int().openapi({ description: 'Spans that were looked at' }),
        others: z.int(),
        differences: z.array(
          z.object({
            name: z.string(),
            value: z.string(),
            chosen: z.number().openapi({ description: 'Share of the chosen spans that have it' }),
            others: z.number(),
          }),
        ),
      }),
    ),
    ...refusals,
  },
})

export function serveSearch(api: Api, { store, now }: Parts): void {
  api.openapi(list, async (c) => {
    const { limit, cursor, ...asked } = c.req.valid('query')
    const page = await searchSpans(store, { filter: filterOf(asked, now()), limit, ...(cursor && { cursor }) })
    return c.json({ items: page.items, nextCursor: writeCursor(page.next) }, 200)
  })

  api.openapi(heat, async (c) => {
    const filter = filterOf(c.req.valid('query'), now())
    const cells = await readHeat(store, { ...filter, columns: heatColumns })
    const { since, until } = filter
    return c.json({ since: since.toISOString(), until: until.toISOString(), columns: heatColumns, cells }, 200)
  })

  api.openapi(differences, async (c) => {
    const { chosenSince, chosenUntil, chosenMinMs, chosenMaxMs, chosenStatus, ...asked } = c.req.valid('query')
    const found = await readDifferences(store, {
      ...filterOf(asked, now()),
      chosen: {
        ...(chosenSince !== undefined && { since: new Date(chosenSince) }),
        ...(chosenUntil !== undefined && { until: new Date(chosenUntil) }),
        ...(chosenMinMs !== undefined && { minMs: chosenMinMs }),
        ...(chosenMaxMs !== undefined && { maxMs: chosenMaxMs }),
        ...(chosenStatus !== undefined && { status: chosenStatus }),
      },
    })
    return c.json(found, 200)
  })
}

function filterOf(asked: z.output<typeof filterSchema>, nowMs: number): SpanFilter {
  const { flow, service, operation, user, text, status: wanted, minMs, maxMs, attribute } = asked
  return {
    ...windowOf(asked, { nowMs, usualMs: hourMs }),
    ...(flow !== undefined && { flow }),
    ...(service !== undefined && { service: { service } }),
    ...(operation !== undefined && { operation }),
    ...(user !== undefined && { user }),
    ...(text !== undefined && { text }),
    ...(wanted !== undefined && { status: wanted }),
    ...(minMs !== undefined && { minMs }),
    ...(maxMs !== undefined && { maxMs }),
    ...(attribute !== undefined && { attributes: attribute.map(pairOf) }),
  }
}

function pairOf(text: string): { name: string; value: string } {
  const at = text.indexOf('=')
  return { name: text.slice(0, at), value: text.slice(at + 1) }
}
