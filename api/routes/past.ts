import { createRoute, z } from '@hono/zod-openapi'
import type { PastExplanation, PastQuestion } from '@headwater/vocabulary'
import { Refusal } from '../errors.ts'
import { answer, invalid, refusals, timeParameter } from '../parameters.ts'
import { anomalyShape, causeShape, confidenceShape, impactShape, seenChangeShape } from './incidents.ts'
import { type Api, hourMs } from './parts.ts'

/** Explains a time of the past. The analysis is the analyzer's: whoever starts the API hands it in. */
export type ExplainPast = (asked: PastQuestion) => Promise<PastExplanation>

const time = z.string().openapi({ example: '2026-01-31T12:00:00.000Z' })

const pastShape = z
  .object({
    state: z.enum(['explained', 'normal', 'not-enough-data']),
    summary: z.string().openapi({ description: 'The answer in a sentence' }),
    from: time.openapi({ description: 'Widened to whole minutes' }),
    to: time,
    baselineFrom: time.openapi({ description: 'Narrowed to whole minutes' }),
    baselineTo: time,
    baselineMinutes: z.int().openapi({ description: 'Minutes of the baseline that have calls and no incident' }),
    told: z
      .object({
        title: z.string(),
        since: time,
        causes: z.array(causeShape),
        confidence: confidenceShape,
        noCauseReason: z.string().nullable(),
        impact: impactShape,
        anomalies: z.array(anomalyShape),
        changes: z.array(seenChangeShape),
      })
      .nullable()
      .openapi({ description: 'Null unless something is explained' }),
    leftOut: z
      .object({
        series: z.int().openapi({ description: 'The busiest were looked at' }),
        logsOfCalls: z.int().openapi({
          description:
            'About so many calls of which nobody has looked at what they logged; those that were looked at lie spread over the time',
        }),
      })
      .openapi({ description: 'What was too much to be looked at' }),
  })
  .openapi('PastExplanation')

const explain = createRoute({
  method: 'get',
  path: '/api/v1/explain',
  summary:
    'What went wrong in a time of the past: its cause with evidence, impact and anomalies, against another time as normal',
  request: {
    query: z.strictObject({
      from: timeParameter,
      to: timeParameter.openapi({ description: 'At most six hours after from' }),
      baselineFrom: timeParameter.optional().openapi({ description: 'Default: a day before baselineTo' }),
      baselineTo: timeParameter
        .optional()
        .openapi({ description: 'Default: from. Times of incidents do not count as normal' }),
    }),
  },
  responses: { 200: answer('The explanation', pastShape), ...refusals },
})

/** An hour of a large system takes seconds and hundreds of megabytes, so they are made one after another … */
const waitingMax = 3
/** … and who finds so many before them comes again after this. */
const retryAfterS = 15

const spanMaxMs = 6 * hourMs
const baselineMaxMs = 8 * 24 * hourMs

export function servePast(
  api: Api,
  {
    explainPast,
    now,
    onRefused,
    onLeftOut,
  }: {
    explainPast: ExplainPast
    now: () => number
    onRefused: () => void
    onLeftOut: (leftOut: PastExplanation['leftOut']) => void
  },
): void {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  api.openapi(explain, async (c) => {
    const asked = questionOf(c.req.valid('query'), now())
    if (waiting >= waitingMax) {
      onRefused()
      throw new Refusal(503, 'busy', `${waiting} other times are being explained: ask again in ${retryAfterS} s`, {
        headers: { 'retry-after': String(retryAfterS) },
      })
    }
    waiting += 1
    const answered = last.then(() => explainPast(asked))
    last = answered.catch(() => undefined)
    try {
      const explanation = await answered
      onLeftOut(explanation.leftOut)
      return c.json(explanation, 200)
    } finally {
      waiting -= 1
    }
  })
}

/** Throws the refusal that names what does not fit together. */
function questionOf(
  {
    from,
    to,
    baselineFrom,
    baselineTo,
  }: { from: string; to: string; baselineFrom?: string | undefined; baselineTo?: string | undefined },
  nowMs: number,
): PastQuestion {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)]
  const normalToMs = baselineTo === undefined ? fromMs : Date.parse(baselineTo)
  const normalFromMs = baselineFrom === undefined ? normalToMs - 24 * hourMs : Date.parse(baselineFrom)
  const refuse = (field: string, message: string): never => {
    throw invalid([{ field, message }])
  }
  if (fromMs >= nowMs) refuse('from', `"${from}" is not in the past: use an earlier time`)
  if (toMs <= fromMs) refuse('to', `"${to}" is not after from: use a later to or an earlier from`)
  if (toMs - fromMs > spanMaxMs) refuse('to', `"${to}" is more than six hours after from: ask for a shorter time`)
  if (normalToMs <= normalFromMs) {
    refuse('baselineFrom', `"${baselineFrom ?? ''}" is not before the end of the baseline: use an earlier one`)
  }
  if (normalToMs - normalFromMs > baselineMaxMs) {
    refuse(
      'baselineFrom',
      `"${baselineFrom ?? ''}" is more than eight days before the end of the baseline: use a later one`,
    )
  }
  return {
    fromMs,
    toMs,
    ...(baselineFrom !== undefined && { baselineFromMs: normalFromMs }),
    ...(baselineTo !== undefined && { baselineToMs: normalToMs }),
  }
}
