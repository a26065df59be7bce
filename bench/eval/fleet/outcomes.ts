// What users saw: the truth of the impact, of which the product's spans know nothing.

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import * as z from 'zod'
import type { FleetEvent } from './record.ts'

const outcomeSchema = z.object({
  method: z.string(),
  path: z.string(),
  /** Unix milliseconds. */
  sentAtMs: z.number(),
  durationMs: z.number(),
  /** `null`: not answered. */
  status: z.number().nullable(),
})
/** One request as its user saw it. */
export type Outcome = z.infer<typeof outcomeSchema>

export async function readOutcomes(file: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for await (const line of createInterface({ input: createReadStream(file) })) {
    outcomes.push(outcomeSchema.parse(JSON.parse(line)))
  }
  return outcomes
}

/** The flow that a request began, as the gateway's routes name it. flowOf({ method: 'GET', path: '/report/7' }) is "GET /report/:id". */
export function flowOf({ method, path }: Pick<Outcome, 'method' | 'path'>): string {
  return `${method} ${path.replace(/^\/(report|invoice)\/[^/]+$/, '/$1/:id')}`
}

export function hasFailed({ status }: Outcome): boolean {
  return status === null || status >= 500
}

/** A time in Unix milliseconds. */
export interface Stretch {
  fromMs: number
  toMs: number
}

const windowMs = 10_000
/** Healthy requests take less than 700 ms in 99 of 100 cases, the slowest fault adds 900 ms. */
const tooSlowMs = 2_000
const disturbedShare = 0.05
/** What a fault makes fail until all services are back. */
const mendsMs = 15_000

/**
 * When not a fault but the machine kept users waiting: ten seconds in which one of twenty requests got no answer, which no fault
 * of ours brings about, or failed or took two seconds while no fault was on.
 */
export function disturbances(outcomes: readonly Outcome[], events: readonly FleetEvent[]): Stretch[] {
  const faults = events.filter(({ what }) => what === 'fault')
  const windows = Map.groupBy(outcomes, ({ sentAtMs }) => Math.floor(sentAtMs / windowMs) * windowMs)
  const disturbed = [...windows].flatMap(([fromMs, own]) => {
    const toMs = fromMs + windowMs
    const isFaulty = faults.some((fault) => fromMs < fault.toMs + mendsMs && toMs > fault.fromMs)
    const bad = own.filter(
      (outcome) => outcome.status === null || (!isFaulty && (hasFailed(outcome) || outcome.durationMs > tooSlowMs)),
    )
    return bad.length >= own.length * disturbedShare ? [{ fromMs, toMs }] : []
  })
  return disturbed.toSorted((a, b) => a.fromMs - b.fromMs)
}

/** Whether two times have a moment in common. */
export function overlaps(one: Stretch, other: Stretch): boolean {
  return one.fromMs < other.toMs && other.fromMs < one.toMs
}
