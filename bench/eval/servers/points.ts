/** What alarms at points are worth, with no adjustment to segments. */
export interface PointScore {
  f1: number
  precision: number
  recall: number
  /** Labelled segments with an alarm within. */
  eventsFound: number
  events: number
  /** Alarms that last, counted once each, with no labelled point within. */
  falseAlarms: number
}

/** Alarms and labels are 0 or 1 by point. scorePoints([0, 1, 1, 0], [0, 0, 1, 1]) has an F1 of a half. */
export function scorePoints(alarms: ArrayLike<number>, labels: ArrayLike<number>): PointScore {
  let [hits, alarmed, labelled] = [0, 0, 0]
  for (let i = 0; i < labels.length; i += 1) {
    hits += (alarms[i] ?? 0) * (labels[i] ?? 0)
    alarmed += alarms[i] ?? 0
    labelled += labels[i] ?? 0
  }
  const events = runs(labels)
  return {
    f1: alarmed + labelled === 0 ? 0 : (2 * hits) / (alarmed + labelled),
    precision: alarmed === 0 ? 0 : hits / alarmed,
    recall: labelled === 0 ? 0 : hits / labelled,
    eventsFound: events.filter((run) => any(alarms, run)).length,
    events: events.length,
    falseAlarms: runs(alarms).filter((run) => !any(labels, run)).length,
  }
}

interface Run {
  start: number
  end: number
}

function runs(points: ArrayLike<number>): Run[] {
  const found: Run[] = []
  for (let i = 0; i < points.length; i += 1) {
    if (points[i] !== 1) continue
    const last = found.at(-1)
    if (last !== undefined && last.end === i) last.end = i + 1
    else found.push({ start: i, end: i + 1 })
  }
  return found
}

function any(points: ArrayLike<number>, { start, end }: Run): boolean {
  for (let i = start; i < end; i += 1) if (points[i] === 1) return true
  return false
}
