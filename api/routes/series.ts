import { createRoute, z } from '@hono/zod-openapi'
import type { SeriesQuestion } from '@headwater/vocabulary'
import { answer, invalid, refusals, textParameter, timeParameter } from '../parameters.ts'
import { tellSeries } from '../series.ts'
import { type Api, hourMs, type Parts } from './parts.ts'

const signal = z.enum(['errors', 'origin-errors', 'latency', 'self-time', 'wire-time', 'unanswered', 'silence'], {
  error: 'use errors, origin-errors, latency, self-time, wire-time, unanswered or silence',
})
const time = z.string().openapi({ example: '2026-01-31T12:00:00.000Z' })
const quantile = z.number().nullable().openapi({ description: 'For times, in nanoseconds' })

const seriesShape = z
  .object({
    service: z.string(),
    operation: z.string().nullable(),
    caller: z.string().nullable(),
    callerOperation: z.string().nullable(),
    signal,
    unit: z.enum(['share', 'ns', 'calls']),
    from: time.openapi({ description: 'The time that is judged, widened to whole windows' }),
    to: time,
    baselineFrom: time.openapi({ description: 'What counts as normal, narrowed to whole windows' }),
    baselineTo: time,
    expected: z.number().nullable().openapi({ description: 'Null where there was no call before' }),
    seen: z.number().nullable().openapi({
      description: 'The share that failed; of times, the median of slow calls (slowNs); of silence, the calls',
    }),
    calls: z.int(),
    baselineCalls: z.int(),
    excluded: z
      .array(z.object({ from: time, to: time }))
      .openapi({ description: 'Times of incidents, which do not count as normal' }),
    windowS: z.int().openapi({
      description:
        'Length of a window. Ten seconds are kept for an hour, minutes for 180 days; at most 401 windows are shown',
    }),
    windows: z
      .array(
        z.object({
          at: time,
          calls: z.int(),
          bad: z.int().openapi({ description: 'Calls that failed; for times, that took longer than slowNs' }),
          seen: z.number().openapi({ description: "In the series' unit; for times the median" }),
          expected: z.number().nullable(),
          p50: quantile,
          p95: quantile,
          p99: quantile,
        }),
      )
      .openapi({ description: 'Oldest first; a window without calls is left out' }),
  })
  .openapi('Series')

const show = createRoute({
  method: 'get',
  path: '/api/v1/series',
  summary:
    'The series behind a number of an incident: a signal of an operation or of an edge over time, expected against seen',
  request: {
    query: z.strictObject({
      service: textParameter.openapi({
        description: 'Full key: the plain name where it has no namespace or environment',
      }),
      operation: textParameter.optional().openapi({ description: 'Without it, all of the service' }),
      caller: textParameter.optional().openapi({ description: 'Full key of who calls, for an edge' }),
      callerOperation: z.string().max(500).optional().openapi({ description: 'With caller: its operation' }),
      signal,
      from: timeParameter.openapi({ description: 'What is judged begins here' }),
      to: timeParameter,
      baselineFrom: timeParameter.optional().openapi({ description: 'Default: 50 minutes before from' }),
      baselineTo: timeParameter.optional().openapi({ description: 'Default: 10 seconds before from' }),
      slowNs: z
        .string()
        .regex(/^\d{1,15}$/, { error: 'use nanoseconds, a whole number of at most 15 digits' })
        .transform(Number)
        .optional()
        .openapi({ type: 'integer', description: 'For times: calls above it are slow' }),
      version: textParameter.optional().openapi({ description: 'Only calls that this version of the service took' }),
    }),
  },
  responses: { 200: answer('The series', seriesShape), ...refusals },
})

/** From the beginning of the baseline to the end. */
const daysMax = 8

export function serveSeries(api: Api, { store, now }: Parts): void {
  api.openapi(show, async (c) => c.json(await tellSeries(store, questionOf(c.req.valid('query')), now()), 200))
}

interface Asked {
  service: string
  operation?: string | undefined
  caller?: string | undefined
  callerOperation?: string | undefined
  signal: SeriesQuestion['signal']
  from: string
  to: string
  baselineFrom?: string | undefined
  baselineTo?: string | undefined
  slowNs?: number | undefined
  version?: string | undefined
}

/** Throws the refusal that names what does not fit together. */
function questionOf({ operation = '', from, to, baselineFrom, baselineTo, ...asked }: Asked): SeriesQuestion {
  const fromMs = Date.parse(from)
  const toMs = Date.parse(to)
  const baselineFromMs = baselineFrom === undefined ? fromMs - (50 / 60) * hourMs : Date.parse(baselineFrom)
  const baselineToMs = baselineTo === undefined ? fromMs - 10_000 : Date.parse(baselineTo)
  const refuse = (field: string, message: string): never => {
    throw invalid([{ field, message }])
  }
  if (toMs <= fromMs) refuse('to', `"${to}" is not after from: use a later to or an earlier from`)
  if (baselineToMs <= baselineFromMs) {
    refuse(
      'baselineTo',
      `"${baselineTo ?? ''}" is not after baselineFrom: use a later baselineTo or an earlier baselineFrom`,
    )
  }
  if (Math.max(toMs, baselineToMs) - Math.min(fromMs, baselineFromMs) > daysMax * 24 * hourMs) {
    refuse(
      'baselineFrom',
      `more than ${daysMax} days lie between the first and the last time: bring them closer together`,
    )
  }
  if ((asked.caller === undefined) !== (asked.callerOperation === undefined)) {
    refuse('callerOperation', 'goes with caller: give both, or leave both out')
  }
  if (asked.caller !== undefined && operation !== '') {
    refuse('operation', 'does not go with caller: an edge is told by who calls')
  }
  if (asked.caller === undefined && (asked.signal === 'unanswered' || asked.signal === 'wire-time')) {
    refuse('caller', `missing: ${asked.signal} is of an edge, so say who calls`)
  }
  if (asked.caller !== undefined && ['origin-errors', 'self-time', 'silence'].includes(asked.signal)) {
    refuse('caller', `does not go with ${asked.signal}, which is of the service itself: leave it out`)
  }
  return { ...asked, operation, fromMs, toMs, baselineFromMs, baselineToMs }
}
