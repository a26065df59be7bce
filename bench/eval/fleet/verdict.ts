import { overlaps, type Stretch } from './outcomes.ts'
import type { FleetEvent } from './record.ts'
import type { Told, ToldStep } from './watch-recording.ts'

/** What was told of a fault. */
export interface Verdict {
  /** The incident as it was told last while the fault was on; after its end only where nothing was told before. */
  told: Told | undefined
  /** The windows up to this had been judged then. */
  atMs: number
  /**
   * From the begin of the fault until an incident was open with causes told that had not been before; `undefined` where none
   * was, or where one from before went on: nobody can tell when that was explained anew.
   */
  explainedAfterMs: number | undefined
  /** The first cause as it was told at first. */
  firstSaid: string | undefined
  /** It had been open, with anomalies, when the fault began. */
  isFromBefore: boolean
  /** Incidents beside this one that opened while the fault was on. */
  others: number
}

/** So long after a fault the windows that are judged still have calls of its time. */
const echoesMs = 45_000

/**
 * What the product says of a fault: by the oldest incident with causes that opens, comes back or goes on after quiet while it
 * is on, else by one that had never been quiet.
 */
export function verdictOf(fault: FleetEvent, steps: readonly ToldStep[]): Verdict {
  const during = steps.filter(({ atMs, nowMs }) => atMs > fault.fromMs && nowMs < fault.toMs + echoesMs)
  const quietBefore = new Set<string>()
  const seen = during.flatMap(({ atMs, nowMs, open }) => {
    for (const { id, isQuiet } of open) if (isQuiet) quietBefore.add(id)
    return open
      .filter(({ isQuiet, causes }) => !isQuiet && causes.length > 0)
      .map((told) => ({ atMs, nowMs, told, isNew: told.openedMs >= fault.fromMs || quietBefore.has(told.id) }))
  })
  const explained = seen.filter(({ isNew }) => isNew)
  const own = explained.length > 0 ? explained : seen
  const [first] = own
  const of = first === undefined ? [] : own.filter(({ told }) => told.id === first.told.id)
  const last = of.findLast(({ nowMs }) => nowMs <= fault.toMs) ?? first
  const opened = explained.filter(({ nowMs }) => nowMs <= fault.toMs).map(({ told }) => told.id)
  return {
    told: last?.told,
    atMs: last?.atMs ?? fault.toMs,
    explainedAfterMs: explained[0] && explained[0].nowMs - fault.fromMs,
    firstSaid: first?.told.causes[0]?.service,
    isFromBefore: explained.length === 0 && seen.length > 0,
    others: new Set(opened.filter((id) => id !== first?.told.id)).size,
  }
}

/** A recording's healthy time: when neither a fault nor the machine kept users waiting, nor shortly before. */
export function healthyTime(whole: Stretch, unhealthy: readonly Stretch[]): Stretch[] {
  let healthy = [whole]
  for (const { fromMs, toMs } of unhealthy) {
    const gap = { fromMs, toMs: toMs + echoesMs }
    healthy = healthy.flatMap((stretch) =>
      overlaps(stretch, gap)
        ? [
            { fromMs: stretch.fromMs, toMs: gap.fromMs },
            { fromMs: gap.toMs, toMs: stretch.toMs },
          ].filter((rest) => rest.toMs > rest.fromMs)
        : [stretch],
    )
  }
  return healthy
}

/** Incidents that opened or came back in healthy time, each opening once. */
export function falseIncidents(steps: readonly ToldStep[], healthy: readonly Stretch[]): Told[] {
  const opened = new Map(
    steps.flatMap(({ open }) => open.map((told) => [`${told.id} ${told.openedMs}`, told] as const)),
  )
  return [...opened.values()].filter(({ openedMs }) =>
    healthy.some(({ fromMs, toMs }) => openedMs >= fromMs && openedMs < toMs),
  )
}
