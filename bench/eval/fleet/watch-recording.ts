// A recording in the product, in time lapse: the rounds of a running analyzer, each at its time of then. They settle what had arrived
// by then, and judge it.

import { randomUUID } from 'node:crypto'
import { LastingEffects, nextStepMs, settleRules, step, untilNextStepMs } from '@headwater/analyzer'
import { readOpenIncidents, releaseLease, settleTick, takeLease, type TrackedIncident } from '@headwater/store'
import * as z from 'zod'
import { type BaselineRankings, baselineRankings, rankingsSchema } from './baselines.ts'
import { receiveRecording } from './receive-recording.ts'
import type { Recording } from './record.ts'

/** As in a running analyzer: a round each three seconds, or when a step is due … */
const everyMs = 3_000
/** … of what came until a second ago. */
const visibleAfterMs = 1_000

const toldSchema = z.object({
  id: z.string(),
  title: z.string(),
  /** Opened, or the last time that it came back. Unix milliseconds. */
  openedMs: z.number(),
  sinceMs: z.number(),
  /** It has no anomaly any more. */
  isQuiet: z.boolean(),
  causes: z.array(z.object({ service: z.string(), operation: z.string(), kind: z.string() })),
  confidence: z.number(),
  flows: z.array(z.object({ name: z.string(), share: z.number() })),
})
/** What is told of an incident at a moment. */
export type Told = z.infer<typeof toldSchema>

const stepSchema = z.object({
  /** The windows that ended by then were judged … */
  atMs: z.number(),
  /** … at this time. */
  nowMs: z.number(),
  open: z.array(toldSchema),
})
/** What is told after a step. */
export type ToldStep = z.infer<typeof stepSchema>

export const watchedSchema = z.object({ steps: z.array(stepSchema), rankings: z.array(rankingsSchema) })
/** All that the product told of a recording, and what simple rules say of each event. */
export interface Watched {
  steps: ToldStep[]
  rankings: BaselineRankings[]
}

/** What the product says of a recording. What it received is kept in the given folder for the next time. */
export async function watchRecording(
  recording: Recording,
  options: { name: string; kept: string; progress: (line: string) => void },
): Promise<Watched> {
  const { name, progress } = options
  await using received = await receiveRecording(recording, options)
  const { store } = received
  const lease = await takeLease(store.postgres, { holder: randomUUID(), ttlMs: 6 * 3_600_000 })
  if (lease === undefined) throw new Error('Another analyzer leads')
  const steps: ToldStep[] = []
  const { fromMs, toMs } = recording
  const lasting = new LastingEffects(store)
  const state: Parameters<typeof nextStepMs>[1] = { judgedMs: undefined, isUneasy: false }
  let settledMs = fromMs
  for (
    let nowMs = fromMs + everyMs;
    nowMs <= toMs;
    nowMs += Math.min(everyMs, untilNextStepMs(nowMs - visibleAfterMs, state))
  ) {
    const boundaryMs = nowMs - visibleAfterMs
    await settleTick(store, { tick: boundaryMs, fromMs: settledMs, toMs: boundaryMs }, settleRules)
    settledMs = boundaryMs
    const atMs = nextStepMs(boundaryMs, state)
    if (atMs === undefined) continue
    const { isUneasy } = await step(store, lease, atMs, { nowMs, lasting })
    Object.assign(state, { judgedMs: atMs, isUneasy })
    steps.push({ atMs, nowMs, open: (await readOpenIncidents(store)).map(toTold) })
    if (steps.length % 30 === 0) progress(`watches ${name}: ${minutesOf(nowMs, recording)}`)
  }
  await releaseLease(store.postgres, lease)
  return { steps, rankings: await baselineRankings(store, recording) }
}

function minutesOf(nowMs: number, { fromMs, toMs }: Recording): string {
  return `${Math.round((nowMs - fromMs) / 60_000)} of ${Math.round((toMs - fromMs) / 60_000)} min`
}

function toTold({
  id,
  title,
  openedAt,
  reopened,
  since,
  quietSteps,
  causes,
  confidence,
  impact,
}: TrackedIncident): Told {
  return {
    id,
    title,
    openedMs: Date.parse(reopened.at(-1)?.at ?? openedAt),
    sinceMs: Date.parse(since),
    isQuiet: quietSteps > 0,
    causes: causes.map(({ service, operation, kind }) => ({ service, operation, kind })),
    confidence,
    flows: impact.flows.map((flow) => ({ name: flow.name, share: flow.share })),
  }
}
