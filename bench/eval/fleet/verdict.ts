import { overlaps, type Stretch } from './outcomes.ts'
import type { FleetEvent } from './record.ts'
import type { Told, ToldStep } from './watch-recording.ts'

/** What was told of a fault. */
export interface Verdict {
  /** The incident as it was told last while the fault was on; after its end only where nothing was told before. */
  told: Told | undefined
  /** The windows up to this had been judged then. */
  atMs: number
  /** From the begin of the fault until an incident was open with causes told; `undefined` where none was. */
  explainedAfterMs: number | undefined
  /** The first cause as it was told at first. */
  firstSaid: string | undefined
  /** Incidents beside the first that opened while the fault was on. */
  others: number
}

/** So long after a fault the windows that are judged still have calls of its time. */
const echoesMs = 45_000

/**
 * What the product says of a fault: by the oldest incident that opens, comes back or goes on while it is on. One that was
 * open before goes on from when it has anomalies again: until then it is the one of the fault before.
 */
export function verdictOf(fault: FleetEvent, steps: readonly ToldStep[]): Verdict {
  const during = steps.filter(({ atMs, nowMs }) => atMs > fault.fromMs && nowMs < fault.toMs + echoesMs)
  const quietBefore = new Set<string>()
  const own = during.map(({ atMs, nowMs, open }) => {
    for (const { id, isQuiet } of open) if (isQuiet) quietBefore.add(id)
    const incidents = open.filter(
      ({ id, isQuiet, openedMs }) => openedMs >= fault.fromMs || (!isQuiet && quietBefore.has(id)),
    )
    return { atMs, nowMs, incidents }
  })
  const explained = own.flatMap(({ atMs, nowMs, incidents }) => {
    const told = incidents.find(({ causes }) => causes.length > 0)
    return told === undefined ? [] : [{ atMs, nowMs, told }]
  })
  const [first] = explained
  const last = explained.findLast(({ nowMs }) => nowMs <= fault.toMs) ?? first
  const ids = new Set(
    own.filter(({ nowMs }) => nowMs <= fault.toMs).flatMap(({ incidents }) => incidents.map(({ id }) => id)),
  )
  return {
    told: last?.told,
    atMs: last?.atMs ?? fault.toMs,
    explainedAfterMs: first && first.nowMs - fault.fromMs,
    firstSaid: first?.told.causes[0]?.service,
    others: Math.max(0, ids.size - 1),
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
