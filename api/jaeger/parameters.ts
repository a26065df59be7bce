// What Jaeger's clients send. An empty value means none: their forms send all fields.
import { z } from '@hono/zod-openapi'
import type { SpanFilter, Window } from '@headwater/store'
import { formatService } from '@headwater/vocabulary'
import { invalid, limitParameter, nulMend, textParameter, timeParameter, withoutNul } from '../parameters.ts'

/** Searches without a start look so far back, as Jaeger's do. */
const usualSearchMs = 2 * 86_400_000
const usualDependenciesMs = 86_400_000
/** Calls between services are added up over so many days at most. */
const dependencyDaysMax = 31

/** Tags that one search may ask for. */
const tagsMax = 8
/** Traces that one request may name. */
export const traceIdsMax = 100

function unsetIfEmpty<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((given) => (given === '' ? undefined : given), schema.optional())
}

function several<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((given) => (given === undefined || given === '' ? [] : [given].flat()), z.array(schema))
}

/** A whole number of `unit` since 1970. */
function timeIn({ unit, perMs }: { unit: string; perMs: number }) {
  const mend = `use ${unit} since 1970, such as ${1_767_225_600_000 * perMs}`
  return z
    .string({ error: mend })
    .regex(/^\d{1,16}$/, { error: mend })
    .transform(Number)
    .refine((time) => time / perMs < 4e12, { error: mend })
}

const microseconds = timeIn({ unit: 'microseconds', perMs: 1_000 })
const milliseconds = timeIn({ unit: 'milliseconds', perMs: 1 })

const nsPer: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
}
const durationForm = /^((\d{1,9}(\.\d{0,9})?|\.\d{1,9})(ns|us|µs|μs|ms|s|m|h)){1,7}$/
const durationMend = 'use a number and its unit, such as 1.2s, 100ms or 500us'

/** A duration as Go writes it, such as `1h30m` or `1.2s`; nanoseconds. */
export const durationParameter = z
  .string({ error: durationMend })
  .regex(durationForm, { error: durationMend })
  .transform((text) => {
    const parts = [...text.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)]
    return Math.round(parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (nsPer[unit] ?? 0), 0))
  })

const msPer: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8 }
const lookbackMend = 'use a number and its unit, such as 15m, 1h or 2d, or custom'

/** How far back the form looks; it sends the start beside it. */
const lookbackParameter = z
  .string({ error: lookbackMend })
  .regex(/^(\d{1,4}[smhdw]|custom)$/, { error: lookbackMend })
  .transform((text) =>
    text === 'custom' ? undefined : Number(text.slice(0, -1)) * (msPer[text.slice(-1)] ?? Number.NaN),
  )

const tagsMend = `use a JSON object of texts, such as {"http.response.status_code":"500"}`
const tagName = z.string().min(1).max(200).regex(withoutNul, { error: nulMend })
const tagValue = z.string().max(1_000).regex(withoutNul, { error: nulMend })
const tagsForm = z.record(tagName, z.union([tagValue, z.number(), z.boolean()]))

const tagsParameter = z
  .string({ error: tagsMend })
  .max(8_192, { error: 'use at most 8192 characters' })
  .transform((text, refine): [string, string][] => {
    const parsed = tagsForm.safeParse(jsonOf(text))
    if (parsed.success) return Object.entries(parsed.data).map(([name, value]) => [name, String(value)])
    refine.addIssue({ code: 'custom', message: tagsMend })
    return z.NEVER
  })

const tagMend = 'use name:value, such as http.response.status_code:500'
const tagParameter = z
  .string({ error: tagMend })
  .regex(/^[^:\0]{1,200}:[^\0]{0,1000}$/, { error: tagMend })
  .transform((text): [string, string] => {
    const at = text.indexOf(':')
    return [text.slice(0, at), text.slice(at + 1)]
  })

/** An ID as Jaeger takes it: shorter ones have zeros in front. */
export const traceIdParameter = z
  .string()
  .regex(/^[0-9a-fA-F]{1,32}$/, { error: 'use 1 to 32 hex digits' })
  .transform((text) => text.toLowerCase().padStart(32, '0'))

export const searchParameters = z.object({
  service: unsetIfEmpty(textParameter).openapi({
    type: 'string',
    description: 'service.name. Required unless traces are named',
  }),
  operation: unsetIfEmpty(textParameter).openapi({ type: 'string' }),
  start: unsetIfEmpty(microseconds).openapi({ type: 'integer', description: 'Microseconds since 1970' }),
  end: unsetIfEmpty(microseconds).openapi({ type: 'integer', description: 'Microseconds since 1970. Default: now' }),
  lookback: unsetIfEmpty(lookbackParameter).openapi({
    type: 'string',
    description: 'Used where there is no start. Default: 2d',
    example: '1h',
  }),
  minDuration: unsetIfEmpty(durationParameter).openapi({ type: 'string', example: '100ms' }),
  maxDuration: unsetIfEmpty(durationParameter).openapi({ type: 'string', example: '1.2s' }),
  limit: z
    .preprocess((given) => (given === '' ? undefined : given), limitParameter({ most: 1_500, usual: 20 }))
    .openapi({ type: 'integer', minimum: 1, maximum: 1_500, default: 20 }),
  tags: several(tagsParameter).openapi({
    type: 'string',
    description: 'JSON object of tags; all must be there, of the span or its process',
    example: '{"error":"true"}',
  }),
  tag: several(tagParameter).openapi({ type: 'array', items: { type: 'string' }, description: 'name:value' }),
  traceID: several(traceIdParameter)
    .refine((ids) => ids.length <= traceIdsMax, { error: `name at most ${traceIdsMax} traces` })
    .openapi({
      type: 'array',
      items: { type: 'string' },
      description: 'These traces, whatever else is asked for',
    }),
})

/** The spans that a search means. */
export function filterOf(asked: z.output<typeof searchParameters>, nowMs: number): SpanFilter {
  const { service, operation, minDuration, maxDuration } = asked
  if (service === undefined) {
    throw invalid([{ field: 'service', message: 'missing: name a service, or traces by traceID' }])
  }
  const tags = [...asked.tag, ...asked.tags.flat()]
  if (tags.length > tagsMax) {
    throw invalid([{ field: 'tags', message: `${tags.length} tags: ask for at most ${tagsMax}` }])
  }
  if (minDuration !== undefined && maxDuration !== undefined && maxDuration < minDuration) {
    throw invalid([{ field: 'maxDuration', message: 'is less than minDuration: exchange them' }])
  }
  return {
    ...searchWindow(asked, nowMs),
    // A plain name, whatever it bears: those of all namespaces and environments.
    service: { service: formatService({ name: service, namespace: '', environment: '' }) },
    ...(operation !== undefined && { operation }),
    ...(minDuration !== undefined && { minMs: minDuration / 1e6 }),
    // Ours ends before its bound, Jaeger's with it.
    ...(maxDuration !== undefined && { maxMs: (maxDuration + 1) / 1e6 }),
    ...conditionsOf(tags),
  }
}

function searchWindow(
  { start, end, lookback }: Pick<z.output<typeof searchParameters>, 'start' | 'end' | 'lookback'>,
  nowMs: number,
): Window {
  const endMs = end === undefined ? nowMs : Math.floor(end / 1_000)
  const startMs = start === undefined ? endMs - (lookback ?? usualSearchMs) : Math.floor(start / 1_000)
  if (startMs > endMs) {
    throw invalid([{ field: 'start', message: `${start} is after end: use an earlier start or a later end` }])
  }
  return { since: new Date(Math.max(0, startMs)), until: new Date(endMs + 1) }
}

const columnKinds: Readonly<Record<string, string>> = {
  server: 'Server',
  client: 'Client',
  producer: 'Producer',
  consumer: 'Consumer',
  internal: 'Internal',
}
const columnStatuses: Readonly<Record<string, string>> = { ERROR: 'Error', OK: 'Ok' }

/** Tags as they were shown: some are columns of ours. */
function conditionsOf(tags: readonly [string, string][]): Partial<SpanFilter> {
  const found: Partial<SpanFilter> = {}
  const attributes: { name: string; value: string }[] = []
  for (const [name, value] of tags) {
    const kind = name === 'span.kind' ? columnKinds[value] : undefined
    const statusCode = name === 'otel.status_code' ? columnStatuses[value] : undefined
    if (name === 'error' && (value === 'true' || value === 'false')) found.status = value === 'true' ? 'error' : 'ok'
    else if (name === 'otel.scope.name') found.scope = value
    else if (kind !== undefined) found.kind = kind
    else if (statusCode !== undefined) found.statusCode = statusCode
    else attributes.push({ name, value })
  }
  return { ...found, ...(attributes.length > 0 && { attributes }) }
}

const name = unsetIfEmpty(textParameter).openapi({ type: 'string' })
const time = unsetIfEmpty(timeParameter).openapi({ type: 'string', example: '2026-01-31T12:00:00Z' })
const duration = unsetIfEmpty(durationParameter).openapi({ type: 'string', example: '1.2s' })
const depthMend = 'use a whole number from 1 to 1500'
const depth = unsetIfEmpty(
  z
    .string({ error: depthMend })
    .regex(/^\d{1,6}$/, { error: depthMend })
    .transform(Number)
    .pipe(z.number().min(1, { error: depthMend }).max(1_500, { error: depthMend })),
).openapi({ type: 'integer', minimum: 1, maximum: 1_500 })

/** Of Jaeger's third version. Its clients have named them in two ways. */
export const summaryParameters = z.object({
  'query.serviceName': name,
  'query.service_name': name,
  'query.operationName': name,
  'query.operation_name': name,
  'query.span_name': name,
  'query.startTimeMin': time,
  'query.start_time_min': time,
  'query.startTimeMax': time,
  'query.start_time_max': time,
  'query.durationMin': duration,
  'query.duration_min': duration,
  'query.durationMax': duration,
  'query.duration_max': duration,
  'query.attributes': unsetIfEmpty(tagsParameter).openapi({ type: 'string', example: '{"error":"true"}' }),
  'query.searchDepth': depth,
  'query.search_depth': depth,
  'query.num_traces': depth,
})

/** What a search of the third version means. */
export function searchOf(
  asked: z.output<typeof summaryParameters>,
  nowMs: number,
): { filter: SpanFilter; limit: number } {
  const [start, end] = [
    asked['query.startTimeMin'] ?? asked['query.start_time_min'],
    asked['query.startTimeMax'] ?? asked['query.start_time_max'],
  ]
  const filter = filterOf(
    {
      service: asked['query.serviceName'] ?? asked['query.service_name'],
      operation: asked['query.operationName'] ?? asked['query.operation_name'] ?? asked['query.span_name'],
      start: start === undefined ? undefined : Date.parse(start) * 1_000,
      end: end === undefined ? undefined : Date.parse(end) * 1_000,
      lookback: undefined,
      minDuration: asked['query.durationMin'] ?? asked['query.duration_min'],
      maxDuration: asked['query.durationMax'] ?? asked['query.duration_max'],
      tags: asked['query.attributes'] === undefined ? [] : [asked['query.attributes']],
      tag: [],
      traceID: [],
      limit: 0,
    },
    nowMs,
  )
  const limit = asked['query.searchDepth'] ?? asked['query.search_depth'] ?? asked['query.num_traces'] ?? 20
  return { filter, limit }
}

const spanKindMend = 'use server, client, producer, consumer or internal'
export const spanKindParameter = unsetIfEmpty(
  z.string().transform((text, refine) => {
    const kind = columnKinds[text.toLowerCase()]
    if (kind !== undefined) return kind
    refine.addIssue({ code: 'custom', message: spanKindMend })
    return z.NEVER
  }),
).openapi({ type: 'string', enum: Object.keys(columnKinds) })

export const dependencyParameters = z.object({
  endTs: unsetIfEmpty(milliseconds).openapi({ type: 'integer', description: 'Milliseconds since 1970. Default: now' }),
  lookback: unsetIfEmpty(milliseconds).openapi({ type: 'integer', description: 'Milliseconds. Default: a day' }),
  service: unsetIfEmpty(textParameter).openapi({ type: 'string', description: 'Only its callers and callees' }),
})

/** The window that dependencies are asked for. */
export function dependencyWindow(
  { endTs, lookback = usualDependenciesMs }: z.output<typeof dependencyParameters>,
  nowMs: number,
): Window {
  if (lookback > dependencyDaysMax * 86_400_000) {
    throw invalid([{ field: 'lookback', message: `${lookback}: use at most ${dependencyDaysMax} days` }])
  }
  const untilMs = endTs ?? nowMs
  return { since: new Date(Math.max(0, untilMs - lookback)), until: new Date(untilMs + 1) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
